"""Cards read from parts: invitations, contacts, signatures. Runs in the child of `bounded`, all of a message in one.

What leaves this room is JSON of plain facts, no text of it HTML: whoever prints it escapes it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from .kinds import CALENDAR, CONTACT

SIGNATURE = "signature"
Facts = dict[str, Any]


def question(pieces: Sequence[tuple[str, bytes]]) -> tuple[bytes, str]:
    """The data and the argument that `read_cards` takes: what each piece is, and how long."""
    return b"".join(data for _, data in pieces), json.dumps([[kind, len(data)] for kind, data in pieces])


def read_cards(data: bytes, argument: str) -> bytes:
    """The facts of each piece, as a JSON list; null for one that can't be read."""
    answers: list[Facts | None] = []
    at = 0
    for kind, length in json.loads(argument):
        try:
            answers.append(_reader(kind)(data[at : at + length]))
        except MemoryError:
            raise
        except Exception:
            answers.append(None)
        at += length
    return json.dumps(answers).encode()


def _reader(kind: str) -> Callable[[bytes], Facts]:
    """Each child loads only the libraries it needs."""
    if kind == CALENDAR:
        from .calendar_card import read_calendar  # noqa: PLC0415

        return read_calendar
    if kind == CONTACT:
        from .contact_card import read_contacts  # noqa: PLC0415

        return read_contacts
    from .signature import read_detached  # noqa: PLC0415

    return read_detached
