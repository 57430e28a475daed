"""An iCalendar object (RFC 5545, 5546) as facts for a card: who, what, when. Nothing in it is run, fetched or expanded.

A recurrence is put into words from its rule; no date of it is ever computed, so that "every second, for ever" costs
what "every Monday" costs. Runs in the child of `bounded`.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import icalendar
from icalendar.cal import Component
from icalendar.prop.broken import vBroken

from .charsets import decode_text

MAX_EVENTS = 5
MAX_PEOPLE = 50
_MAX_LINE = 300  # characters of a title, a place, a name
_MAX_DESCRIPTION = 8_000
_MAX_COMPONENTS = 10_000
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]+")
_BEGIN = re.compile(rb"BEGIN:", re.IGNORECASE)
_FOLD = re.compile(rb"\r?\n[ \t]")
_LINE = re.compile(r"[\w-]+[;:]", re.ASCII)

_DAYS = {"MO": "Monday", "TU": "Tuesday", "WE": "Wednesday", "TH": "Thursday", "FR": "Friday", "SA": "Saturday",
         "SU": "Sunday"}  # fmt: skip
_ORDINALS = {1: "first", 2: "second", 3: "third", 4: "fourth", 5: "fifth", -1: "last", -2: "last but one"}
_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
           "November", "December")  # fmt: skip
_UNITS = {"SECONDLY": "second", "MINUTELY": "minute", "HOURLY": "hour", "DAILY": "day", "WEEKLY": "week",
          "MONTHLY": "month", "YEARLY": "year"}  # fmt: skip


def read_calendar(data: bytes) -> dict[str, Any]:
    """The method and the first events of an iCalendar object.

    Raises:
        ValueError: it holds no event that can be read.
    """
    if len(_BEGIN.findall(data)) > _MAX_COMPONENTS:
        raise ValueError("too many components")
    found: list[Component] = []
    method = ""
    for calendar in _calendars(data):
        method = method or _line(calendar.get("METHOD", "")).upper()
        found += [part for part in calendar.walk() if part.name in ("VEVENT", "VTODO", "VJOURNAL")]
    # What changes one date of a series comes after the series.
    found.sort(key=lambda part: "RECURRENCE-ID" in part)
    events = [_event(part) for part in found[:MAX_EVENTS]]
    if not events:
        raise ValueError("no event")
    return {"method": method, "events": events, "more": len(found) - len(events)}


def _calendars(data: bytes) -> list[Component]:
    text = unfolded(data)
    upper = text.upper()
    start, end = upper.find("BEGIN:VCALENDAR"), upper.rfind("END:VCALENDAR")
    text = text[max(start, 0) : end + len("END:VCALENDAR")] if end > start else _closed(text[max(start, 0) :])
    try:
        return list(icalendar.Calendar.from_ical(text, multiple=True))
    except ValueError:
        # One line that is none, and the library gives up all of it.
        lines = [line for line in text.splitlines() if _LINE.match(line)]
        return list(icalendar.Calendar.from_ical("\r\n".join(lines), multiple=True))


def unfolded(data: bytes) -> str:
    """The text with its long lines whole again: some fold them inside a character (RFC 5545 §3.1)."""
    return decode_text(_FOLD.sub(b"", data), "utf-8").lstrip("\ufeff \t\r\n")


def _closed(text: str) -> str:
    """A calendar that was cut off, closed: whole lines, and an end for everything that began."""
    lines = text.splitlines()
    if lines and not text.endswith(("\n", "\r")):
        lines.pop()
    opened: list[str] = []
    for line in lines:
        word, _, name = line.strip().upper().partition(":")
        if word == "BEGIN":
            opened.append(name)
        elif word == "END" and name in opened:
            del opened[opened.index(name) :]
    return "\r\n".join([*lines, *(f"END:{name}" for name in reversed(opened))]) + "\r\n"


def _event(event: Component) -> dict[str, Any]:
    for name in [name for name, value in event.items() if isinstance(value, vBroken) and name != "RRULE"]:
        del event[name]
    start, end = _moment(event, "DTSTART"), _moment(event, "DTEND") or _moment(event, "DUE")
    if start and not end and isinstance(length := _decoded(event, "DURATION"), timedelta):
        end = _later(start, length)
    attendees = _all(event, "ATTENDEE")
    return {
        "kind": {"VTODO": "task", "VJOURNAL": "note"}.get(event.name or "", "event"),
        "uid": _line(event.get("UID", "")),
        "title": _line(event.get("SUMMARY", "")),
        "start": start,
        "end": end,
        "repeats": _repeats(event),
        "one_of_many": "RECURRENCE-ID" in event,
        "place": _line(event.get("LOCATION", "")),
        "status": _line(event.get("STATUS", "")).upper(),
        "sequence": _number(event.get("SEQUENCE", 0)),
        "organiser": _person(event.get("ORGANIZER")),
        "attendees": [person for person in map(_person, attendees[:MAX_PEOPLE]) if person],
        "attendees_more": max(0, len(attendees) - MAX_PEOPLE),
        "description": _text(event.get("DESCRIPTION", ""))[:_MAX_DESCRIPTION],
        "comment": _text(event.get("COMMENT", ""))[:_MAX_DESCRIPTION],
        "url": _line(event.get("URL", "")),
    }


def _moment(event: Component, name: str) -> dict[str, str] | None:
    """A date, or a time with its zone: in UTC where that is known, and as it was written."""
    value = _decoded(event, name)
    if isinstance(value, datetime):
        zone = _line(getattr(event.get(name), "params", {}).get("TZID", ""))
        written = value.replace(tzinfo=None).isoformat(timespec="minutes")
        if value.tzinfo is None:
            return {"written": written, "zone": zone}
        if value.tzinfo is UTC or getattr(value.tzinfo, "key", "") == "UTC":
            zone = "UTC"
        elif isinstance(value.tzinfo, ZoneInfo):
            zone = value.tzinfo.key
        return {"utc": value.astimezone(UTC).isoformat(), "written": written, "zone": zone}
    if isinstance(value, date):
        return {"date": value.isoformat()}
    return None


def _later(start: dict[str, str], length: timedelta) -> dict[str, str] | None:
    try:
        if "date" in start:
            return {"date": (date.fromisoformat(start["date"]) + length).isoformat()}
        end = dict(start, written=(datetime.fromisoformat(start["written"]) + length).isoformat(timespec="minutes"))
        if "utc" in start:
            end["utc"] = (datetime.fromisoformat(start["utc"]) + length).isoformat()
    except OverflowError:
        return None
    return end


def _decoded(event: Component, name: str) -> Any:
    value = event.get(name)
    return getattr(value[0] if isinstance(value, list) and value else value, "dt", None)


def _all(event: Component, name: str) -> list[Any]:
    value = event.get(name, [])
    return value if isinstance(value, list) else [value]


def _person(value: Any) -> dict[str, str] | None:
    if value is None:
        return None
    if isinstance(value, list):
        return _person(value[0]) if value else None
    params = getattr(value, "params", {})
    address = _line(value)
    if address.lower().startswith("mailto:"):
        address = address[7:]
    return {
        "name": _line(params.get("CN", "")).strip('"'),
        "address": address,
        "status": _line(params.get("PARTSTAT", "")).upper(),
        "role": _line(params.get("ROLE", "")).upper(),
        "kind": _line(params.get("CUTYPE", "")).upper(),
    }


def _repeats(event: Component) -> str:
    """The recurrence in words, from its rule alone: "every week on Monday and Wednesday, 10 times"."""
    rules = _all(event, "RRULE")
    words = _rule(rules[0]) if rules else ""
    if len(rules) > 1:
        words += " and more"
    extra = len(_all(event, "RDATE"))
    if extra:
        words = f"{words}, and on other dates" if words else "on several dates"
    return f"{words}, with exceptions" if words and _all(event, "EXDATE") else words


def _rule(rule: Any) -> str:
    every = _UNITS.get(str(_first(rule, "FREQ")).upper(), "") if isinstance(rule, icalendar.vRecur) else ""
    if not every:
        return "at times that can't be put into words"
    interval = _number(_first(rule, "INTERVAL") or 1)
    words = f"every {every}" if interval <= 1 else f"every {interval} {every}s"
    months = [_MONTHS[month - 1] for month in map(_number, rule.get("BYMONTH", [])) if 1 <= month <= 12]
    days = [_day(str(day)) for day in rule.get("BYDAY", [])][:7]
    in_month = [_number(day) for day in rule.get("BYMONTHDAY", [])][:10]
    place = _number(_first(rule, "BYSETPOS") or 0)
    if days and place in _ORDINALS:
        if {str(day) for day in rule.get("BYDAY", [])} == {"MO", "TU", "WE", "TH", "FR"}:
            days = ["weekday"]
        words += f" on the {_ORDINALS[place]} {_listed(days, 'or')}"
    elif days:
        words += f" on {_listed(days)}"
    if in_month:
        words += " on " + _listed(["the last day" if day == -1 else f"day {day}" for day in in_month])
    if months:
        words += f" in {_listed(months)}"
    until, count = _first(rule, "UNTIL"), _number(_first(rule, "COUNT") or 0)
    if isinstance(until, date):
        words += f", until {until.day} {_MONTHS[until.month - 1]} {until.year}"
    elif count > 0:
        words += ", once" if count == 1 else f", {count} times"
    return words


def _day(day: str) -> str:
    """ "-1FR" is the last Friday."""
    name = _DAYS.get(day[-2:].upper(), day[-2:])
    number = _number(day[:-2] or 0)
    if not number:
        return name
    return f"the {_ORDINALS[number]} {name}" if number in _ORDINALS else f"{name} number {number}"


def _listed(words: list[str], last: str = "and") -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}" if words else ""


def _first(rule: Any, name: str) -> Any:
    value = rule.get(name)
    return value[0] if isinstance(value, list) and value else value


def _number(value: Any) -> int:
    try:
        return max(-10_000, min(int(value), 1_000_000))
    except (TypeError, ValueError, OverflowError):
        return 0


def _line(value: Any) -> str:
    """One line of plain text."""
    if isinstance(value, list):
        value = value[0] if value else ""
    return " ".join(_CONTROLS.sub("", str(value)[: 4 * _MAX_LINE]).split())[:_MAX_LINE]


def _text(value: Any) -> str:
    if isinstance(value, list):
        value = value[0] if value else ""
    text = str(value)[: 2 * _MAX_DESCRIPTION].replace("\r\n", "\n").replace("\r", "\n")
    return _CONTROLS.sub("", text).strip()
