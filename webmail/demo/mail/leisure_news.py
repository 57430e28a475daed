"""Newsletters for the evening: bread, outdoor gear, a slow radio station.

A warm letter with a drawn picture inside, a shop of the bgcolor age full of remote pictures, a bright gradient.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from webmail.demo.mail import pictures
from webmail.demo.mail.clock import moment
from webmail.demo.mail.designs import Row, fill
from webmail.demo.mail.issues import list_headers, plain_issue, rotate
from webmail.demo.mail.letters import SEEN, UNREAD, DemoMail, File, Letter, receive
from webmail.demo.mail.people import CAST, Person

LOAF = Person("The Weekly Loaf", "crumbs@weeklyloaf.example", zone=0)
FERNWAY = Person("Fernway Outdoor", "news@fernway.example", zone=-5)
RADIO = Person("Slow Radio", "programme@slowradio.example", zone=1)

_LOAVES: tuple[tuple[str, str, str], ...] = (
    ("Bread for beginners", "Flour, water, salt, and the courage to leave it alone for a night.", "72"),
    ("The rye that forgave me", "A dense, dark loaf for people who measure by eye.", "84"),
    ("What the crust tells you", "Colour, crackle, blisters: how to read a loaf from outside.", "75"),
    ("Sunday rolls before nine", "Shape them in the evening, bake them in your slippers.", "68"),
    ("An honest focaccia", "Too much oil is nearly enough. Bring both hands.", "80"),
    ("Old dough, new bread", "Keep a fist of today's dough. Tomorrow will thank you.", "70"),
    ("Seeds, soaked", "Why your seeded loaf is dry, and the cup of water that cures it.", "78"),
)
_GEAR: tuple[tuple[str, str, str], ...] = (
    ("Skerry rain jacket", "Three layers, two pockets you can find in the dark.", "129"),
    ("Tarn boots, mid", "For the long path and for the wet half of the short one.", "148"),
    ("Lantern Four", "Forty hours on low. Folds as flat as a sandwich.", "39"),
    ("Packframe 48", "Carries like 35, holds like 60.", "164"),
    ("Merino neck tube", "One size, all weathers, eleven uses.", "24"),
    ("Two-person tarp", "Six corners, no opinions.", "89"),
    ("Camp kettle", "Whistles in a major key.", "32"),
    ("Wool socks, 3 pairs", "They come back from the wash as three pairs.", "27"),
)
_OFFERS = (
    "Two days only: 20 % off rain",
    "The autumn list is here",
    "Boots that outlive trends",
    "Free mending, all of this month",
    "Left over, marked down",
)
_PROGRAMMES: tuple[tuple[str, str, str], ...] = (
    ("A lighthouse, all night", "Eight hours of foghorn, wind and somebody making tea.", "8 h"),
    ("The 05:12 from Weymere", "A regional train, its stops, and the man who knows all the sheep.", "54 min"),
    ("Rain on five roofs", "Slate, tin, reed, glass, tarpaulin.", "1 h 40"),
    ("The organ tuner", "One note, then the next one. Surprisingly gripping.", "37 min"),
    ("Harbour at low water", "Mud speaks. Recorded with four microphones and good boots.", "2 h"),
    ("Letters nobody sent", "Read by people who didn't write them.", "46 min"),
)


def messages(now: datetime) -> Iterator[DemoMail]:
    """All issues, the newest still in INBOX."""
    for number, when in enumerate(
        ("4h7m", "7d 08:40", "14d 08:40", "21d 08:40", "28d 08:40", "35d 08:40", "42d 08:40")
    ):
        flags = UNREAD if number == 0 else ("\\Seen", "\\Flagged") if number == 3 else SEEN
        yield from receive(_loaf(number, moment(now, when)), _kept(number, bob=number < 2), flags)
    for number, when in enumerate(("9h41m", "8d 15:00", "19d 15:00", "34d 15:00", "50d 15:00")):
        yield from receive(
            _fernway(number, moment(now, when)), _kept(number, bob=number < 2), UNREAD if number == 0 else SEEN
        )
    for number, when in enumerate(("4d 19:00", "18d 19:00", "32d 19:00", "46d 19:00")):
        yield from receive(_radio(number, moment(now, when)), _kept(number, bob=number == 0))


def _kept(number: int, *, bob: bool) -> dict[str, str]:
    """Where an issue lies: the newest in INBOX, older ones filed; Bob files nothing."""
    return {"alice": "Newsletters" if number else "INBOX"} | ({"bob": "INBOX"} if bob else {})


def _loaf(number: int, date: datetime) -> Letter:
    issue = 141 - number
    title, lead, water = _LOAVES[number % len(_LOAVES)]
    more = rotate(_LOAVES, number + 1, 2)
    recipe = (
        ("Strong flour", "500 g"),
        ("Water, lukewarm", f"{int(water) * 5} g"),
        ("Salt", "10 g"),
        ("Yeast, a pinch", "2 g"),
        ("Patience", "14 h"),
    )
    html = fill(
        "loaf",
        {
            "ingredient": [{"name": name, "amount": amount} for name, amount in recipe],
            "story": [
                {"name": name, "text": text, "place": place} for place, (name, text, _) in enumerate(more, start=2)
            ],
        },
        issue=issue,
        title=title,
        lead=lead,
    )
    picture = File("loaf.png", "image/png", pictures.loaf(600, 260), "loaf@weeklyloaf.example")
    return Letter(
        key=f"loaf/{issue}",
        sender=LOAF,
        to=[CAST["alice"]],
        subject=title,
        date=date,
        text=plain_issue(f"The Weekly Loaf, no. {issue}", "https://weeklyloaf.example", rotate(_LOAVES, number, 3)),
        html=html,
        files=[picture],
        headers=list_headers(LOAF),
    )


def _fernway(number: int, date: datetime) -> Letter:
    goods = rotate(_GEAR, number * 4, 4)
    rows = [_shelf(number * 10 + place, goods[place], goods[place + 1]) for place in (0, 2)]
    offer = _OFFERS[number]
    html = fill("fernway", {"row": rows}, issue=number, offer=offer)
    return Letter(
        key=f"fernway/{number}",
        sender=FERNWAY,
        to=[CAST["alice"]],
        subject=offer,
        date=date,
        text="",
        html=html,
        files=[File("leaf.png", "image/png", pictures.badge(88, "#2d6a4f", "#d8f3dc", "leaf"), "leaf")],
        headers=list_headers(FERNWAY),
    )


def _shelf(place: int, left: tuple[str, str, str], right: tuple[str, str, str]) -> Row:
    """Two goods side by side."""
    one = {"left": left[0], "left_text": left[1], "left_price": left[2], "left_place": place}
    other = {"right": right[0], "right_text": right[1], "right_price": right[2], "right_place": place + 1}
    return {**one, **other}


def _radio(number: int, date: datetime) -> Letter:
    shows = rotate(_PROGRAMMES, number * 2, 3)
    cards = [
        {"name": name, "text": text, "length": length, "place": place, "heard": 18 + place * 21}
        for place, (name, text, length) in enumerate(shows, start=1)
    ]
    return Letter(
        key=f"radio/{number}",
        sender=RADIO,
        to=[CAST["alice"]],
        subject=f"📻 This fortnight: {shows[0][0].lower()}",
        date=date,
        text=plain_issue("SLOW RADIO", "https://slowradio.example", shows),
        html=fill("radio", {"show": cards}, title=shows[0][0]),
        headers=list_headers(RADIO),
    )
