"""What stands beside a message's text as its page prints it: invitations, contacts, reports, attached messages.

Facts become words here, times in the reader's zone. Nothing is HTML but a description, which `text_to_html` made safe.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from typing import Any

from webmail.protocol import html, kinds
from webmail.protocol.filenames import clean_filename
from webmail.protocol.types import Address

from . import words
from .enclosures import Card, Enclosed, Enclosures
from .report_cards import ReportCard, report_cards
from .words import Html


@dataclass(frozen=True, slots=True)
class Guest:
    """Somebody who is asked to come; `state` is "good", "loss" or ""; `answer` a word for it."""

    name: str
    address: str
    answer: str
    state: str


@dataclass(frozen=True, slots=True)
class EventCard:
    """One event. `state` is "", "good" or "loss"; `written` the time in its own zone, "" where that is the reader's."""

    heading: str
    state: str
    title: str
    day: str
    month: str
    when: str
    written: str
    repeats: str
    place: str
    organiser: str
    guests: tuple[Guest, ...]
    guests_more: int
    description: Html
    section: str
    more: str


@dataclass(frozen=True, slots=True)
class ContactCard:
    """One contact; `lines` are a label and a value each."""

    name: str
    initial: str
    hue: int
    about: str
    lines: tuple[tuple[str, str], ...]
    note: str
    section: str
    more: str


@dataclass(frozen=True, slots=True)
class MessageCard:
    """An attached message or a container; `section` names the page of its own, `name` the file it is downloaded as."""

    section: str
    kind: str
    icon: str
    title: str
    sender: str
    date: str
    size: str
    name: str


@dataclass(frozen=True, slots=True)
class Cards:
    """All cards of a message, by where they stand."""

    events: tuple[EventCard, ...] = ()
    contacts: tuple[ContactCard, ...] = ()
    reports: tuple[ReportCard, ...] = ()
    messages: tuple[MessageCard, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.events or self.contacts or self.reports or self.messages)


def cards_of(found: Enclosures, zone: tzinfo, sender: str, sent: int = 0) -> Cards:
    """The cards of a message, ready to print.

    Args:
        zone: the reader's. sender: the address that the message came from. sent: key of the message that it reports
            about, 0 for none.
    """
    return Cards(
        events=tuple(_events(found.cards, zone, sender)),
        contacts=tuple(_contacts(found.cards)),
        reports=tuple(report_cards(found, zone, sent)),
        messages=tuple(_message(item, zone) for item in found.messages),
    )


def _events(found: tuple[Card, ...], zone: tzinfo, sender: str) -> Iterator[EventCard]:
    """Of one that came twice (in the alternative and as a file) the first."""
    seen: set[tuple[object, ...]] = set()
    for card in found:
        if card.kind != kinds.CALENDAR:
            continue
        events = card.facts["events"]
        for place, event in enumerate(events):
            key = (event["uid"], event["title"], str(event["start"]), card.facts["method"])
            if key in seen:
                continue
            seen.add(key)
            more = _more(card) if place == len(events) - 1 else ""
            yield _event(event, card.facts["method"], zone, sender, card.section, more)


def _event(event: Mapping[str, Any], method: str, zone: tzinfo, sender: str, section: str, more: str) -> EventCard:
    heading, state = _occasion(event, method, sender)
    start, end = event["start"], event["end"]
    first = _day_of(start, zone)
    organiser = event["organiser"] or {"name": "", "address": ""}
    description = "\n\n".join(part for part in (event["comment"], event["description"], event["url"]) if part)
    return EventCard(
        heading=heading,
        state=state,
        title=event["title"] or "(no title)",
        day=str(first.day) if first else "",
        month=words.MONTHS[first.month - 1] if first else "",
        when=_when(start, end, zone) or "No time is given",
        written=_written(start, end, zone),
        repeats=event["repeats"],
        place=event["place"],
        organiser=_named(organiser),
        guests=tuple(_guest(person) for person in event["attendees"]),
        guests_more=event["attendees_more"],
        description=Html(html.text_to_html(description) if description else ""),
        section=section,
        more=more,
    )


def _occasion(event: Mapping[str, Any], method: str, sender: str) -> tuple[str, str]:
    """What the card is about, by method (RFC 5546 §1.4), and its mood."""
    what = {"task": "task", "note": "note"}.get(event["kind"], "event")
    if method == "CANCEL" or event["status"] == "CANCELLED":
        return f"This {what} is cancelled", "loss"
    if method == "REPLY":
        guests = event["attendees"]
        guest = next((person for person in guests if person["address"].lower() == sender.lower()), None)
        guest = guest or (guests[0] if guests else None)
        who = (guest["name"] or guest["address"]) if guest else "Somebody"
        answers = {
            "ACCEPTED": (f"{who} will come", "good"),
            "DECLINED": (f"{who} will not come", "loss"),
            "TENTATIVE": (f"{who} may come", ""),
            "DELEGATED": (f"{who} sends somebody else", ""),
        }
        return answers.get(guest["status"] if guest else "", (f"{who} answered", ""))
    if method == "COUNTER":
        return "Another time is proposed", ""
    if method == "DECLINECOUNTER":
        return "The proposed time was declined", "loss"
    if method == "REFRESH":
        return "Somebody asks for the newest version", ""
    if method == "REQUEST":
        return ("Changed invitation" if event["sequence"] else "Invitation"), ""
    if method == "ADD":
        return "One more date", ""
    return what.capitalize(), ""


def _guest(person: Mapping[str, str]) -> Guest:
    answer, state = {
        "ACCEPTED": ("comes", "good"),
        "DECLINED": ("doesn't come", "loss"),
        "TENTATIVE": ("may come", ""),
        "DELEGATED": ("sends somebody else", ""),
        "COMPLETED": ("has done it", "good"),
        "NEEDS-ACTION": ("hasn't answered", ""),
    }.get(person["status"], ("", ""))
    if person["role"] == "OPT-PARTICIPANT":
        answer = f"{answer}, optional" if answer else "optional"
    if person["kind"] in ("ROOM", "RESOURCE"):
        answer = person["kind"].lower()
    return Guest(person["name"] or person["address"], person["address"] if person["name"] else "", answer, state)


def _when(start: Mapping[str, str] | None, end: Mapping[str, str] | None, zone: tzinfo) -> str:
    """ "Tuesday 3 March 2026, 14:00 – 15:30" in the reader's zone; days alone for what takes all day."""
    if not start:
        return ""
    if "date" in start:
        first = date.fromisoformat(start["date"])
        last = date.fromisoformat(end["date"]) - timedelta(days=1) if end and "date" in end else first
        return (
            f"{words.long_day(first)}, all day"
            if last <= first
            else f"{words.long_day(first)} – {words.long_day(last)}"
        )
    return _span(_local(start, zone), _local(end, zone) if end and "written" in end else None)


def _written(start: Mapping[str, str] | None, end: Mapping[str, str] | None, zone: tzinfo) -> str:
    """The time as it was written, where that differs from the reader's."""
    if not start or "written" not in start:
        return ""
    written = datetime.fromisoformat(start["written"])
    if "utc" not in start:
        return f"in the time zone {start['zone']}, which is not known here" if start["zone"] else "local time"
    if _local(start, zone).replace(tzinfo=None) == written or start["zone"] == "UTC":
        return ""
    until = datetime.fromisoformat(end["written"]) if end and "written" in end else None
    place = start["zone"].rpartition("/")[2].replace("_", " ") or "its own zone"
    return f"{_span(written, until)} in {place}"


def _span(start: datetime, end: datetime | None) -> str:
    begin = f"{words.long_day(start.date())}, {start:%H:%M}"
    if end is None or end <= start:
        return begin
    if end.date() == start.date():
        return f"{begin} – {end:%H:%M}"
    return f"{begin} – {words.long_day(end.date())}, {end:%H:%M}"


def _local(moment: Mapping[str, str], zone: tzinfo) -> datetime:
    """The moment in the reader's zone; as it was written where nobody knows its own. Always without a zone."""
    if "utc" not in moment:
        return datetime.fromisoformat(moment["written"])
    try:
        return datetime.fromisoformat(moment["utc"]).astimezone(zone).replace(tzinfo=None)
    except OverflowError:  # at the ends of time
        return datetime.fromisoformat(moment["written"])


def _day_of(moment: Mapping[str, str] | None, zone: tzinfo) -> date | None:
    if not moment:
        return None
    return date.fromisoformat(moment["date"]) if "date" in moment else _local(moment, zone).date()


def _contacts(found: tuple[Card, ...]) -> Iterator[ContactCard]:
    for card in found:
        if card.kind != kinds.CONTACT:
            continue
        contacts = card.facts["contacts"]
        for place, contact in enumerate(contacts):
            lines = [
                *((kind or "Mail", value) for kind, value in contact["mails"]),
                *((kind or "Phone", value) for kind, value in contact["phones"]),
                *((kind or "Address", value) for kind, value in contact["addresses"]),
                *(("Web", value) for _, value in contact["links"]),
            ]
            if contact["birthday"]:
                lines.append(("Birthday", contact["birthday"]))
            name = contact["name"] or next((value for _, value in lines), "(no name)")
            yield ContactCard(
                name=name,
                initial=words.initial(name),
                hue=words.hue(contact["mails"][0][1] if contact["mails"] else name),
                about=" · ".join(part for part in (contact["title"], contact["organisation"]) if part),
                lines=tuple((label.capitalize(), value) for label, value in lines),
                note=contact["note"],
                section=card.section,
                more=_more(card) if place == len(contacts) - 1 else "",
            )


def _more(card: Card) -> str:
    """What the last card of a file says about those that have none."""
    return f"and {words.count(card.facts['more'])} more in the file" if card.facts["more"] else ""


def _message(item: Enclosed, zone: tzinfo) -> MessageCard:
    part, envelope = item.part, item.envelope
    kind, icon = _ENCLOSED.get(part.type, ("Attached message", "mail"))
    title = envelope.subject if envelope else ""
    name = clean_filename(part.filename or f"{title or 'message'}.eml" if icon == "mail" else part.filename, part.type)
    return MessageCard(
        section=part.section,
        kind=kind,
        icon=icon,
        title=title or part.filename or ("(no subject)" if envelope else kind),
        sender=_people(envelope.from_) if envelope else "",
        date=words.full_date(envelope.date.astimezone(zone)) if envelope and envelope.date else "",
        size=words.size(part.size),
        name=name,
    )


def _people(addresses: tuple[Address, ...]) -> str:
    return _named({"name": addresses[0].name, "address": addresses[0].address}) if addresses else ""


def _named(person: Mapping[str, str]) -> str:
    """A name with its real address beside it."""
    if person["name"] and person["address"] and person["name"] != person["address"]:
        return f"{person['name']} <{person['address']}>"
    return person["name"] or person["address"]


_ENCLOSED = {
    **dict.fromkeys(kinds.TNEF, ("Outlook container", "package-open")),
    **dict.fromkeys(kinds.PKCS7, ("Signed message", "shield-check")),
}
