"""A field of recipients as the page shows it: a chip for each person, one with a sentence for what is no address."""

from __future__ import annotations

from collections.abc import Iterable

from webmail.protocol.recipients import field_text, read
from webmail.protocol.types import Address

MOST = 1_000  # pieces that are looked at

Chip = dict[str, str]


def chips(text: str) -> list[Chip]:
    """The chips of a field's text: `text` as it stands in the field, `label` as it is shown, `detail` the address, and
    `sentence`, which is "" unless it can't be written to."""
    typed = read(text)
    return [
        *(_person(each) for each in typed.addresses),
        *({"text": each.text, "label": each.text, "detail": "", "sentence": each.sentence} for each in typed.problems),
    ]


def chips_of_each(pieces: Iterable[str]) -> list[list[Chip]]:
    """Likewise of each of several texts; beyond the first thousand they are left as they are."""
    return [chips(piece) for piece in list(pieces)[:MOST]]


def _person(person: Address) -> Chip:
    shown = field_text([Address("", person.address)])
    return {"text": field_text([person]), "label": person.name or shown, "detail": shown, "sentence": ""}
