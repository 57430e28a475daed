"""HTML designs of mail, kept as HTML in `designs/` so that they can be opened in a browser and read as what they are.

In a design "$name" stands for a value, and what is between "<!-- each name -->" and "<!-- end -->" is repeated for
every entry of that list.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from html import escape
from pathlib import Path
from string import Template

_DESIGNS = Path(__file__).with_name("designs")
_EACH = re.compile(r"<!-- each (\w+) -->\n?(.*?)<!-- end -->\n?", re.DOTALL)

Row = Mapping[str, object]


def fill(design: str, lists: Mapping[str, Iterable[Row]] | None = None, **values: object) -> str:
    """The design with its lists repeated and its values put in, escaped.

    Args:
        design: the file's name without ".html".
        lists: for each repeated piece the values of its rows.
        values: what the rest of the design asks for.

    Raises:
        KeyError: the design wants something it wasn't given.
    """
    rows = lists or {}

    pieces = _EACH.split(_read(design))
    out = [_put(pieces[0], values)]
    for name, piece, between in zip(pieces[1::3], pieces[2::3], pieces[3::3], strict=True):
        out += [_put(piece, {**values, **row}) for row in rows[name]]
        out.append(_put(between, values))
    return "".join(out)


@cache
def _read(design: str) -> str:
    return (_DESIGNS / f"{design}.html").read_text("utf-8")


def _put(text: str, values: Row) -> str:
    return Template(text).substitute({name: escape(str(value)) for name, value in values.items()})
