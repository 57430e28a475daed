"""Well-formed mail of unusual shape: everything a mail program meets sooner or later, in a story that makes sense."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from email import message_from_string
from email.message import EmailMessage
from email.policy import SMTP

from webmail.demo.mail import pictures
from webmail.demo.mail.clock import moment, upcoming
from webmail.demo.mail.documents import archive, card, invitation, pdf
from webmail.demo.mail.letters import SEEN, UNREAD, DemoMail, File, Letter, build, deliver, fix_boundaries, receive
from webmail.demo.mail.people import CAST, Person


@dataclass(frozen=True, slots=True)
class _Note:
    """A short message whose sender or subject is the point."""

    key: str
    when: str
    sender: Person
    subject: str
    text: str


_MAILER = Person("Mail Delivery System", "mailer-daemon@demo.test")

_NOTES = (
    _Note(
        "none",
        "5d 23:01",
        Person("Ansel (fish)", "ansel@fishstall.example"),
        "",
        "mackerel is in. smoked ones friday. tell your mother",
    ),
    _Note(
        "long",
        "19d 11:00",
        CAST["ingrid"],
        "Notice pursuant to section 14, paragraph 3, sentence 2, letter c of the Ordinance concerning Temporary "
        "Moorings, Floating Platforms, Pontoons and Comparable Installations in Tidal Waters (second amendment, "
        "consolidated text) with regard to your application 2207/B: receipt of the statement of the ferry operator "
        "is hereby acknowledged",
        "Dear Ms Tideman,\n\nwe have received it. I'm sorry about the subject, the form does that.",
    ),
    _Note(
        "comma",
        "24d 15:15",
        Person('Okafor, Emeka "Books"', "okafor@harbourlibrary.example"),
        "The face",
        "Dear Ms Tideman,\n\nI hear that my face is mentioned in our letters. It's just my face.",
    ),
    _Note(
        "group",
        "52d 10:00",
        Person("ropewalk-neighbours", "neighbours@ropewalk.example"),
        "Street party: tables",
        "We have nine tables and eleven table cloths. Whoever has tables without cloths, we should meet.",
    ),
    _Note(
        "bare",
        "31d 06:06",
        Person("", "noreply@tide-alarm.example"),
        "TIDE ALARM 4.62 m at 06:48",
        "Predicted high water at Old Ropewalk: 4.62 m at 06:48. Move your bicycle.",
    ),
)
_ARGUMENT = (
    "It hangs with the moon up. I've looked at four harbours now.",
    "North up, like any map.",
    "It's not a map.",
    "It is a map of time!",
    "Then the future is up and the past is down?",
    "On our wall the past is on the left, next to the fire extinguisher.",
)


def messages(now: datetime) -> Iterator[DemoMail]:
    """Invitations, cards, reports, forwarded mail, large and many attachments, flowed text, odd names."""
    yield from _calendar(now)
    yield _report(now)
    yield _forwarded(now)
    yield from _attachments(now)
    yield from _texts(now)
    yield from _names(now)


def _calendar(now: datetime) -> Iterator[DemoMail]:
    carol, alice, bob = CAST["carol"], CAST["alice"], CAST["bob"]
    review = "Design review: the ramp, details 1:5"
    start = upcoming(now, 3, 14)
    invite = invitation(review, start=start, hours=1.5, place="Model room", organiser=carol, guests=[alice, bob])
    letter = Letter(
        key="invite/review",
        sender=carol,
        to=[alice, bob],
        subject=f"Invitation: {review}",
        date=moment(now, "5h53m"),
        text=f"{review}\n{start:%A, %d %B, %H:%M}, model room. Please bring the paper ones.",
    )
    raw = _with_calendar(letter, invite, "REQUEST")
    yield DemoMail(alice.email, "INBOX", raw, UNREAD, letter.date)
    yield DemoMail(bob.email, "INBOX", raw, UNREAD, letter.date)
    yoga = "Yoga in the boat shed"
    when = upcoming(now, 2, 18, 30)
    cancelled = invitation(
        yoga,
        start=when,
        hours=1,
        place="Boat shed",
        organiser=CAST["petra"],
        guests=[alice],
        method="CANCEL",
        sequence=1,
    )
    letter = Letter(
        key="invite/yoga",
        sender=CAST["petra"],
        to=[alice],
        subject=f"Cancelled: {yoga}",
        date=moment(now, "1d 19:44"),
        text="The half-finished boat is now three quarters finished and needs the floor.",
    )
    yield DemoMail(alice.email, "INBOX", _with_calendar(letter, cancelled, "CANCEL"), SEEN, letter.date)


def _with_calendar(letter: Letter, entry: str, method: str) -> bytes:
    """Text, the entry for calendars as an alternative, and once more as a file, as calendars send it."""
    message = EmailMessage(policy=SMTP)
    for name, value in (("From", letter.sender.address), ("To", [person.address for person in letter.to])):
        message[name] = value
    message["Date"] = letter.date
    message["Subject"] = letter.subject
    message["Message-ID"] = letter.message_id
    message.set_content(letter.text)
    message.add_alternative(entry, subtype="calendar", params={"method": method})
    message.add_attachment(entry, subtype="calendar", filename="invite.ics")
    fix_boundaries(message, letter.key)
    return message.as_bytes()


def _report(now: datetime) -> DemoMail:
    """A delivery report (RFC 3464) about a mail that nobody wanted."""
    date = moment(now, "2d 09:31")
    lost = Letter(
        key="report/lost",
        sender=CAST["alice"],
        to=[Person("Plotter support", "help@bigplot.example")],
        subject="Sheet A-107",
        date=date,
        text="Dear support, may we have our staircase back?",
    )
    message = EmailMessage(policy=SMTP)
    message["From"] = _MAILER.address
    message["To"] = CAST["alice"].address
    message["Date"] = date
    message["Subject"] = "Undelivered Mail Returned to Sender"
    message["Message-ID"] = "<report-1@mx.demo.test>"
    message["Auto-Submitted"] = "auto-replied"
    message["Content-Type"] = "multipart/report; report-type=delivery-status"
    told = EmailMessage(policy=SMTP)
    told.set_content(
        "This is the mail system at mx.demo.test.\n\nYour message could not be delivered:\n\n"
        "<help@bigplot.example>: host mx.bigplot.example said: 550 5.1.1 nobody helps here\n"
    )
    status = EmailMessage(policy=SMTP)
    status["Content-Type"] = "message/delivery-status"
    status.set_payload(
        [
            message_from_string(fields, policy=SMTP)
            for fields in (
                "Reporting-MTA: dns; mx.demo.test\n\n",
                "Final-Recipient: rfc822; help@bigplot.example\nAction: failed\nStatus: 5.1.1\n"
                "Diagnostic-Code: smtp; 550 5.1.1 nobody helps here\n\n",
            )
        ]
    )
    returned = EmailMessage(policy=SMTP)
    returned["Content-Type"] = "text/rfc822-headers"
    returned.set_payload(build(lost).decode().partition("\r\n\r\n")[0] + "\r\n")
    for part in (told, status, returned):
        message.attach(part)
    fix_boundaries(message, "report")
    return DemoMail(CAST["alice"].email, "INBOX", message.as_bytes(), SEEN, date)


def _forwarded(now: datetime) -> DemoMail:
    """A mail inside a mail inside a mail, each with something attached."""
    inner = Letter(
        key="forward/inner",
        sender=CAST["hana"],
        to=[CAST["carol"]],
        subject="Packing list",
        date=moment(now, "9d 03:40"),
        text="Dear Carol, the crate holds: one harbour, one crane, 48 lamps, two screws (spare).",
        files=[pdf("packing-list.pdf", "Packing list", ["1 harbour", "1 crane", "48 lamps", "2 screws (spare)"])],
    )
    middle = _wrap(inner, "forward/middle", CAST["carol"], CAST["bob"], "Fwd: Packing list", "For you: the screws!")
    outer = Letter(
        key="forward/outer",
        sender=CAST["bob"],
        to=[CAST["alice"]],
        subject="Fwd: Fwd: Packing list",
        date=moment(now, "8d 10:05"),
        text="The crate with the model: please count the screws.",
    )
    message = EmailMessage(policy=SMTP)
    message["From"], message["To"] = outer.sender.address, CAST["alice"].address
    message["Date"], message["Subject"], message["Message-ID"] = outer.date, outer.subject, outer.message_id
    message.set_content(outer.text)
    message.add_attachment(middle)
    fix_boundaries(message, outer.key)
    return DemoMail(CAST["alice"].email, "INBOX", message.as_bytes(), ("\\Seen", "\\Answered"), outer.date)


def _wrap(inner: Letter, key: str, sender: Person, to: Person, subject: str, text: str) -> EmailMessage:
    message = EmailMessage(policy=SMTP)
    message["From"], message["To"] = sender.address, to.address
    message["Date"], message["Subject"] = inner.date, subject
    message["Message-ID"] = f"<{key}@mail.demo.test>"
    message.set_content(text)
    carried = EmailMessage(policy=SMTP)
    carried["From"], carried["To"] = inner.sender.address, sender.address
    carried["Date"], carried["Subject"], carried["Message-ID"] = inner.date, inner.subject, inner.message_id
    carried.set_content(inner.text)
    for file in inner.files:
        carried.add_attachment(file.data, "application", "pdf", filename=file.name)
    message.add_attachment(carried)
    return message


def _attachments(now: datetime) -> Iterator[DemoMail]:
    survey = File("survey-pointcloud.bin", "application/octet-stream", pictures.noise(1_200_000, seed=7))
    yield deliver(
        Letter(
            key="attach/large",
            sender=CAST["priya"],
            to=[CAST["alice"]],
            subject="Point cloud of the old piles",
            date=moment(now, "10d 11:11"),
            text="A small cut of the scan, 1.2 MB. The whole one has 40 GB, I'll bring it on a disk.",
            files=[survey],
        ),
        "alice",
        "Projects/Harbour redesign",
        keywords=("project",),
    )
    many = [File(f"detail {n:02d}.png", "image/png", pictures.harbour(160, 100, seed=n)) for n in range(1, 13)]
    yield deliver(
        Letter(
            key="attach/many",
            sender=CAST["tomas"],
            to=[CAST["alice"], CAST["bob"]],
            subject="Twelve little views",
            date=moment(now, "15d 22:40"),
            text="For the bath house: twelve times water. Choose one, I love them all.",
            files=[*many, archive("all-of-them.zip", {file.name: file.data for file in many[:4]})],
        ),
        "alice",
        "Projects",
    )
    yield deliver(
        Letter(
            key="attach/card",
            sender=CAST["klara"],
            to=[CAST["alice"]],
            subject="The plumber's number",
            date=moment(now, "26d 20:12"),
            text="Here he is. He comes on Sundays if you don't say that it's Sunday.",
            files=[
                card("plumber.vcf", Person("Ferdinand Rohr", "rohr@pipes.example"), "+00 555 0199", "Sundays; quietly")
            ],
        ),
        "alice",
        "INBOX",
    )
    notes = File("notes.txt", "text/plain", "Höhe über Null: 3,20 m\nFluthöhe: 4,60 m\n→ Gummistiefel\n".encode())
    yield deliver(
        Letter(
            key="attach/notes",
            sender=CAST["bob"],
            to=[CAST["alice"]],
            subject="My notes from the quay",
            date=moment(now, "17d 17:17"),
            text="See attached, I've typed them. The drawing of the boot is missing.",
            files=[notes, File("boot.png", "image/png", pictures.badge(128, "#2d6a4f", "#d8f3dc", "leaf"))],
        ),
        "alice",
        "Projects/Harbour redesign",
    )


def _texts(now: datetime) -> Iterator[DemoMail]:
    flowed = (
        "Dear Alice, \r\n\r\n"
        "this letter is written in format=flowed, which means that my lines are \r\n"
        "short here and as long as your window there. I have used it since 1999 and \r\n"
        "have never once had to explain it, until you asked. \r\n\r\n"
        "> How do you make your lines so long? \r\n"
        "> Mine break in the oddest places. \r\n\r\n"
        "A space at the end of the line. That's the whole secret. \r\n\r\n-- \r\nJune"
    ).replace("\r\n", "\n")
    letter = Letter(
        key="text/flowed",
        sender=CAST["june"],
        to=[CAST["alice"]],
        subject="Re: Long lines",
        date=moment(now, "12d 07:50"),
        text=flowed,
        encoding="7bit",
        text_params={"format": "flowed", "delsp": "no"},
    )
    yield deliver(letter, "alice", "INBOX")
    deep = "\n".join(f"{'>' * level}{' ' if level else ''}{_ARGUMENT[level % len(_ARGUMENT)]}" for level in range(11))
    letter = Letter(
        key="text/deep",
        sender=CAST["sam"],
        to=[CAST["alice"]],
        subject="Re: Re: Re: Re: Re: AW: Re: Which way round do you hang a tide table?",
        date=moment(now, "25d 06:20"),
        text=deep,
    )
    yield deliver(letter, "alice", "Archive")
    yield from receive(
        Letter(
            key="text/lamp",
            sender=CAST["leo"],
            to=[CAST["alice"], CAST["bob"], CAST["carol"]],
            subject="Links for tomorrow",
            date=moment(now, "9d 17:58"),
            text="""Programme:  https://lunchtalks.example/scour?speaker=raman&room=model
Soup:       https://cornerplace.example/menu (closes at 14:00!)
How to get a laptop to talk to the projector: ftp is not the answer, ask me.
Questions to leo@demo.test or +00 555 0123.

*Bring a chair.* Not /that/ chair.""",
        ),
        {"alice": "INBOX", "bob": "INBOX"},
    )


def _names(now: datetime) -> Iterator[DemoMail]:
    for note in _NOTES:
        letter = Letter(
            key=f"name/{note.key}",
            sender=note.sender,
            to=[CAST["alice"]],
            subject=note.subject,
            date=moment(now, note.when),
            text=note.text,
        )
        yield deliver(letter, "alice", "INBOX", keywords=("$Forwarded",) if note.key == "bare" else ())
