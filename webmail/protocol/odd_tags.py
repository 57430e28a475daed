"""Tags that aren't written as tags should be, read as HTML5 §13.2.5 does; reading one costs no more than its length."""

from __future__ import annotations

import html as entities
import re
from itertools import islice

MAX_ATTRIBUTES = 100  # of one tag: nh3 compares each with each
_COMMENT_END = re.compile(r"--!?>")
_ODD_NAME = re.compile(r"[a-zA-Z][^\s/>]*")
_ODD_ATTRIBUTE = re.compile(
    r"""[\s/]*+([^\s/>][^\s/>=]*+)(?:\s*+=\s*+(?:"([^"]*+)"|'([^']*+)'|([^\s"'>][^\s>]*+)))?+"""
)
_ATTRIBUTE_NAME = re.compile(r"[a-zA-Z][\w:.-]*")


def attributes_of(written: str) -> dict[str, str]:
    """The values of attributes as they are written in a tag, by name in lower case; the first of a name counts."""
    values: dict[str, str] = {}
    for found in islice(_ODD_ATTRIBUTE.finditer(written), MAX_ATTRIBUTES):
        values.setdefault(found[1].lower(), entities.unescape(found[2] or found[3] or found[4] or ""))
    return values


def odd_tag(html: str, start: int) -> tuple[str, str, int]:
    """What stands at a "<" that begins no ordinary tag: name (or ""), attributes written anew, end."""
    if html.startswith("<!--", start):
        if html.startswith((">", "->"), start + 4):
            return "", "", html.index(">", start) + 1
        comment = _COMMENT_END.search(html, start + 4)
        return "", "", comment.end() if comment else len(html)
    if not html[start + 1].isalpha():  # "<!doctype", "<?xml", "</3": ends at the next ">"
        end = html.find(">", start)
        return "", "", end + 1 if end >= 0 else len(html)
    name = _ODD_NAME.match(html, start + 1)
    position = name.end() if name else start + 2
    attributes: list[str] = []
    while (found := _ODD_ATTRIBUTE.match(html, position)) is not None:
        position = found.end()
        value = found[2] or found[3] or found[4] or ""
        if _ATTRIBUTE_NAME.fullmatch(found[1]) and len(attributes) < MAX_ATTRIBUTES:
            attributes.append(f' {found[1]}="{_quoted(value)}"')
    end = html.find(">", position)
    if end < 0:  # never closed: HTML5 drops it with all that follows
        return "", "", len(html)
    return (name[0].lower() if name else ""), "".join(attributes), end + 1


def _quoted(value: str) -> str:
    """An attribute's value, its character references kept, for double quotes."""
    return value.replace('"', "&quot;").replace("<", "&lt;").replace(">", "&gt;")
