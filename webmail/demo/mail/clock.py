"""When things happen in the demo: always some time before "now", so that an inbox looks alive on any day."""

from __future__ import annotations

import re
from datetime import datetime, time, timedelta

_SPEC = re.compile(r"(?:(\d+)([dw]) )?(\d\d):(\d\d)|((?:\d+[mh])+)")
_SPAN = re.compile(r"(\d+)([mhd])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def moment(now: datetime, spec: str) -> datetime:
    """The moment `spec` names, looking back from `now` (aware).

    "25m" and "3h12m" ago; "4d 09:30" is half past nine four days ago; "4w 09:30" the same four *working* days ago.
    Raises ValueError when the words mean nothing or the moment hasn't come yet.
    """
    match = _SPEC.fullmatch(spec)
    if match is None:
        raise ValueError(f"not a moment: {spec!r}")
    count, kind, hour, minute, length = match.groups()
    if length is not None:
        return now - span(length)
    day = now.date()
    for _ in range(int(count or 0)):
        day -= timedelta(days=1)
        while kind == "w" and day.weekday() >= 5:
            day -= timedelta(days=1)
    found = datetime.combine(day, time(int(hour), int(minute)), tzinfo=now.tzinfo)
    if found > now:
        raise ValueError(f"{spec!r} is still to come")
    return found


def span(words: str) -> timedelta:
    """A length of time such as "2h30m" or "1d".  Raises ValueError for anything else."""
    if _SPAN.sub("", words):
        raise ValueError(f"not a span of time: {words!r}")
    return sum((timedelta(**{_UNITS[unit]: int(count)}) for count, unit in _SPAN.findall(words)), timedelta())


def upcoming(now: datetime, days: int, hour: int, minute: int = 0) -> datetime:
    """A working day at least `days` ahead, at that hour: for invitations."""
    day = now.date() + timedelta(days=days)
    while day.weekday() >= 5:
        day += timedelta(days=1)
    return datetime.combine(day, time(hour, minute), tzinfo=now.tzinfo)
