"""When people usually want something sent that they don't want sent now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from webmail.store import words

MORNING = 8  # o'clock
EVENING = 18


@dataclass(frozen=True, slots=True)
class Preset:
    """One choice. `value` as a field of a form holds it, in the person's own zone; `detail` says it in full."""

    value: str
    label: str
    detail: str


def presets(now: datetime) -> tuple[Preset, ...]:
    """This evening, tomorrow morning, Monday morning: those that are still to come and differ.

    Args:
        now: in the person's zone.
    """
    tomorrow = _at(now + timedelta(days=1), MORNING)
    monday = _at(now + timedelta(days=7 - now.weekday()), MORNING)
    wanted = {_at(now, EVENING): "This evening", tomorrow: "Tomorrow morning"}
    wanted.setdefault(monday, "Monday morning")
    soon = now + timedelta(minutes=30)
    return tuple(_preset(when, label) for when, label in wanted.items() if when > soon)


def _at(day: datetime, hour: int) -> datetime:
    return day.replace(hour=hour, minute=0, second=0, microsecond=0)


def _preset(when: datetime, label: str) -> Preset:
    day = words.LONG_DAYS[when.weekday()]
    return Preset(when.replace(tzinfo=None).isoformat(timespec="minutes"), label, f"{day} {when.hour}:{when.minute:02}")
