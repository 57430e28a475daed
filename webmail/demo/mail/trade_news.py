"""Newsletters of the trade: a maritime architecture monthly, a digest for people who make screens, a tracker's report.

Three schools of mail design: a navy print magazine, a dark terminal, a light dashboard drawn with table cells.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from webmail.demo.mail import pictures
from webmail.demo.mail.clock import moment
from webmail.demo.mail.designs import Row, fill
from webmail.demo.mail.issues import list_headers, plain_issue, rotate
from webmail.demo.mail.letters import SEEN, UNREAD, DemoMail, File, Letter, receive
from webmail.demo.mail.people import CAST, Person

HULL = Person("Harbour & Hull", "monthly@harbourandhull.example", zone=1)
KILN = Person("Pixel Kiln", "hello@pixelkiln.example", zone=-8)
PATCHBOARD = Person("Patchboard", "reports@patchboard.example", zone=0)

_HULL_STORIES: tuple[tuple[str, str, str], ...] = (
    ("A quay that bends", "In Ostermouth the new quay wall gives way by eleven centimetres on purpose.", "STRUCTURE"),
    ("Who owns the wind?", "Two towers, one marina, and a court that had to learn how sails work.", "LAW"),
    ("The ladder question", "Why every harbour has the wrong number of ladders, and how to count them.", "DETAIL"),
    ("Salt, patience, lime", "A mortar from 1860 outlives its third replacement. We asked it how.", "MATERIAL"),
    ("Night shift on the lock", "Twelve hours with the three people who let the river in.", "REPORTAGE"),
    ("Small cranes, big rooms", "What happens to a warehouse when the crane stays inside.", "REUSE"),
    ("Floating is a verb", "Nine houseboats and the one knot that holds them together.", "HOUSING"),
    ("The colour of buoys", "Red, green, and the painter who can tell nineteen kinds of each.", "COLOUR"),
    ("Drawing water", "Six studios show how they draw what won't hold still.", "PRACTICE"),
)
_KILN_LINKS: tuple[tuple[str, str, str], ...] = (
    ("The grid that learned to breathe", "Container queries in a real newsroom: what broke, what stayed.", "css"),
    ("Focus rings are a feature", "A tour of forty products by keyboard alone. Nine passed.", "a11y"),
    ("One font file, 380 weights", "How a type foundry ships a variable family under 60 kB.", "type"),
    ("Your skeleton screens are lying", "They promise four lines and deliver two. Measured, with charts.", "perf"),
    ("Dates are hard, again", "A country moved its weekend. Here is what stopped working.", "i18n"),
    ("Colour without guessing", "Designing a palette in oklch, from one accent to a dark mode.", "colour"),
    ("The last carousel", "A museum removed its carousel and visits went up by a third.", "ux"),
    ("Scroll anchoring, explained slowly", "Why the page jumps, and the one line that stops it.", "css"),
)


def messages(now: datetime) -> Iterator[DemoMail]:
    """All issues, the newest still in INBOX."""
    for number, when in enumerate(("1d 07:00", "31d 07:00", "61d 07:00", "92d 07:00", "122d 07:00", "153d 07:00")):
        letter = _hull(212 - number, number, moment(now, when))
        yield from receive(letter, {"alice": "INBOX" if number == 0 else "Newsletters"}, SEEN if number else UNREAD)
    for number, when in enumerate(("3d 17:30", "10d 17:30", "17d 17:30", "24d 17:30", "31d 17:30")):
        where = "INBOX" if number == 0 else "Newsletters"
        yield from receive(_kiln(388 - number, number, moment(now, when)), {"alice": where, "bob": "INBOX"})
    for number, when in enumerate(("2d 06:00", "9d 06:00", "16d 06:00", "23d 06:00")):
        letter = _patchboard(number, moment(now, when))
        yield from receive(letter, {"alice": "Newsletters", "bob": "Archive"})


def _hull(issue: int, number: int, date: datetime) -> Letter:
    lead, second, third = rotate(_HULL_STORIES, number * 3, 3)
    html = fill(
        "hull",
        {"column": _stories((second, third), start=2)},
        issue=issue,
        month=f"{date:%B %Y}",
        title=lead[0],
        blurb=lead[1],
        kicker=lead[2],
    )
    return Letter(
        key=f"hull/{issue}",
        sender=HULL,
        to=[CAST["alice"]],
        subject=f"Harbour & Hull {issue}: {lead[0]}",
        date=date,
        text=plain_issue(f"HARBOUR & HULL {issue}", "https://harbourandhull.example", (lead, second, third)),
        html=html,
        files=[
            File("mark.png", "image/png", pictures.badge(80, "#0b3954", "#9cc5d8", "waves"), "mark"),
            File("cover.png", "image/png", pictures.harbour(600, 250, dusk=issue % 2 == 0, seed=issue), "cover"),
            File("figure.png", "image/png", _berths(number), "figure"),
        ],
        headers=list_headers(HULL),
    )


def _stories(stories: Sequence[tuple[str, str, str]], start: int) -> list[Row]:
    return [
        {"story": title, "text": blurb, "tag": tag, "place": place}
        for place, (title, blurb, tag) in enumerate(stories, start=start)
    ]


def _berths(number: int) -> bytes:
    legal = (3, 3.4, 3.9, 4.2, 5.1, 5.6, 6.4, 7.1 + number * 0.2)
    other = (1, 1.4, 1.3, 2.2, 2.9, 2.7, 3.6, 4.4 - number * 0.2)
    return pictures.line_chart((legal, other), 544, 180, ("#0b6e99", "#e07a5f"))


def _kiln(issue: int, number: int, date: datetime) -> Letter:
    links = rotate(_KILN_LINKS, number * 3, 4)
    rows = [
        {"title": title, "text": text, "tag": tag, "place": place}
        for place, (title, text, tag) in enumerate(links, start=1)
    ]
    html = fill("kiln", {"link": rows}, issue=issue)
    return Letter(
        key=f"kiln/{issue}",
        sender=KILN,
        to=[CAST["alice"]],
        subject=f"#{issue} · {links[0][0]}",
        date=date,
        text=plain_issue(f"pixel_kiln #{issue}", "https://pixelkiln.example", links),
        html=html,
        headers=list_headers(KILN),
    )


def _patchboard(number: int, date: datetime) -> Letter:
    opened = rotate([12, 7, 15, 9, 11, 4, 3, 14, 6, 10, 8], number * 2, 7)
    closed = rotate([9, 11, 8, 13, 10, 2, 5, 12, 7, 9, 14], number * 3, 7)
    figures = (("Opened", sum(opened)), ("Closed", sum(closed)), ("Median age", f"{4 + number} d"))
    html = fill(
        "patchboard",
        {
            "tile": [{"label": label, "value": value} for label, value in figures],
            "day": [{"opened": 9 * new, "closed": 9 * done} for new, done in zip(opened, closed, strict=True)],
            "name": [{"day": day} for day in ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")],
        },
        date=f"{date:%d %B %Y}",
    )
    return Letter(
        key=f"patchboard/{number}",
        sender=PATCHBOARD,
        to=[CAST["alice"], CAST["bob"]],
        subject=f"Your week: {sum(opened)} opened, {sum(closed)} closed",
        date=date,
        text="",
        html=html,
        headers=list_headers(PATCHBOARD),
    )
