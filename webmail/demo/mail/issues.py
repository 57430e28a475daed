"""What all newsletters of the demo share: taking turns with stories, a plain half, the headers of bulk mail."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from webmail.demo.mail.people import Person

_Item = TypeVar("_Item")


def rotate(items: Sequence[_Item], start: int, count: int) -> list[_Item]:
    """`count` of the items from `start` on, beginning anew at the end."""
    return [items[(start + step) % len(items)] for step in range(count)]


def plain_issue(title: str, site: str, stories: Sequence[tuple[str, str, str]]) -> str:
    """The text half: a title, then each story's name, what it says, and where it is."""
    parts = [title, "=" * len(title), ""]
    for place, (name, blurb, _) in enumerate(stories, start=1):
        parts += [f"* {name}", f"  {blurb}", f"  {site}/{place}", ""]
    return "\n".join([*parts, f"Unsubscribe: {site}/leave"])


def list_headers(sender: Person) -> tuple[tuple[str, str], ...]:
    """What a newsletter sends so that mail programs can tell it and leave it (RFC 2919, 2369, 8058)."""
    return (
        ("List-Id", f"{sender.name} <{sender.email.partition('@')[0]}.{sender.domain}>"),
        ("List-Unsubscribe", f"<https://{sender.domain}/leave?u=7f3a>, <mailto:leave@{sender.domain}>"),
        ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
        ("Precedence", "bulk"),
    )
