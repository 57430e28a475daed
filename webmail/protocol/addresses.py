"""Address lists of header fields (RFC 5322 §3.4), as they are really written.

A scanner, not a grammar: it never raises, takes linear time, and makes something of unquoted commas, lost angle
brackets and encoded words that hold commas. The address itself is never decoded from encoded words, so a name can't
pass for one (the "Mailsploit" trick).
"""

from __future__ import annotations

import re
from functools import lru_cache

from .types import Address
from .words import decode_header, octets, one_line

MAX_ADDRESSES = 1_000
_MAX_FIELD = 128 * 1024  # characters of one field looked at
_MAX_ADDRESS = 320  # RFC 5321 §4.5.3.1: 64 + "@" + 255; nothing longer can be delivered to
_MAX_CACHED = 256  # characters; the same few short fields stand in most messages of a mailbox

# name <local@domain>, in ASCII and without anything that needs thought.
_SIMPLE = re.compile(
    r"""\s*+(?:"([^"\\<>=]*+)"|([^"<>,;:()\\=@\[\]]*+))\s*+<([A-Za-z0-9._+'=/~!#$%&*?^{|}`-]+@[A-Za-z0-9.-]+)>\s*+"""
)
_BARE = re.compile(r"\s*+([A-Za-z0-9._+'/~-]+@[A-Za-z0-9.-]+)\s*+")
# White space inside a word is wrong and common; a word so broken is no longer than a line (RFC 2047 §2).
_ENCODED = r"=\?[^?\s]{1,60}\?[bBqQ]\?(?:[^?\s]*|[^?\r\n]{0,100})\?="
_SPECIAL = re.compile(rf'["(<>,:;]|{_ENCODED}')
_WORD = re.compile(_ENCODED)
_QUOTED = re.compile(r'((?:[^"\\]++|\\.)*+)"', re.DOTALL)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
# What is the same address without its quotes (RFC 5321 §4.1.2), and an address that isn't, in one piece.
_ATOM = re.compile(r"[^\s\"(),:;<>@\[\\\]]+")
_PIECE = re.compile(r'"(?:[^"\\]++|\\.)*+"@\S+|\S+', re.DOTALL)
_QUOTED_LOCAL = re.compile(r'"(?:[^"\\]++|\\.)*+"(?=@)', re.DOTALL)


def addresses(raw: bytes | str, hint: str = "") -> tuple[Address, ...]:
    """The addresses of a From, To, Cc … field, in order; at most 1,000.

    An empty group ("undisclosed-recipients:;") gives one value with a name and no address; so does text in which no
    address can be found. Names are decoded and on one line. Addresses are shown as they stand on the wire.

    Args:
        raw: the field's value, folded or not; several fields' values may be joined with ", ".
        hint: the charset that raw octets of names are likeliest in, where they are not UTF-8.
    """
    if isinstance(raw, bytes):
        raw = raw[:_MAX_FIELD].decode("utf-8", "surrogateescape")
    if len(raw) <= _MAX_CACHED:
        return _cached(raw, "" if raw.isascii() else hint)
    return _parsed(raw[:_MAX_FIELD], hint)


@lru_cache(maxsize=4096)
def _cached(text: str, hint: str) -> tuple[Address, ...]:
    simple = _SIMPLE.fullmatch(text)
    if simple is not None and text.isascii():
        return (_address(simple[1] or simple[2] or "", simple[3]),)
    bare = _BARE.fullmatch(text)
    if bare is not None:
        return (Address("", bare[1]),)
    return _parsed(text, hint)


def _parsed(text: str, hint: str) -> tuple[Address, ...]:
    scanner = _Scanner(text, hint)
    scanner.run()
    return tuple(scanner.found[:MAX_ADDRESSES])


class _Scanner:
    """One pass over a field: collects words, comments and the text in angle brackets until a separator ends them."""

    def __init__(self, text: str, hint: str) -> None:
        self.text = text
        self._hint = hint
        self.found: list[Address] = []
        self._group = ""  # the name of the group being read
        self._group_start = 0
        self._before = ""  # words of a name that an unquoted comma cut in two ("Smith, Bob <bob@…>")
        self._ahead: dict[str, int] = {}
        self._trusts_quotes = True
        self._clear()

    def run(self) -> None:
        """Read the whole text into `found`."""
        text, position, end = self.text, 0, len(self.text)
        while position < end and len(self.found) < MAX_ADDRESSES:
            special = _SPECIAL.search(text, position)
            if special is None:
                self._words.append(text[position:])
                break
            self._words.append(text[position : special.start()])
            position = special.end()
            kind = special[0]
            if kind == '"':
                position = self._quoted(position)
            elif kind == "(":
                position = self._comment(position)
            elif kind == "<":
                position = self._in_angles(position)
            elif kind == ",":
                self._flush(comma=True)
            elif kind == ";":
                self._flush()
                self._end_group()
            elif kind == ":":
                self._start_group()
            elif kind != ">":
                self._words.append(kind)
        self._flush()
        self._end_group()

    def _clear(self) -> None:
        self._words: list[str] = []
        self._comments: list[str] = []
        self._angle: str | None = None
        self._was_quoted = False

    def _find(self, char: str, start: int) -> int:
        """Like str.find, but what lies ahead is looked for once only, so that unclosed brackets cost linear time."""
        known = self._ahead.get(char, -1)
        if known < start:
            known = self.text.find(char, start)
            self._ahead[char] = known = len(self.text) if known < 0 else known
        return known if known < len(self.text) else -1

    def _quoted(self, start: int) -> int:
        closed = _QUOTED.match(self.text, start) if self._trusts_quotes else None
        if closed is None:  # never closed: it and all that follow are ordinary characters
            self._trusts_quotes = False
            return start
        words, end = _ESCAPE.sub(r"\1", closed[1]), closed.end()
        # "a b"@… is one address: without its quotes it would be another one, and somebody else's.
        is_local = self.text[end : end + 1] == "@" and not _ATOM.fullmatch(words)
        self._words.append(f'"{closed[0]}' if is_local else words)
        self._was_quoted = True
        return end

    def _comment(self, start: int) -> int:
        depth, position = 1, start
        while depth:
            opened, closed = self._find("(", position), self._find(")", position)
            if closed < 0:
                return start
            depth, position = (depth + 1, opened + 1) if 0 <= opened < closed else (depth - 1, closed + 1)
        self._comments.append(self.text[start : position - 1])
        return position

    def _in_angles(self, start: int) -> int:
        if self._angle is not None:
            self._flush()
        end = self._find(">", start)
        if end < 0:
            comma = self._find(",", start)
            end = comma if comma >= 0 else len(self.text)
        self._angle = self.text[start:end]
        return end + (self.text[end : end + 1] == ">")

    def _start_group(self) -> None:
        words = "".join(self._words).strip()
        if self._angle is None and "@" not in words and words.lower() != "mailto":
            self._group, self._group_start = words, len(self.found)
        self._clear()

    def _end_group(self) -> None:
        if self._group and len(self.found) == self._group_start:
            self.found.append(Address(decode_header(self._group, self._hint), ""))
        self._group = ""

    def _flush(self, *, comma: bool = False) -> None:
        """End one address: what was collected becomes an Address, or waits for the rest of its name."""
        words = "".join(self._words).strip()
        angle, comments, quoted = self._angle, self._comments, self._was_quoted
        self._clear()
        before, self._before = self._before, ""
        if angle is not None:
            if before and words and not quoted:
                words, before = f"{before}, {words}", ""
            self._add_name(before)
            address = _wire_address(angle)
            if not address and not words and not comments:
                return
            self.found.append(_address(words or " ".join(comments), address, self._hint))
        elif "@" in _WORD.sub("", words):
            self._add_name(before)
            *others, address = sorted(_PIECE.findall(words), key=lambda word: "@" in _WORD.sub("", word))
            self.found.append(_address(" ".join((*others, *comments)), _wire_address(address), self._hint))
        elif words or comments:
            self._add_name(before)
            if comma and words and not quoted and not self._group:
                self._before = words
            else:
                self._add_name(words or " ".join(comments))
        else:
            self._add_name(before)

    def _add_name(self, words: str) -> None:
        if words:
            self.found.append(Address(decode_header(words, self._hint), ""))


def _address(name: str, address: str, hint: str = "") -> Address:
    name = decode_header(name, hint)
    if name[:1] in ('"', "'") and name[:1] == name[-1:] and len(name) > 1:
        name = name[1:-1].strip()  # quoted once more, inside an encoded word or by Outlook
    return Address("" if name == address else name, address)


def _wire_address(text: str) -> str:
    """The address as it stands: no route (RFC 5322 §4.4), no white space, not decoded.

    One that is too long loses its middle: its end says whose it is.
    """
    if text.startswith("@") and ":" in text:
        text = text.rpartition(":")[2]
    text = text.lstrip("< ")
    if text[:7].lower() == "mailto:":
        text = text[7:]
    if len(text) > 4 * _MAX_ADDRESS:
        text = f"{text[:_MAX_ADDRESS]}…{text[-_MAX_ADDRESS:]}"
    text = one_line(octets(text).decode("utf-8", "replace"))
    local = _QUOTED_LOCAL.match(text)
    quoted = local[0] if local else ""
    text = quoted + "".join(text[len(quoted) :].split())
    return text if len(text) <= _MAX_ADDRESS else f"{text[:64]}…{text[65 - _MAX_ADDRESS :]}"
