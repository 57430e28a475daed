"""Every field of a header block, in order: for the headers page and for what is said about a message on its way."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .words import decode_header

MAX_BLOCK = 256 * 1024  # octets
MAX_FIELDS = 1_000
_FOLD = re.compile(r"\r?\n(?=[ \t])")
_NAME = re.compile(r"[!-9;-~]{1,200}(?=[ \t]*:)")


@dataclass(frozen=True, slots=True)
class Field:
    """One field. `name` as it is spelt; `raw` its value unfolded, as it came; `value` decoded, on one line."""

    name: str
    raw: str

    @property
    def value(self) -> str:
        return decode_header(self.raw)


def fields(header: bytes) -> tuple[Field, ...]:
    """The fields of a header block, at most 1,000. What is no field (RFC 5322 §2.2) is passed over. Never raises.

    Args:
        header: line ends CRLF or LF; more than 256 KiB is ignored.
    """
    text = _FOLD.sub("", header[:MAX_BLOCK].decode("utf-8", "surrogateescape"))
    found: list[Field] = []
    for line in text.split("\n"):
        if line in ("", "\r"):
            if found:
                break
            continue
        name = _NAME.match(line)
        if name is None:
            continue
        found.append(Field(name[0], line[name.end() :].lstrip(" \t")[1:].strip()))
        if len(found) == MAX_FIELDS:
            break
    return tuple(found)
