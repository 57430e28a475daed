"""What mail servers and programs reported, as its card prints it: in words, with the server's own text beside them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import tzinfo
from typing import Any

from webmail.protocol import kinds
from webmail.protocol.types import Envelope

from . import words
from .enclosures import Enclosures


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a message for one recipient; `said` are the server's own words.

    `link` is the key of the mail that says so, where another one does; 0 else.
    """

    address: str
    state: str
    words: str
    reason: str
    said: str
    link: int = 0


@dataclass(frozen=True, slots=True)
class ReportCard:
    """A delivery report, a receipt or a complaint; `about` names the message it is about, `link` is its key or 0."""

    icon: str
    state: str
    heading: str
    outcomes: tuple[Outcome, ...]
    lines: tuple[tuple[str, str], ...]
    about: str
    more: str
    link: int = 0


# What an action of RFC 3464 §2.3.3 is called, and the look of that.
ACTIONS = {
    "failed": ("not delivered", "loss"),
    "delayed": ("not yet delivered", "wait"),
    "delivered": ("delivered", "good"),
    "relayed": ("passed on to a server that reports no further", "good"),
    "expanded": ("passed on to several people", "good"),
}


def report_cards(found: Enclosures, zone: tzinfo, sent: int = 0) -> Iterator[ReportCard]:
    """The cards of a message's reports; times are in the reader's zone. `sent` is the key of what they are about."""
    about = _about(found.original, zone) if found.original else ""
    for card in found.cards:
        if card.kind == kinds.DELIVERY:
            yield replace(_delivery(card.facts, about), link=sent)
        elif card.kind == kinds.RECEIPT:
            yield replace(_receipt(card.facts, about), link=sent)
        elif card.kind == kinds.ABUSE:
            yield _complaint(card.facts, about)


def _delivery(facts: Mapping[str, Any], about: str) -> ReportCard:
    actions = {recipient["action"] for recipient in facts["recipients"]}
    if "failed" in actions:
        heading, state, icon = "Your message could not be delivered", "loss", "circle-x"
    elif "delayed" in actions:
        heading, state, icon = "Your message has not arrived yet; the server goes on trying", "wait", "clock"
    else:
        heading, state, icon = "Your message has arrived", "good", "circle-check"
    lines = [("Reported by", facts["server"])] if facts["server"] else []
    return ReportCard(
        icon=icon,
        state=state,
        heading=heading,
        outcomes=tuple(map(_outcome, facts["recipients"])),
        lines=tuple(lines),
        about=about,
        more=f"and {words.count(facts['more'])} more" if facts["more"] else "",
    )


def _outcome(recipient: Mapping[str, Any]) -> Outcome:
    said, state = ACTIONS[recipient["action"]]
    reason = recipient["reason"]
    if recipient["final"]:
        reason = f"{reason} It had been passed on to {recipient['final']}.".strip()
    return Outcome(recipient["address"] or "(no address)", state, said, reason, recipient["said"])


def _receipt(facts: Mapping[str, Any], about: str) -> ReportCard:
    who = facts["recipient"] or "the recipient"
    good = facts["handled"] in ("displayed", "read")
    lines = [("Sent", "by their mail program, without asking them")] if facts["by_itself"] else []
    return ReportCard(
        icon="mail-open",
        state="good" if good else "",
        heading=f"Your message {facts['did']} {who}",
        outcomes=(),
        lines=tuple(lines),
        about=about,
        more="" if not good else "That it was shown doesn't say that it was read or understood.",
    )


def _complaint(facts: Mapping[str, Any], about: str) -> ReportCard:
    kind = {
        "abuse": "Somebody marked a message from here as unwanted",
        "fraud": "A message from here was reported as fraud",
        "virus": "A message from here was reported to carry a virus",
        "not-spam": "A message from here was reported as wanted after all",
        "auth-failure": "A message that claims to come from here failed its checks",
    }.get(facts["type"], "A provider reports about a message from here")
    named = (("From", facts["from"]), ("To", facts["to"]), ("Domain", facts["domain"]), ("Arrived", facts["arrived"]),
             ("Sent by", facts["source"]), ("Reported by", facts["reporter"]))  # fmt: skip
    return ReportCard("octagon-alert", "wait", kind, (), tuple(line for line in named if line[1]), about, "")


def _about(original: Envelope, zone: tzinfo) -> str:
    to = ", ".join(address.address for address in original.to[:3])
    pieces = [f"“{original.subject}”" if original.subject else "a message without a subject"]
    if to:
        pieces.append(f"to {to}")
    if original.date:
        pieces.append(f"of {words.full_date(original.date.astimezone(zone))}")
    return " ".join(pieces)
