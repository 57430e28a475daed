"""Header fields as they go out: encoded words (RFC 2047), folding (RFC 5322 §2.2.3), long parameters (RFC 2231).

The room's one law: every value passes `guard.header_value` here, whoever made it, so no value ends its field. Lines
with encoded words have at most 76 characters, all others where they can; no line has more than 998 octets.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterable, Sequence
from urllib.parse import quote

from .errors import Forbidden
from .guard import header_value
from .mail_address import deliverable
from .types import Address

LINE = 76  # characters (RFC 2047 §2)
MAX_VALUE = 8 * 1024  # characters of one value
MAX_IDS = 40  # of one References field: the first, and the last ones
MAX_ID = 500  # octets of a Message-ID that is repeated

_WORD = 75 - len("=?utf-8?q??=")  # characters that an encoded word has room for
_SEGMENT = 60  # characters of one part of a parameter
_PLAIN_WORD = 900  # characters that a word outside of an encoded one may have
_Q_SAFE = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!*+-/")
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?: [A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_QUOTABLE = re.compile(r"[ -~]+")
_ID = re.compile(r"[!-;=?-~]+")
_TOKEN = re.compile(r"[A-Za-z0-9!#$&^_.+-]+")


def text_field(name: str, value: str) -> str:
    """An unstructured field (Subject). White space is made single blanks.

    Raises:
        Forbidden: the value holds a control character or is longer than 8,192 characters.
    """
    value = " ".join(_guarded(value).split())
    words = value.split(" ")
    if value.isascii() and "=?" not in value and all(len(word) <= _PLAIN_WORD for word in words):
        return folded(name, words)
    return folded(name, encoded_words(value, LINE - len(name) - 2))


def address_field(name: str, addresses: Iterable[Address]) -> str:
    """A field of mailboxes (RFC 5322 §3.4); names as atoms, quoted strings or encoded words, whichever they need.

    Raises:
        Forbidden: a name holds a control character, or an address can't be delivered to.
    """
    pieces: list[list[str]] = []
    for each in addresses:
        address = wire_address(each.address)
        words = _phrase(" ".join(_guarded(each.name).split()), LINE - len(name) - 2)
        pieces.append([*words, f"<{address}>"] if words else [address])
    for piece in pieces[:-1]:
        piece[-1] += ","
    return folded(name, [token for piece in pieces for token in piece])


def id_field(name: str, ids: Iterable[str]) -> str:
    """A field of message identifiers, given without their brackets; "" where none is left.

    They are a stranger's: what is no identifier (RFC 5322 §3.6.4) is left out, of more than 40 the middle.
    """
    sound = [each for each in dict.fromkeys(ids) if len(each) <= MAX_ID and _ID.fullmatch(each)]
    if len(sound) > MAX_IDS:
        sound = sound[:1] + sound[1 - MAX_IDS :]
    return folded(name, [f"<{each}>" for each in sound]) if sound else ""


def parameter_field(name: str, value: str, parameters: Iterable[tuple[str, str]] = ()) -> str:
    """A field with parameters, a line each. Long values and those with other letters are written as RFC 2231 says."""
    lines = [f"{name}: {_guarded(value)}"]
    for key, text in parameters:
        lines += _parameter(key, _guarded(text))
    return ";\r\n ".join(lines) + "\r\n"


def words_in_quotes(value: str) -> str:
    """A parameter's value as encoded words in quotes: against RFC 2047 §5, yet all that old Outlooks understand."""
    return '"{}"'.format("\r\n ".join(encoded_words(_guarded(value), _SEGMENT)))


def folded(name: str, tokens: Iterable[str]) -> str:
    """A field whose value is `tokens`, with blanks between, broken before those that would be too far out."""
    lines: list[str] = []
    line = f"{name}:"
    for number, token in enumerate(tokens):
        if number and len(line) + 1 + len(token) > LINE:
            lines.append(line)
            line = ""
        line += f" {token}"
    return "\r\n".join((*lines, line)) + "\r\n"


def encoded_words(text: str, room: int) -> list[str]:
    """`text` as encoded words in UTF-8, base64 or Q by length; no character is cut in two.

    Args:
        room: characters that each may have, 75 at most.
    """
    room = min(room - len("=?utf-8?q??="), _WORD)
    octets = text.encode()
    in_q = [_q(char) for char in text]
    if sum(map(len, in_q)) <= (len(octets) + 2) // 3 * 4:
        return [f"=?utf-8?q?{''.join(run)}?=" for run in _runs(in_q, room, len)]
    return [
        f"=?utf-8?b?{base64.b64encode(''.join(run).encode()).decode()}?="
        for run in _runs(text, room // 4 * 3, lambda char: len(char.encode()))
    ]


def wire_address(address: str) -> str:
    """The address as it stands on the wire, its domain in ASCII.

    Raises:
        Forbidden: no mail can be delivered to it.
    """
    try:
        return deliverable(header_value(address))
    except ValueError as error:
        raise Forbidden("This is not a mail address that can be written to.", address[:100]) from error


def _guarded(value: str) -> str:
    if len(value) > MAX_VALUE:
        raise Forbidden("This text is too long for the head of a message.")
    return header_value(value)


def _phrase(name: str, room: int) -> list[str]:
    """A display name in tokens."""
    if not name:
        return []
    if _QUOTABLE.fullmatch(name) and "=?" not in name and len(name) <= _SEGMENT:
        if _ATOMS.fullmatch(name):
            return name.split(" ")
        return ['"{}"'.format(re.sub(r'(["\\])', r"\\\1", name))]
    return encoded_words(name, room)


def _q(char: str) -> str:
    if char in _Q_SAFE:
        return char
    return "_" if char == " " else "".join(f"={octet:02X}" for octet in char.encode())


def _runs(pieces: Sequence[str], room: int, length: Callable[[str], int]) -> list[list[str]]:
    """The pieces in runs that fit into `room` each."""
    runs: list[list[str]] = [[]]
    left = room
    for piece in pieces:
        needed = length(piece)
        if needed > left and runs[-1]:
            runs.append([])
            left = room
        runs[-1].append(piece)
        left -= needed
    return runs


def _parameter(key: str, value: str) -> list[str]:
    if value.isascii() and len(value) <= _SEGMENT:
        if _TOKEN.fullmatch(value):
            return [f"{key}={value}"]
        return ['{}="{}"'.format(key, re.sub(r'(["\\])', r"\\\1", value))]
    runs = _runs(["utf-8''", *(quote(char, safe="") for char in value)], _SEGMENT, len)
    if len(runs) == 1:
        return [f"{key}*={''.join(runs[0])}"]
    return [f"{key}*{number}*={''.join(run)}" for number, run in enumerate(runs)]
