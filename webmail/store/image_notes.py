"""What a message says of its remote images, in ready-made words: how many, from where, why they are shown or not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from webmail.models import Message, User
from webmail.protocol import domains, trackers
from webmail.protocol.html import MAX_REMOTE

from . import remote, words
from .reading import Body
from .remote import Decision, Shown

MOST_HOSTS = 20  # named; the rest is counted


@dataclass(frozen=True, slots=True)
class Host:
    """A host and how many images of the message are there."""

    name: str
    count: str


@dataclass(frozen=True, slots=True)
class ImageNote:
    """The lines about remote images.

    Args:
        sentence: how many there are and what became of them; "" where all of them only report.
        shown: whether they are shown. askable: whether they may be shown once.
        hosts: where they are. tracking: a sentence about those that only report, "" for none; tracking_hosts: theirs.
        address, domain: for whom they may always be shown, "" where that isn't offered.
        caution: what to know before that, "" where the sender is verified.
        allowed: for whom they are always shown, "" for nobody.
    """

    sentence: str
    shown: bool = False
    askable: bool = False
    hosts: tuple[Host, ...] = ()
    tracking: str = ""
    tracking_hosts: tuple[Host, ...] = ()
    address: str = ""
    domain: str = ""
    caution: str = ""
    allowed: str = ""


def note_of(user: User, message: Message, body: Body, inside: str = "") -> ImageNote | None:
    """What is to be said; None where the message has no remote images."""
    frame = body.frame
    if frame is None or not frame.remote:
        return None
    tracking = set(frame.tracking)
    images = [url for url in frame.remote if url not in tracking]
    decision = remote.decide(user, message, body, inside) if images else Decision(Shown.NEVER)
    standing, offered = decision.standing, decision.shown in (Shown.NO, Shown.ONCE)
    named = bool(standing.address) and offered
    return ImageNote(
        sentence=_sentence(images, decision),
        shown=decision.yes,
        askable=bool(images) and decision.shown is Shown.NO,
        hosts=_hosts(images),
        tracking=_tracking_sentence(tracking),
        tracking_hosts=_hosts(tracking),
        address=domains.shown_address(standing.address) if named else "",
        domain=domains.shown_domain(standing.domain) if named else "",
        caution=_CAUTION if named and not standing.verified else "",
        allowed=_shown_name(standing.allowed.name) if standing.allowed else "",
    )


_CAUTION = "Your mail server did not verify that this mail is from there. Anybody can write such an address."


def _sentence(images: Collection[str], decision: Decision) -> str:
    if not images:
        return ""
    count = _counted(images, "remote image")
    one = len(images) == 1
    if decision.shown is Shown.NEVER:
        return f"{count} {_was(one)} not loaded: your settings say never."
    if decision.shown is Shown.NO:
        return f"{count} {_was(one)} not loaded, so the sender does not learn that you read this."
    return f"{count} {'is' if one else 'are'} shown. Our server fetched {'it' if one else 'them'}, not your browser."


def _tracking_sentence(urls: Collection[str]) -> str:
    if not urls:
        return ""
    return f"{_counted(urls, 'tracking pixel')} {_was(len(urls) == 1)} left out."


def _counted(urls: Collection[str], thing: str) -> str:
    number = len(urls)
    more = "More than " if number >= MAX_REMOTE else ""
    return f"{more}{words.count(number)} {thing}{'' if number == 1 else 's'}"


def _was(one: bool) -> str:
    return "was" if one else "were"


def _hosts(urls: Iterable[str]) -> tuple[Host, ...]:
    """Host by host, the one with most first."""
    counts = Counter(domains.shown_domain(trackers.host_of(url)) for url in urls)
    found = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    named = [Host(name, words.count(count)) for name, count in found[:MOST_HOSTS]]
    rest = found[MOST_HOSTS:]
    if rest:
        named.append(Host(f"{words.count(len(rest))} more", words.count(sum(count for _, count in rest))))
    return tuple(named)


def _shown_name(name: str) -> str:
    return domains.shown_address(name) if "@" in name else domains.shown_domain(name)
