"""What shops, the power company and the ferry send: receipts, parcels on their way, tickets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from webmail.demo.mail import pictures
from webmail.demo.mail.clock import moment, upcoming
from webmail.demo.mail.designs import fill
from webmail.demo.mail.documents import pdf
from webmail.demo.mail.letters import SEEN, UNREAD, DemoMail, File, Letter, receive
from webmail.demo.mail.people import CAST, Person

KETTLE = Person("Kettle & Co", "orders@kettleandco.example", zone=-5)
NIMBUS = Person("Nimbus Storage", "billing@nimbus.example", zone=0)
RAIL = Person("Coast Rail", "tickets@coastrail.example")


@dataclass(frozen=True, slots=True)
class _Shop:
    """Who sends receipts of the common design, and in what colours."""

    person: Person
    ground: str
    ink: str
    mark: str
    accent: str


_POWER = _Shop(Person("Brightgrid Energy", "bills@brightgrid.example"), "#111827", "#facc15", "bolt", "#111827")
_PASS = _Shop(Person("Blue Anchor Ferries", "tickets@blueanchor.example"), "#005f9e", "#ffffff", "waves", "#005f9e")
_PRINT = _Shop(Person("Papermill Print", "shop@papermill.example"), "#fdf2f8", "#be185d", "rings", "#be185d")
_LATER = {"bar": "#fde3cf", "ink": "#8a6d58"}
_KWH = (182, 175, 164, 149, 121, 98, 92, 104, 127, 158, 171, 190)


def messages(now: datetime) -> Iterator[DemoMail]:
    """The newest of each in INBOX, the others filed under Receipts."""
    for number in range(7):
        letter = _power(number, moment(now, f"{4 + number * 30}d 05:12"))
        yield from receive(letter, {"alice": "Receipts" if number else "INBOX"})
    for number in range(5):
        letter = _pass(number, moment(now, f"{2 + number * 30}d 00:05"))
        yield from receive(letter, {"alice": "Receipts", "bob": "Archive"})
    for number, when in enumerate(("9d 13:21", "57d 10:40", "131d 16:02")):
        letter = _print(number, moment(now, when))
        yield from receive(letter, {"alice": "Receipts"} | ({"bob": "INBOX"} if number == 0 else {}))
    for number, when in enumerate(("4d 21:03", "3d 11:30", "6h29m")):
        yield from receive(
            _parcel("K-20417", number, moment(now, when)), {"alice": "INBOX"}, SEEN if number < 2 else UNREAD
        )
    for number, when in enumerate(("203d 19:44", "202d 09:10", "200d 14:25")):
        yield from receive(_parcel("K-11862", number, moment(now, when)), {"alice": "Receipts"})
    for number in range(3):
        letter = _storage(number, moment(now, f"{22 + number * 365}d 03:00"))
        yield from receive(letter, {"alice": "Receipts", "bob": "INBOX"} if number == 0 else {"alice": "Receipts"})
    yield from receive(_ticket(now), {"alice": "INBOX"}, ("\\Seen", "\\Flagged"))


def _receipt(
    shop: _Shop,
    key: str,
    date: datetime,
    *,
    subject: str,
    number: str,
    label: str,
    lines: Sequence[tuple[str, float]],
    note: str,
    files: Sequence[File] = (),
    chart: str = "",
) -> Letter:
    """A receipt of the common design; `chart` is the caption of the picture "chart" among the files."""
    total = f"{sum(price for _, price in lines):.2f}"
    html = fill(
        "receipt",
        {
            "line": [{"what": what, "price": f"{price:.2f}"} for what, price in lines],
            "chart": [{"caption": chart}] if chart else [],
        },
        shop=shop.person.name,
        accent=shop.accent,
        number=number,
        label=label,
        total=total,
        date=f"{date:%d %B %Y}",
        note=note,
    )
    listed = "\n".join(f"{what:<40}{price:>10.2f}" for what, price in lines)
    mark = pictures.badge(88, shop.ground, shop.ink, shop.mark)
    return Letter(
        key=key,
        sender=shop.person,
        to=[CAST["alice"]],
        subject=subject,
        date=date,
        text=f"{shop.person.name}  {number}\n\n{label}\n\n{listed}\n{'Total':<40}{total:>10}\n\n{note}",
        html=html,
        files=(File("mark.png", "image/png", mark, "mark"), *files),
    )


def _power(number: int, date: datetime) -> Letter:
    used = [_KWH[(date.month - 2 - back) % 12] for back in range(7, -1, -1)]
    cost = round(used[-1] * 0.31, 2)
    bill = f"BG-{date:%Y%m}-8841"
    chart = pictures.bars(tuple(used), 456, 120, ink="#e5e7eb", accent="#facc15")
    lines = [(f"Electricity, {used[-1]} kWh", cost), ("Standing charge", 9.5), ("Green discount", -2.0)]
    return _receipt(
        _POWER,
        f"power/{number}",
        date,
        subject=f"Your bill for {date:%B} is ready",
        number=bill,
        label="We'll collect",
        lines=lines,
        note="We collect this from your account in ten days. Nothing to do, except perhaps the light in the cellar.",
        chart="Your last eight months, in kWh",
        files=[
            File("chart.png", "image/png", chart, "chart"),
            pdf(f"{bill}.pdf", f"Bill {bill}", [f"{what}: {price:.2f}" for what, price in lines]),
        ],
    )


def _pass(number: int, date: datetime) -> Letter:
    return _receipt(
        _PASS,
        f"pass/{number}",
        date,
        subject=f"Monthly pass, {date:%B}",
        number=f"P-{7731 - number}",
        label="Paid",
        lines=[("Monthly pass, lines 1 to 4", 41.0), ("Bicycle", 0.0)],
        note="Your card is renewed by itself at the next gate. Have a calm crossing.",
    )


def _print(number: int, date: datetime) -> Letter:
    lines = (
        [("A1 plots, 12 sheets", 58.8), ("Foam board, 4 panels", 46.0), ("Express, because of a printer", 15.0)],
        [("Booklet, 40 copies", 132.0), ("Folding, by hand", 24.0)],
        [("Business cards, 200", 38.0)],
    )[number]
    return _receipt(
        _PRINT,
        f"print/{number}",
        date,
        subject=f"Receipt from Papermill Print, order {5120 - number * 211}",
        number=f"No. {5120 - number * 211}",
        label="Paid by card",
        lines=lines,
        note="Ready for collection at Net Street 9. We close at six, the cat closes at five.",
        files=[pdf("receipt.pdf", "Papermill Print", [f"{what}: {price:.2f}" for what, price in lines])],
    )


def _parcel(order: str, number: int, date: datetime) -> Letter:
    title, lead = (
        ("Thank you, we're on it", "Your things are being wrapped by somebody who likes wrapping."),
        ("It's on its way", "Your parcel left our house this morning."),
        ("It's there", "We left it with your neighbour Mr Henning, third floor."),
    )[number]
    steps = [
        {
            "name": name,
            "bar": "#ea580c" if place <= number else "#fde3cf",
            "ink": "#c2410c" if place <= number else "#a08672",
        }
        for place, name in enumerate(("Packed", "On its way", "There"))
    ]
    things = [("Whistling kettle, cream", "1"), ("Tea towel, herring pattern", "2")]
    return Letter(
        key=f"parcel/{order}/{number}",
        sender=KETTLE,
        to=[CAST["alice"]],
        subject=f"{title} (order {order})",
        date=date,
        text=f"{title}\n\n{lead}\n\n" + "\n".join(f"{count} x {what}" for what, count in things),
        html=fill(
            "parcel",
            {"step": steps, "thing": [{"what": what, "count": count} for what, count in things]},
            title=title,
            lead=lead,
            order=order,
        ),
        files=[File("rings.png", "image/png", pictures.badge(128, "#fff1e6", "#ea580c", "rings"), "rings")],
    )


def _storage(number: int, date: datetime) -> Letter:
    return Letter(
        key=f"storage/{number}",
        sender=NIMBUS,
        to=[CAST["alice"]],
        subject="Your Nimbus plan has been renewed",
        date=date,
        text=f"""Hello Alice Tideman,

we have renewed your plan for another year.

    Plan          Cumulus, 200 GB
    Price         {24 + 6 * (2 - number)}.00 a year
    Renews        every year until you say stop
    Used          {93 - number * 31} GB

Say stop here: https://nimbus.example/stop
There is no form and no survey. We'd be sad quietly.

Nimbus Storage""",
    )


def _ticket(now: datetime) -> Letter:
    leaves = upcoming(now, 9, 7, 42)
    lines = [
        f"{leaves:%A %d %B}",
        "07:42  Harbour Central      platform 3",
        "09:58  Ostermouth           arrives",
        "Coach 4, seat 61, window, sea side",
        "",
        "Passenger: A. Tideman",
        "Reference: TIDE42",
    ]
    body = "\n".join(f"    {line}" for line in lines)
    return Letter(
        key="ticket",
        sender=RAIL,
        to=[CAST["alice"]],
        subject=f"Your ticket to Ostermouth, {leaves:%d %B}",
        date=moment(now, "5d 16:16"),
        text=f"Your journey\n\n{body}\n\nShow the attached page on your phone. Sit on the left: there is the sea.",
        files=[pdf("ticket TIDE42.pdf", "Coast Rail", lines)],
    )
