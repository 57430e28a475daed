"""The odd mail of tests/corpus and the facts beside each message; tests/corpus/README.md says what they mean."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

CORPUS = Path(__file__).parent / "corpus"
MAILS = sorted(CORPUS.glob("*.eml"))


@dataclass(frozen=True)
class Facts:
    """What a person is to see of one message. Addresses are [name, address] with "" for what is missing."""

    subject: str
    senders: list[list[str]]
    to: list[list[str]]
    date: datetime | None
    text: list[str]
    page: list[str]
    absent: list[str]
    attachments: list[str]
    messages: list[str]


def facts_of(path: Path) -> Facts:
    """The facts beside a message."""
    found = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    text = found.pop("text")
    facts = Facts(
        subject=found.pop("subject"),
        senders=found.pop("from"),
        to=found.pop("to"),
        date=datetime.fromisoformat(date) if (date := found.pop("date")) else None,
        text=[text] if isinstance(text, str) else text,
        page=found.pop("page", []),
        absent=found.pop("absent", []),
        attachments=found.pop("attachments"),
        messages=found.pop("messages", []),
    )
    assert not found, f"{path.stem}: unknown facts {sorted(found)}"
    return facts
