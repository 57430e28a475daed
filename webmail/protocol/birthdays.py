"""A birthday, with a year or without: "1980-04-01" or "--04-01"; as people type it, and as vCards have it."""

from __future__ import annotations

import re
from datetime import date

from .vcard import Line

_FORMS = (
    re.compile(r"(?P<y>\d{4})-?(?P<m>\d{2})-?(?P<d>\d{2})(?:[T ].*)?"),
    re.compile(r"-{0,2}(?P<m>\d{2})-?(?P<d>\d{2})"),
    re.compile(r"(?P<d>\d{1,2})\. ?(?P<m>\d{1,2})\.(?: ?(?P<y>\d{4}))?"),
)
_NO_YEAR = 1604  # as Apple writes it (X-APPLE-OMIT-YEAR), a leap year


def read(text: str) -> str:
    """The day that is meant, or ""."""
    for form in _FORMS:
        if found := form.fullmatch(text.strip()):
            year = int(found.groupdict().get("y") or _NO_YEAR)
            try:
                day = date(year, int(found["m"]), int(found["d"]))
            except ValueError:
                return ""
            return f"--{day:%m-%d}" if year == _NO_YEAR else day.isoformat()
    return ""


def line(day: str, version: str) -> Line:
    """The line of a vCard (RFC 6350 §6.2.5, RFC 2426 §3.1.5); without a value for "" ."""
    if version == "4.0":
        return Line("BDAY", f"--{day[2:].replace('-', '')}" if day[:2] == "--" else day.replace("-", ""))
    if day[:2] == "--":
        return Line("BDAY", f"{_NO_YEAR}{day[1:]}", (f"X-APPLE-OMIT-YEAR={_NO_YEAR}",))
    return Line("BDAY", day)
