"""News of the town: the ferry line, the school, the library.

A sober service notice with a timetable, a bulletin typed in 1999's HTML, a letter that is plain text on purpose.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from webmail.demo.mail import pictures
from webmail.demo.mail.clock import moment
from webmail.demo.mail.designs import Row, fill
from webmail.demo.mail.issues import list_headers, rotate
from webmail.demo.mail.letters import SEEN, UNREAD, DemoMail, File, Letter, receive
from webmail.demo.mail.people import CAST, Person

FERRY = Person("Blue Anchor Ferries", "service@blueanchor.example")
SCHOOL = Person("Larkfield School", "office@larkfield-school.example")
LIBRARY = Person("Harbour Library", "desk@harbourlibrary.example")

_NOTICES: tuple[tuple[str, str], ...] = (
    ("New timetable from next month", "Every twenty minutes between 06:40 and 19:00, and a later last boat."),
    ("Line 2: pontoon works at Ropewalk", "Six mornings with a first boat at 06:40 instead of 06:10."),
    ("Strong wind: line 4 stays in", "The skipper has looked at it twice. We'll look again at noon."),
    ("Bicycles travel free in the evening", "After 19:00, as many as fit. The cargo bike counts as a cow."),
)
_SCHOOL_NEWS: tuple[tuple[str, str], ...] = (
    ("Lantern evening", "We meet at six in the yard. Please bring real candles only if you're a real grown-up."),
    ("Lost property", "Eleven gloves, one tooth in a matchbox, a trombone."),
    ("New in the kitchen", "Mr Adeyemi now cooks on Tuesdays. There was applause."),
    ("Swimming", "3a and 3b swim on Thursday. Towels have names, please write them on."),
    ("Reading week", "Every grandparent who can read a story is welcome. Voices encouraged."),
)


def messages(now: datetime) -> Iterator[DemoMail]:
    """Notices, bulletins and overdue books."""
    for number, when in enumerate(("1d 06:30", "15d 06:30", "29d 06:30", "66d 06:30")):
        where = {"alice": "Newsletters" if number else "INBOX", "bob": "INBOX"}
        yield from receive(_ferry(number, moment(now, when)), where)
    for number, when in enumerate(("3d 12:00", "33d 12:00", "64d 12:00")):
        where = {"alice": "Newsletters" if number else "INBOX"}
        yield from receive(_school(number, moment(now, when)), where, SEEN if number else UNREAD)
    for number, when in enumerate(("6d 10:00", "37d 10:00")):
        yield from receive(_library(number, moment(now, when)), {"alice": "INBOX"})


def _ferry(number: int, date: datetime) -> Letter:
    title, lead = _NOTICES[number]
    return Letter(
        key=f"ferry/{number}",
        sender=FERRY,
        to=[CAST["alice"]],
        subject=title,
        date=date,
        text=f"{title}\n\n{lead}\n\nThe whole timetable: https://blueanchor.example/timetable",
        html=fill("ferry", {"stop": _timetable()}, title=title, lead=lead),
        files=[File("anchor.png", "image/png", pictures.badge(96, "#005f9e", "#ffffff", "waves"), "anchor")],
        headers=list_headers(FERRY),
    )


def _timetable() -> list[Row]:
    stops = ("Old Ropewalk", "Customs House", "North Mole", "Weymere Ferry House")
    return [
        {
            "name": stop,
            "shade": "#f2f7fb" if place % 2 else "#ffffff",
            "first": f"06:{40 + place * 4}",
            "second": f"07:{place * 4:02d}",
            "third": f"07:{20 + place * 4}",
            "last": f"19:{place * 4:02d}",
        }
        for place, stop in enumerate(stops)
    ]


def _school(number: int, date: datetime) -> Letter:
    news = rotate(_SCHOOL_NEWS, number * 2, 3)
    items = [{"name": name, "text": text} for name, text in news]
    return Letter(
        key=f"school/{number}",
        sender=SCHOOL,
        to=[Person("Parents and godparents", "all@larkfield-school.example")],
        subject=f"Larkfield Bulletin no. {34 - number}: {news[0][0]}, {news[1][0].lower()}",
        date=date,
        text="\n\n".join(f"* {name}\n  {text}" for name, text in news),
        html=fill("school", {"item": items}, issue=34 - number, date=f"{date:%d %B %Y}"),
        headers=list_headers(SCHOOL),
    )


def _library(number: int, date: datetime) -> Letter:
    books = (("The Knot Book, 14th ed.", "Tide Mills of the North Coast"), ("A Field Guide to Cranes (Machines)",))[
        number
    ]
    listed = "\n".join(f"   {place}. {book}" for place, book in enumerate(books, start=1))
    return Letter(
        key=f"library/{number}",
        sender=LIBRARY,
        to=[CAST["alice"]],
        subject="A gentle word about your books",
        date=date,
        text=f"Dear Alice Tideman,\n\nthe following would like to come home:\n\n{listed}\n\n"
        "You may renew them once at <https://harbourlibrary.example/renew> or by looking sorry at the desk.\n"
        "There are no fines. There is only Mr Okafor's face.\n\nThe Harbour Library",
    )
