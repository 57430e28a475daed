"""What Junk and Trash hold: phishing whose scripts must never run, spam, and mail that somebody is done with.

Everything hostile here is harmless text in harmless domains; it is what a real inbox gets, so that people can see that
it comes to nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from webmail.demo.mail.clock import moment
from webmail.demo.mail.conversation import Conversation, play
from webmail.demo.mail.designs import fill
from webmail.demo.mail.letters import SEEN, UNREAD, DemoMail, File, Letter, deliver
from webmail.demo.mail.people import CAST, Person

_FAILS = (("Authentication-Results", 'mx.demo.test; dkim=fail reason="bad signature"; spf=softfail; dmarc=fail'),)
_FLAGGED = (("X-Spam-Flag", "YES"), ("X-Spam-Score", "9.1"))


@dataclass(frozen=True, slots=True)
class _Spam:
    """One piece of junk; with a `design` it is HTML, from `designs/`."""

    key: str
    when: str
    sender: Person
    subject: str
    text: str = ""
    design: str = ""
    seen: bool = True
    files: tuple[File, ...] = ()


# A program by its name and its first two octets, which are all there is of it; a web page that says it is a PDF.
_NOT_WHAT_THEY_SAY = (
    File("invoice-88231.pdf.exe", "application/octet-stream", b"MZ, but there is no program in here.\r\n"),
    File(
        "statement.pdf",
        "application/octet-stream",
        b"<!doctype html><title>Statement</title><p>Your password, please.\r\n",
    ),
)
_SPAM = (
    _Spam(
        "quota",
        "3h22m",
        Person("demo.test IT Service", "no-reply@mail-quota.example"),
        "Action required: mailbox 97% full",
        "Your mailbox is almost full. Open this message in HTML.",
        design="phishing",
        seen=False,
    ),
    _Spam(
        "customs",
        "1d 04:12",
        Person("Parcel Service", "track@xn--krier-2ve.example"),
        "Your parcel is waiting [#4471-A]",
        design="customs",
        seen=False,
    ),
    _Spam(
        "boss",
        "2d 05:50",
        Person("Carol Osei <carol@demo.test>", "ceo.office1977@freebox.example"),
        "Are you at your desk?",
        """Alice, i am in a meeting and can not talk. I need five gift cards for a client, 100 each.
Scratch them and send me photos of the codes. Will explain later. Keep this between us.

Carol

Sent from my phone""",
        seen=False,
    ),
    _Spam(
        "prize",
        "4d 02:33",
        Person("★ WINNER DEPT ★", "claims@lottery-of-the-seas.example"),
        "C O N G R A T U L A T I O N S   alice !!!",
        """You have won the Lottery of the Seas without having played.

To release your 2,400,000 send us a small fee, your shoe size and a photograph of your door.""",
    ),
    _Spam(
        "seo",
        "6d 09:00",
        CAST["mallory"],
        "Quick question about demo.test",
        """Hi there,

I was just on your website and noticed that you rank #47 for "harbour". My clients rank #1 for
"harbour" without owning one.

Do you have 15 minutes tomorrow?

Mallory""",
    ),
    _Spam(
        "seo-again",
        "3d 09:00",
        CAST["mallory"],
        "Re: Quick question about demo.test",
        """Hi again,

just floating this to the top of your inbox! I know you're busy. That's exactly why we should talk.

Mallory""",
    ),
    _Spam(
        "pills",
        "8d 23:59",
        Person("V1tal Health", "doc@cheap-and-vital.example"),
        "C1ick here f0r b3tter s1eep",
        "Sl33p lik3 a st0ne. N0 prescr1pti0n. https://cheap-and-vital.example/zzz",
    ),
    _Spam(
        "heir",
        "12d 07:14",
        Person("Barrister Quentin Mold", "q.mold@freebox.example"),
        "Late relative of you",
        """Dear Beloved,

a man with your family name has died in a boating accident leaving 11.4 million and no next of kin
except, with your agreement, you. I await your bank details with great condolence.""",
    ),
    _Spam(
        "invoice",
        "15d 13:40",
        Person("Accounts Payable", "billing@invoices-overdue.example"),
        "OVERDUE invoice 88231",
        "Please open the attached invoice and allow everything it asks for. The statement is a PDF, you can trust it.",
        files=_NOT_WHAT_THEY_SAY,
    ),
    _Spam(
        "crypto",
        "20d 03:03",
        Person("MoonAnchor", "team@moonanchor.example"),
        "🚀🚀🚀 the coin for harbours",
        "Every container will be a coin. Every coin will be a container. Buy before the tide.",
    ),
)
_BINNED = (
    _Spam(
        "webinar",
        "3d 08:00",
        Person("Stack & Beam Academy", "events@stackandbeam.example"),
        "Last seats: facade webinar",
        "Forty-five minutes about gaskets. There will be a quiz.",
    ),
    _Spam(
        "survey",
        "9d 12:00",
        Person("Coast Rail", "feedback@coastrail.example"),
        "How was your journey?",
        "On a scale from 0 to 10, how likely are you to recommend platform 3 to a friend?",
    ),
    _Spam(
        "password",
        "11d 07:45",
        Person("Nimbus Storage", "security@nimbus.example"),
        "Your sign-in code is 482 113",
        "Your code is 482 113. It works for ten minutes, which were over long ago.",
    ),
    _Spam(
        "umbrella",
        "25d 16:20",
        Person("Boat shed", "shed@harbourvoices.example"),
        "Whose umbrella?",
        "Black, large, with a duck's head. If nobody claims it by Wednesday it joins the tenors.",
    ),
)
_CAKE = Conversation(
    "cake-left",
    "There is cake in the kitchen",
    "13d 15:10",
    "leo alice bob",
    """
@leo
Subject says it all.
@leo +20m noquote
Subject no longer true.
""",
    mailbox={"alice": "Trash", "bob": "Trash"},
)


def messages(now: datetime) -> Iterator[DemoMail]:
    """Alice's Junk, a little of it for Bob too, and both Trashes."""
    for spam in _SPAM:
        letter = _letter(spam, now, _FAILS if spam.design or spam.key == "boss" else _FLAGGED)
        yield deliver(letter, "alice", "Junk", SEEN if spam.seen else UNREAD, keywords=("$Junk",))
        if spam.key in {"prize", "heir", "quota"}:
            yield deliver(letter, "bob", "Junk")
    for binned in _BINNED:
        yield deliver(_letter(binned, now), "alice", "Trash")
    yield from play(_CAKE, now)


def _letter(spam: _Spam, now: datetime, headers: tuple[tuple[str, str], ...] = ()) -> Letter:
    return Letter(
        key=f"junk/{spam.key}",
        sender=spam.sender,
        to=[CAST["alice"]],
        subject=spam.subject,
        date=moment(now, spam.when),
        text=spam.text,
        html=fill(spam.design) if spam.design else "",
        files=spam.files,
        headers=headers,
    )
