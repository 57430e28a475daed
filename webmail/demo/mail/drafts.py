"""What Alice and Bob have begun to write and not sent."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from webmail.demo.mail.clock import moment
from webmail.demo.mail.letters import DemoMail, Letter, deliver, message_id
from webmail.demo.mail.people import CAST, Person

_DRAFT = ("\\Seen", "\\Draft")


def messages(now: datetime) -> Iterator[DemoMail]:
    """Four drafts: an answer, a letter without an addressee, a list, a try at German."""
    alice, bob = CAST["alice"], CAST["bob"]
    yield deliver(
        Letter(
            key="draft/flat",
            sender=alice,
            to=[CAST["oskar"]],
            subject="Re: Flat at Sailmakers' Row 12, third floor",
            date=moment(now, "30m"),
            text="Dear Mr Fjell,\n\nyes! I can bring the three forms tomorrow. About the lease: in paragraph 4\n"
            "the tenant may move walls only by day. Could we add",
            references=tuple(message_id(f"flat-viewing/{turn}", "keysandco.example") for turn in (1, 3, 5)),
        ),
        "alice",
        "Drafts",
        _DRAFT,
    )
    yield deliver(
        Letter(
            key="draft/speech",
            sender=alice,
            to=[],
            subject="Speech for Dad's 70th",
            date=moment(now, "1d 23:15"),
            text="When I was five you took me to the pier and I told you that it was in the wrong place.\n\n"
            "You asked where it should be. That is the whole speech, really.",
        ),
        "alice",
        "Drafts",
        _DRAFT,
    )
    yield deliver(
        Letter(
            key="draft/pack",
            sender=alice,
            to=[alice],
            subject="",
            date=moment(now, "6d 22:02"),
            text="- boots (Bob's)\n- line laser (ask Yusuf)\n- forms x 3\n- brass lamps, the spare two\n- cake tin",
        ),
        "alice",
        "Drafts",
        _DRAFT,
    )
    yield deliver(
        Letter(
            key="draft/angry",
            sender=bob,
            to=[Person("Plotter support", "help@bigplot.example")],
            subject="Sheet A-107",
            date=moment(now, "1h51m"),
            text="Dear support,\n\nyour device has eaten a staircase.",
        ),
        "bob",
        "Drafts",
        _DRAFT,
    )
