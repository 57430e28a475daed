"""The BODYSTRUCTUREs that nearly all mail has, read several times as fast as `bodystructure` can.

Strings without backslashes, parameters without parentheses, no message within the message: then a whole
leaf is one match of a pattern, and what it says apart from its size is remembered. Anything else is None,
and `bodystructure` reads it. Both give the same tree; the tests compare them.
"""

from __future__ import annotations

import re
from functools import lru_cache

from .bodystructure import MAX_DEPTH, MAX_PARTS, read_structure
from .tokens import tokenize
from .types import Part

_LONGEST = 4_000  # octets; what is longer isn't common, and must not fill the memory of what was read

_STRING = rb'"[^"\\]*"'
_VALUE = rb'(?:NIL|"[^"\\]*")'
_PARAMS = rb'(?:NIL|\((?:"[^"\\]*" "[^"\\()]*" ?)+\))'
_DISPOSITION = rb"(?:NIL|\(" + _STRING + rb" " + _PARAMS + rb"\))"

# Group 1 is all before the size, group 2 the size, group 3 all after it.
_LEAF = re.compile(
    rb'(\((?!"(?i:message)")' + _STRING + rb" " + _STRING + rb" " + _PARAMS + rb" " + _VALUE + rb" " + _VALUE
    + rb" " + _STRING + rb" )(\d{1,18})((?: \d{1,18})? " + _VALUE + rb" " + _DISPOSITION
    + rb" " + _VALUE + rb" " + _VALUE + rb"\))"
)  # fmt: skip
_END = re.compile(rb' "([A-Za-z-]{1,40})" (?:NIL|\("(?i:boundary)" "[^"\\()]*"\)) NIL NIL NIL\)')

Described = tuple[str, str, str, str, str, str, tuple[tuple[str, str], ...]]


def read_common(text: bytes) -> Part | None:
    """The tree of a BODYSTRUCTURE, or None where it isn't a common one.

    Args:
        text: from its first parenthesis to its last.
    """
    if len(text) > _LONGEST:
        return None
    leaf = _LEAF.fullmatch(text)
    if leaf is not None:
        return _leaf("1", leaf)
    open_: list[tuple[str, list[Part]]] = []  # section and children of each multipart that isn't closed yet
    at = parts = 0
    while parts < MAX_PARTS and len(open_) < MAX_DEPTH:
        section, children = open_[-1] if open_ else ("", [])
        if open_ and (match := _LEAF.match(text, at)):
            children.append(_leaf(_below(section, children), match))
            at = match.end()
        elif children and (match := _END.match(text, at)):
            open_.pop()
            whole = Part(section, f"multipart/{match[1].decode().lower()}", children=tuple(children))
            at = match.end()
            if not open_:
                return whole if at == len(text) else None
            open_[-1][1].append(whole)
        elif text[at : at + 1] == b"(":
            open_.append((_below(section, children) if open_ else "", []))
            at += 1
        else:
            return None
        parts += 1
    return None


def _below(section: str, children: list[Part]) -> str:
    number = len(children) + 1
    return f"{section}.{number}" if section else str(number)


def _leaf(section: str, match: re.Match[bytes]) -> Part:
    kind, encoding, charset, disposition, filename, content_id, params = _describe(match[1], match[3])
    return Part(section, kind, encoding, int(match[2]), charset, disposition, filename, content_id, params)


@lru_cache(maxsize=4096)
def _describe(before: bytes, after: bytes) -> Described:
    """All that a leaf says apart from its size; read by `bodystructure`, so that there is one truth."""
    tokens = tokenize([before + b"0" + after])
    part = read_structure(tokens, 0, len(tokens))
    assert part is not None  # the pattern matched, so there is a list
    return part.type, part.encoding, part.charset, part.disposition, part.filename, part.content_id, part.params
