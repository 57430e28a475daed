"""Numbers, dates and people in a person's words: what lists and messages print, made once, in Python."""

from __future__ import annotations

import zlib
from datetime import date, datetime, timedelta, tzinfo

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
LONG_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
LONG_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


class Html(str):
    """HTML that `protocol` made safe; templates print it as it is."""

    __slots__ = ()

    def __html__(self) -> str:
        return self


def count(number: int) -> str:
    """With thousands apart: "48,213"."""
    return f"{number:,}"


def messages(number: int, one: str = "1 message") -> str:
    """So many messages: "1 message", "48,213 messages"."""
    return one if number == 1 else f"{count(number)} messages"


def short_count(number: int) -> str:
    """What fits in the sidebar: "" for none, "12", "1.2k"."""
    if number < 1000:
        return str(number) if number else ""
    return f"{number / 1000:.1f}k".replace(".0k", "k") if number < 10_000 else f"{number // 1000}k"


def size(octets: int) -> str:
    """Octets in decimal units: "82 kB"."""
    if octets < 1000:
        return f"{octets} B"
    if octets < 1_000_000:
        return f"{max(1, round(octets / 1000))} kB"
    if octets < 1_000_000_000:
        return f"{octets / 1_000_000:.1f} MB"
    return f"{octets / 1_000_000_000:.1f} GB"


def list_date(when: datetime, today: date) -> str:
    """The date in a list row: "14:02" today, "Tue" this week, "3 Mar" this year, "2023-03-03" before.

    Args:
        when: in the person's zone. today: the person's today.
    """
    day = when.date()
    if day == today:
        return f"{when.hour:02}:{when.minute:02}"
    if timedelta(0) < today - day < timedelta(days=7):
        return DAYS[day.weekday()]
    if day.year == today.year:
        return f"{day.day} {MONTHS[day.month - 1]}"
    return day.isoformat()


def day_heading(day: date, today: date) -> str:
    """The heading over a day's rows: "Today", "Yesterday", "Tuesday 3 March", with the year when it is another."""
    if day == today:
        return "Today"
    if day == today - timedelta(days=1):
        return "Yesterday"
    heading = f"{LONG_DAYS[day.weekday()]} {day.day} {LONG_MONTHS[day.month - 1]}"
    return heading if day.year == today.year else f"{heading} {day.year}"


def long_day(day: date) -> str:
    """The day alone: "Tuesday 3 March 2026"."""
    return f"{LONG_DAYS[day.weekday()]} {day.day} {LONG_MONTHS[day.month - 1]} {day.year}"


def full_date(when: datetime) -> str:
    """All of it: "Tuesday 3 March 2026, 14:02"."""
    return f"{long_day(when)}, {when.hour:02}:{when.minute:02}"


def month(when: datetime) -> str:
    """A month and its year: "March 2019"."""
    return f"{LONG_MONTHS[when.month - 1]} {when.year}"


def ago(when: datetime, now: datetime) -> str:
    """The largest unit alone: "4 s ago", "2 h ago", "3 days ago". A moment to come is "just now"."""
    seconds = int((now - when).total_seconds())
    if seconds < 2:
        return "just now"
    for limit, unit, name in ((60, 1, "s"), (3600, 60, "min"), (86400, 3600, "h")):
        if seconds < limit:
            return f"{seconds // unit} {name} ago"
    days = seconds // 86400
    for limit, unit, name in ((31, 1, "day"), (366, 30, "month"), (10**9, 365, "year")):
        if days < limit:
            number = max(1, days // unit)
            return f"{number} {name}{'s' if number > 1 else ''} ago"
    return ""


def clock(when: datetime, zone: tzinfo) -> str:
    """The time of day in the person's zone: "12:04"."""
    local = when.astimezone(zone)
    return f"{local.hour:02}:{local.minute:02}"


def initial(name: str) -> str:
    """The letter in a person's round mark."""
    return next((letter.upper() for letter in name if letter.isalnum()), "?")[:1]


def hue(address: str) -> int:
    """The colour angle (0–359) of a person's round mark: the same for the same address, everywhere."""
    return zlib.crc32(address.lower().encode()) % 360
