"""A vCard as its lines (RFC 6350 §3, RFC 2426, and 2.1 of old telephones): what nobody here knows of is kept.

`kept` makes of a card what lies in the address book beside what that shows; `rewritten` puts it into the words of the
version that is asked for. Never raises. The first runs in the child of `bounded`, the second only sees what it made.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from .charsets import decode_text
from .transfer import decode_transfer

BINARY = frozenset({"PHOTO", "LOGO", "SOUND", "KEY"})
MOST_LINES = 1_000  # of one card that are kept
_OURS = frozenset({"BEGIN", "END", "VERSION", "PRODID", "REV", "CATEGORIES", "NOTE", "KIND", "MEMBER"}) | {
    "X-ADDRESSBOOKSERVER-KIND",
    "X-ADDRESSBOOKSERVER-MEMBER",
}
_NAME = re.compile(r"(?:([\w-]{1,60})\.)?([A-Za-z0-9-]{1,60})")
_VALUE_AT = re.compile(r'(?:[^":]|"[^"]*")*?:')
_PARAMS = re.compile(r';((?:[^";]|"[^"]*")*)')
_BASE64 = re.compile(r"[A-Za-z0-9+/]{1,100}={0,2}")
_DATA = re.compile(r"data:([\w.+/-]{1,80});base64,", re.IGNORECASE)
_KINDS = {"PHOTO": "image", "LOGO": "image", "SOUND": "audio", "KEY": "application"}
_CONTROLS = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_BARE_ENCODINGS = {"QUOTED-PRINTABLE", "BASE64", "8BIT", "7BIT", "B"}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a card: `value` as it stands there, `params` as "TYPE=home"; `name` in capitals but for "X-…"."""

    name: str
    value: str
    params: tuple[str, ...] = ()
    group: str = ""

    def __str__(self) -> str:
        head = ";".join((f"{self.group}.{self.name}" if self.group else self.name, *self.params))
        return f"{head}:{self.value}"

    @property
    def is_binary(self) -> bool:
        """Whether it holds a file, and not text."""
        return self.name in BINARY and (self.value[:5].lower() == "data:" or bool(self.param("ENCODING")))

    def param(self, name: str) -> str:
        """The first value of a parameter in lower case, or ""."""
        for each in self.params:
            key, _, value = each.partition("=")
            if key.upper() == name:
                return value.strip('"').lower()
        return ""

    def without(self, *names: str) -> Line:
        """Without these parameters."""
        return replace(self, params=tuple(each for each in self.params if each.partition("=")[0].upper() not in names))


def lines(text: str) -> list[Line]:
    """The lines of a card, unfolded, quoted-printable decoded; what is no line is left out.

    Args:
        text: its lines divided by LF.
    """
    found = []
    is_old = False
    for raw in _unfolded(text):
        at = _VALUE_AT.match(raw)
        head = _NAME.match(raw)
        if at is None or head is None:
            continue
        params = tuple(_named(each) for each in _PARAMS.findall(at[0][head.end() : -1]) if each.strip())
        name = head[2] if head[2][:2].upper() == "X-" else head[2].upper()
        line = Line(name, raw[at.end() :].strip(), params, head[1] or "")
        is_old = is_old or (line.name == "VERSION" and line.value == "2.1")
        found.append(_plain(line, is_old=is_old))
    return found


def kept(text: str, name: str) -> str:
    """What of a card is kept as it is, a line each.

    Args:
        name: as the card was read; it stands there as FN, so that one sees whether it was changed since.
    """
    own = [line for line in lines(text) if line.name.upper() not in _OURS | {"FN"} and line.value.strip(" ;")]
    return "\n".join(str(line) for line in (Line("FN", escaped(name)), *own[:MOST_LINES]))


def rewritten(line: Line, version: str) -> Line:
    """A line of any version in one of `version` ("3.0" or "4.0")."""
    if line.name in BINARY:
        return _file_of_3(line) if version == "3.0" else _file_of_4(line)
    if version == "3.0" and line.param("PREF"):
        line = replace(line.without("PREF"), params=(*line.without("PREF").params, "TYPE=PREF"))
    elif version == "4.0" and any(each.upper() == "TYPE=PREF" for each in line.params):
        line = replace(line, params=(*(each for each in line.params if each.upper() != "TYPE=PREF"), "PREF=1"))
    return line


def escaped(value: str) -> str:
    """A text as a value (RFC 6350 §3.4)."""
    value = re.sub(r"([\\,;])", r"\\\1", value)
    return _CONTROLS.sub("", value.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\\n"))


def plain(value: str) -> str:
    """A value as text again, structured ones with commas between their pieces."""
    pieces = [re.sub(r"\\([nN,;:\\])", _unescaped, piece).strip() for piece in re.split(r"(?<!\\);", value)]
    return ", ".join(piece for piece in pieces if piece)


def without_files(card: str) -> str:
    """What was kept of a card without its pictures and sounds."""
    return "\n".join(str(line) for line in lines(card) if not line.is_binary)


def joined(cards: Iterable[str]) -> str:
    """What was kept of several cards of one person: of what a person has once, that of the first that has it."""
    found: dict[str, None] = {}
    seen: set[str] = set()
    for card in cards:
        mine = [line for line in lines(card) if not (line.name in seen and line.name in _ONCE)]
        found.update(dict.fromkeys(map(str, mine)))
        seen.update(line.name for line in mine)
    return "\n".join(found)


_ONCE = BINARY | {"FN", "N", "UID", "BDAY", "ORG", "TITLE", "ROLE", "GENDER", "ANNIVERSARY", "SORT-STRING"}


def _unescaped(match: re.Match[str]) -> str:
    return "\n" if match[1] in "nN" else match[1]


def _unfolded(text: str) -> Iterator[str]:
    """Lines made whole: folded ones, those with a soft break, and base64 that nobody indented."""
    whole: list[str] = []
    is_quoted = is_base64 = False
    for raw in text.split("\n"):
        if whole and is_quoted and whole[-1].endswith("="):
            whole[-1] = whole[-1][:-1]
            whole.append(raw)
            continue
        if whole and raw[:1] in (" ", "\t"):
            whole.append(raw.strip() if is_base64 else raw[1:])
            continue
        if whole and is_base64 and _BASE64.fullmatch(raw):
            whole.append(raw)
            continue
        if whole:
            yield "".join(whole)
        whole = [raw]
        head = raw.partition(":")[0].upper()
        is_quoted = "QUOTED-PRINTABLE" in head
        is_base64 = "BASE64" in head or "ENCODING=B" in head
    if whole:
        yield "".join(whole)


def _named(param: str) -> str:
    """A parameter with its name, which 2.1 leaves out."""
    if "=" in param:
        key, _, value = param.partition("=")
        return f"{key.strip().upper()}={value.strip()}"
    word = param.strip().upper()
    return f"{'ENCODING' if word in _BARE_ENCODINGS else 'TYPE'}={word}"


def _plain(line: Line, *, is_old: bool) -> Line:
    """Without what only says how it was written; a comma of 2.1 divides nothing."""
    if line.param("ENCODING") in ("quoted-printable", "8bit", "7bit"):
        if line.param("ENCODING") == "quoted-printable":
            octets = decode_transfer(line.value.encode("utf-8", "surrogateescape"), "quoted-printable")
            text = decode_text(octets, line.param("CHARSET") or "utf-8").replace("\r\n", "\n").strip()
            line = replace(line, value=text.replace("\r", "\n").replace("\n", "\\n"))
        line = line.without("ENCODING")
    line = line.without("CHARSET")
    if is_old and not line.param("ENCODING"):
        line = replace(line, value=re.sub(r"(?<!\\),", r"\\,", line.value))
    return replace(line, value=_CONTROLS.sub("", line.value))


def _file_of_4(line: Line) -> Line:
    """RFC 6350 §6.2.4: as a data: URI."""
    if not line.param("ENCODING"):
        return line
    type = (
        line.param("MEDIATYPE") or line.param("TYPE") or ("jpeg" if line.name in ("PHOTO", "LOGO") else "octet-stream")
    )
    full = type if "/" in type else f"{_KINDS[line.name]}/{type}"
    value = f"data:{full};base64,{line.value.replace(' ', '')}"
    return replace(line.without("ENCODING", "TYPE", "VALUE", "MEDIATYPE"), value=value)


def _file_of_3(line: Line) -> Line:
    """RFC 2426 §3.1.4: base64 with the name of its encoding."""
    data = _DATA.match(line.value)
    if data is None:
        return (
            replace(line, params=("ENCODING=b", *line.without("ENCODING").params)) if line.param("ENCODING") else line
        )
    kind = data[1].rpartition("/")[2].upper()
    bare = line.without("ENCODING", "TYPE", "VALUE", "MEDIATYPE")
    return replace(bare, value=line.value[data.end() :], params=("ENCODING=b", f"TYPE={kind}", *bare.params))
