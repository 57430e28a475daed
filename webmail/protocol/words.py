"""Header text: encoded words (RFC 2047) and encoded parameters (RFC 2231), in their right and their broken forms.

Bounded (one value ≤ 8 KiB, ≤ 200 encoded words) and never raising: this runs on whatever a stranger sent.
`email.header` and `email.policy.default` are not used: the one gives up on broken words, the other takes quadratic
time on hostile ones.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Sequence
from urllib.parse import unquote_to_bytes

from .charset_names import codec_of
from .charsets import clean_text, decode_text

MAX_OCTETS = 8 * 1024
MAX_WORDS = 200
_MAX_VALUE = 3 * MAX_OCTETS  # of one parameter, each octet written as %XX
MAX_SEGMENTS = 100  # of one RFC 2231 parameter

_WORD_START = re.compile(rb"=\?\s?([!-<>@-~]{0,60})\s?\?\s?([bBqQ])\s?\?")
_WORD_END = re.compile(rb"\?\s?=")
_BREAK = re.compile(rb"\s|=\?")
_MISTAKEN_BASE64 = re.compile(rb"[A-Za-z0-9+/]{2,}={1,2}")  # Q text never ends so
_STANDARD = bytes.maketrans(b"-_", b"+/")
_EXTENDED = re.compile(rb"([A-Za-z0-9_.:-]{2,40})'[A-Za-z0-9-]{0,20}'(.*)", re.DOTALL)
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]")
_Q_HEX = re.compile(rb"=([0-9A-Fa-f]{2})")

# What must not reach a line of text: controls, bidi overrides and isolates, and characters without width. They serve
# to make one name look like another (U+202E in "exe.gpj") or to hide (T21). Line and paragraph separators are space.
_SPACES = "\t\n\v\f\r\x1c\x1d\x1e\x1f\x85\u2028\u2029"
_UNSEEN = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f"
    "\u202a-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb\U000e0000-\U000e0fff]"
)
# Joiners carry meaning inside Persian, Indic and emoji sequences; anywhere else they only hide.
_JOINED = "\u0600-\u109f\u1780-\u18af\u2190-\u2bff\ufb50-\ufefc\U0001f000-\U0001faff"
_STRAY_JOINER = re.compile(f"(?<![{_JOINED}\ufe0f])[\u200c\u200d]|[\u200c\u200d](?![{_JOINED}])")
_SPACE_TABLE = {ord(char): " " for char in _SPACES}
_ODD = re.compile("[\x00-\x1f\x7f]")


def decode_header(raw: bytes | str, hint: str = "") -> str:
    """The text of an unstructured field's value, on one line (RFC 2047 §6, RFC 5322 §2.2.3).

    Folding becomes one space. Words that can't be decoded are left as they stand. Controls, bidi overrides and
    characters without width are removed, so the result is fit for a list row.

    Args:
        raw: the value as it came, folded or not; more than 8 KiB of it is ignored.
        hint: the charset that octets outside of words are likeliest in, where they are not UTF-8.
    """
    if isinstance(raw, str):
        if raw.isascii() and len(raw) <= MAX_OCTETS and "=?" not in raw and not _ODD.search(raw):
            return raw.strip()
        raw = octets(raw[:MAX_OCTETS])
    raw = b" ".join(raw[:MAX_OCTETS].split())
    if b"=?" not in raw:
        return one_line(decode_text(raw, "", hint))
    decoded = one_line("".join(_decoded_runs(raw, hint)))
    # Lists that encode a header which was encoded already.
    if decoded.startswith("=?") and decoded.endswith("?=") and decoded.isascii() and raw.startswith(b"=?"):
        return one_line("".join(_decoded_runs(decoded.encode("ascii"), hint)))
    return decoded


def decode_params(params: Sequence[tuple[str, bytes | str]], hint: str = "") -> dict[str, str]:
    """MIME parameters with their continuations joined and their charsets decoded (RFC 2231 §3–4).

    `name*` wins over `name*0`, and both over a plain `name`, which may hold encoded words although RFC 2047 §5
    forbids that, or what belongs into `name*`. Names come out in lower case, values without controls.

    Args:
        params: (name, value) as BODYSTRUCTURE or a header field lists them, unquoted.
        hint: the charset that raw octets are likeliest in, where they are not UTF-8.
    """
    plain: dict[str, bytes] = {}
    pieces: dict[str, dict[int, tuple[bytes, bool]]] = {}
    for name, value in params:
        data = octets(value[:_MAX_VALUE]) if isinstance(value, str) else value[:_MAX_VALUE]
        base, star, rest = name.lower().partition("*")
        number = rest.removesuffix("*")
        if not star:
            plain.setdefault(base, data)
        elif number == "":
            pieces.setdefault(base, {})[-1] = (data, True)
        elif number.isascii() and number.isdigit() and len(number) <= 3 and int(number) < MAX_SEGMENTS:
            pieces.setdefault(base, {}).setdefault(int(number), (data, rest.endswith("*")))
    found = {name: _plain_value(data, hint) for name, data in plain.items()}
    for name, numbered in pieces.items():
        value = _joined(numbered, hint)
        if value:
            found[name] = value
    return found


def one_line(text: str) -> str:
    """`text` as one line, stripped, without controls, bidi overrides and characters without width."""
    if text.isascii() and not _ODD.search(text):
        return text.strip()
    text = _UNSEEN.sub("", clean_text(text).translate(_SPACE_TABLE))
    if "\u200c" in text or "\u200d" in text:
        text = _STRAY_JOINER.sub("", text)
    return text.strip()


def octets(value: str) -> bytes:
    """The bytes a str stood for: UTF-8, with `surrogateescape` undone."""
    try:
        return value.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return value.encode("utf-8", "replace")


def _decoded_runs(raw: bytes, hint: str) -> list[str]:
    """`raw` cut into plain text and encoded words, decoded; white space between two words is dropped."""
    out: list[str] = []
    charset, run = "", b""  # neighbours in one charset are decoded as one: a character may be cut in two
    digits = b""  # of base64 that was cut inside a group of four, and goes on in the next word
    position, words = 0, 0
    while words < MAX_WORDS:
        start = _WORD_START.search(raw, position)
        if start is None:
            break
        gap = raw[position : start.start()]
        is_base64 = start[2] in b"bB"
        content, position = _word_content(raw, start.end(), is_base64)
        words += 1
        name = start[1].decode("ascii").lower()
        if gap.strip() or name != charset:
            out.append(decode_text(run + _from_base64(digits), charset, hint))
            run = digits = b""
        if gap.strip() or words == 1:
            out.append(decode_text(gap, "", hint))
        charset = name
        if is_base64 and not _Q_HEX.search(content):
            digits = digits + _NOT_BASE64.sub(b"", content.translate(_STANDARD))
            if content.endswith(b"=") or len(digits) % 4 == 0:
                run, digits = run + _from_base64(digits), b""
        elif not is_base64 and _MISTAKEN_BASE64.fullmatch(content) and len(content) % 4 == 0:
            run, digits = run + _from_base64(digits) + _from_base64(content), b""
        else:
            run, digits = run + _from_base64(digits) + _from_q(content), b""
    out.append(decode_text(run + _from_base64(digits), charset, hint))
    out.append(decode_text(raw[position:], "", hint))
    return out


def _word_content(raw: bytes, start: int, is_base64: bool) -> tuple[bytes, int]:
    """The encoded text that starts at `start`, and where what follows it begins.

    A word whose end was lost reaches to the next word, or else to the next white space.
    """
    end = _word_end(raw, start, is_base64)
    following = _WORD_START.search(raw, start, end[0] if end else len(raw))
    if following is not None:
        return raw[start : following.start()].rstrip(b" ?"), following.start()
    if end is not None:
        return raw[start : end[0]], end[1]
    space = raw.find(b" ", start)
    stop = space if space >= 0 else len(raw)
    return raw[start:stop].rstrip(b"?"), stop


def _word_end(raw: bytes, start: int, is_base64: bool) -> tuple[int, int] | None:
    """Where the encoded text ends and where its "?=" does, which folding may have cut in two."""
    end = _WORD_END.search(raw, start)
    if end is None:
        return None
    if is_base64:
        return end.span()
    # "?" may stand unencoded in Q text, before its end ("why??=") or before an escape ("where?=20?=").
    if raw[end.start() : end.start() + 3] == b"??=":
        return end.start() + 1, end.start() + 3
    if _Q_HEX.match(raw, end.end() - 1):
        later = _WORD_END.search(raw, end.end())
        if later is not None and not _BREAK.search(raw, end.end(), later.start()):
            return later.span()
    return end.span()


def _from_base64(content: bytes) -> bytes:
    content = _NOT_BASE64.sub(b"", content)
    content = content[: len(content) - 1] if len(content) % 4 == 1 else content
    return binascii.a2b_base64(content + b"=" * (-len(content) % 4))


def _from_q(content: bytes) -> bytes:
    return _Q_HEX.sub(lambda match: bytes.fromhex(match[1].decode("ascii")), content.replace(b"_", b" "))


def _plain_value(data: bytes, hint: str) -> str:
    """A parameter without a star. Some programs put into it what belongs behind one: `utf-8''%e4…`, or only `%e4…`."""
    if b"%" in data and b"=?" not in data:
        extended = _EXTENDED.fullmatch(data)
        name = extended[1].decode("ascii") if extended else ""
        if extended and (codec_of(name) or name.lower() in ("utf-8", "us-ascii")):
            return one_line(decode_text(unquote_to_bytes(extended[2])[:MAX_OCTETS], name, hint))
        unquoted = unquote_to_bytes(data[:MAX_OCTETS])
        if not unquoted.isascii() and data.isascii():
            try:
                return one_line(unquoted.decode("utf-8"))
            except UnicodeDecodeError:
                pass
    return decode_header(data, hint)


def _joined(numbered: dict[int, tuple[bytes, bool]], hint: str) -> str:
    """One parameter's value from its numbered segments; the first one may carry charset and language."""
    if -1 in numbered:
        segments = [numbered[-1]]
    else:
        segments = []
        first_number = 0 if 0 in numbered else 1  # some count from one
        while first_number + len(segments) in numbered:
            segments.append(numbered[first_number + len(segments)])
    if not segments:
        return ""
    charset, (first, extended) = "", segments[0]
    if extended and b"'" in first:
        name, *language, rest = first.split(b"'", 2)
        known = codec_of(name.decode("ascii", "replace")) or name.lower() in (b"utf-8", b"us-ascii")
        if language or known:  # one quote alone may be part of the name
            charset = name.decode("ascii", "replace")
            segments[0] = (rest, True)
    data = b""
    for value, encoded in segments:
        data += unquote_to_bytes(value) if encoded else value
        if len(data) > MAX_OCTETS:
            break
    data = data[:MAX_OCTETS]
    if not extended or data.startswith(b"=?"):
        return _plain_value(data, hint)
    return one_line(decode_text(data, charset, hint))
