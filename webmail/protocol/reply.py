"""Replies and forwards: who gets them, as whom one answers, what they are called and what they take over.

Pure values in and out. The rules are those people expect, in this order:

    reply        Reply-To if it names others, else From; one's own message: those it went to
    reply all    Mail-Followup-To, else as reply, and all of To and Cc, without oneself
    to the list  List-Post (RFC 2369)
    as whom      the address it was sent to, with what stands behind a "+" in it
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from . import quoting_out
from .fields import Field
from .folding import Line
from .mail_address import normalise
from .recipients import field_text, read, read_link
from .types import Address, Envelope

MAX_RECIPIENTS = 1_000

# "Re:" and "Fwd:" in the languages whose mail programs translate them, with their counters ("Re[2]:").
_RE = re.compile(
    r"\s*(?:re|aw|antw|sv|vs|odp|ynt|res|rif|回复|回覆|答复|答覆)(?:\s?[\[(]\d{1,3}[\])]|\^\d{1,3})?\s*[:：]\s*",
    re.IGNORECASE,
)
_FORWARD = re.compile(
    r"\s*(?:fwd?|wg|tr|rv|enc|doorst|vb|vl|pd|ilt|转发|轉寄)(?:\s?[\[(]\d{1,3}[\])])?\s*[:：]\s*", re.IGNORECASE
)
_LIST_POST = re.compile(r"<(mailto:[^<>]{1,1000})>", re.IGNORECASE)
_RECEIVED_BY = ("delivered-to", "x-original-to", "envelope-to", "x-delivered-to")


class Kind(enum.StrEnum):
    """What is made of a message."""

    REPLY = "reply"
    REPLY_ALL = "reply_all"
    REPLY_LIST = "reply_list"
    FORWARD = "forward"
    FORWARD_ATTACHED = "forward_attached"
    EDIT_AS_NEW = "edit_as_new"
    EDIT_DRAFT = "edit_draft"

    @property
    def is_reply(self) -> bool:
        return self in (Kind.REPLY, Kind.REPLY_ALL, Kind.REPLY_LIST)


@dataclass(frozen=True, slots=True)
class Original:
    """The message that is answered.

    Args:
        header: all of its fields. lines: its text (`plain.lines_of`). html: its HTML, clean (`written.clean`), or "".
        when: its date in the reader's own words and zone. introduction: the line above its quote, in the reader's
            language; "" for English.
    """

    envelope: Envelope
    header: tuple[Field, ...] = ()
    lines: tuple[Line, ...] = ()
    html: str = ""
    when: str = ""
    introduction: str = ""


@dataclass(frozen=True, slots=True)
class Start:
    """What a draft begins with. `from_address` is "" where none of one's own is named in the original."""

    from_address: str = ""
    to: tuple[Address, ...] = ()
    cc: tuple[Address, ...] = ()
    bcc: tuple[Address, ...] = ()
    subject: str = ""
    in_reply_to: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    text: str = ""
    html: str = ""


class Own:
    """The addresses that are one's own, and those with a "+" that are delivered to them (RFC 5233)."""

    def __init__(self, addresses: Iterable[str]) -> None:
        self._known = frozenset(address for each in addresses if (address := _key(each)))

    def __contains__(self, address: str) -> bool:
        key = _key(address)
        return bool(key) and (key in self._known or _without_detail(key) in self._known)


def start(original: Original, kind: Kind, own: Own) -> Start:
    """What the draft of a reply or forward begins with.

    `text` and `html` are what is quoted; the files that go with a forward are not this room's matter.
    """
    envelope = original.envelope
    if kind is Kind.EDIT_AS_NEW:
        return _again(original, own)
    if kind is Kind.EDIT_DRAFT:
        return replace(_again(original, own), in_reply_to=envelope.in_reply_to[:1], references=envelope.references)
    to, cc = _people(original, kind, own) if kind.is_reply else ((), ())
    answers = envelope.message_id if kind.is_reply else ""
    before = envelope.references or envelope.in_reply_to[:1]  # RFC 5322 §3.6.4
    return Start(
        from_address=own_address(original, own),
        to=to,
        cc=cc,
        subject=reply_subject(envelope.subject) if kind.is_reply else forward_subject(envelope.subject),
        in_reply_to=(answers,) if answers else (),
        references=tuple(dict.fromkeys((*before, *filter(None, [envelope.message_id])))),
        text=_text(original, kind),
        html=_html(original, kind),
    )


def reply_subject(subject: str) -> str:
    """The subject with one "Re:" before it."""
    return f"Re: {_without(_RE, subject)}".rstrip()


def forward_subject(subject: str) -> str:
    """The subject with one "Fwd:" before it."""
    return f"Fwd: {_without(_FORWARD, subject)}".rstrip()


def list_address(header: Iterable[Field]) -> Address | None:
    """Where a list takes mail (RFC 2369 §3.4); None where it doesn't say, or takes none."""
    for field in header:
        if field.name.lower() == "list-post" and (found := _LIST_POST.search(field.raw)):
            addresses = read_link(found[1]).to.addresses
            return addresses[0] if addresses else None
    return None


def author(envelope: Envelope) -> str:
    """Who wrote it, as the line above its quote says."""
    sender = next(iter(envelope.from_), Address("", ""))
    return sender.name or field_text([sender]) or "Somebody"


def own_address(original: Original, own: Own) -> str:
    """The own address that the message came to or from, as it is written there; "" where it names none."""
    envelope = original.envelope
    delivered = [
        address
        for field in original.header
        if field.name.lower() in _RECEIVED_BY
        for address in read(field.raw[:500]).addresses
    ]
    for each in (*envelope.from_, *envelope.to, *envelope.cc, *envelope.bcc, *delivered):
        if each.address in own:
            return each.address
    return ""


def _people(original: Original, kind: Kind, own: Own) -> tuple[tuple[Address, ...], tuple[Address, ...]]:
    """To and Cc of a reply."""
    envelope = original.envelope
    if kind is Kind.REPLY_LIST and (at := list_address(original.header)):
        return (at,), ()
    is_own = any(each.address in own for each in envelope.from_)
    answer_to = envelope.to if is_own else _each_once(envelope.reply_to, own) or envelope.from_
    if kind is Kind.REPLY_ALL:
        follow_up = _follow_up(original.header)
        wanted_to = follow_up or ((*answer_to, *envelope.to) if not is_own else envelope.to)
        wanted_cc = () if follow_up else envelope.cc
    else:
        wanted_to, wanted_cc = answer_to, ()
    to = _each_once(wanted_to, own)
    cc = _each_once(wanted_cc, own, taken=to)
    if to or cc:
        return to, cc
    # A note to oneself is answered to oneself; an address that can't be written to is there to be mended.
    return _each_once(answer_to, Own(())) or tuple(each for each in envelope.from_ if each.address), ()


def _follow_up(header: Iterable[Field]) -> tuple[Address, ...]:
    """Mail-Followup-To, as mailing lists' people set it."""
    return next(
        (read(field.value).addresses for field in header if field.name.lower() == "mail-followup-to"),
        (),
    )


def _sound(people: Iterable[Address]) -> tuple[Address, ...]:
    return tuple(each for each in people if _key(each.address))


def _each_once(people: Iterable[Address], own: Own, taken: Iterable[Address] = ()) -> tuple[Address, ...]:
    """Those that can be written to, each once, without oneself and without those that are `taken`."""
    seen = {_key(each.address) for each in taken}
    found = []
    for each in _sound(people):
        key = _key(each.address)
        if key not in seen and each.address not in own:
            seen.add(key)
            found.append(each)
    return tuple(found[:MAX_RECIPIENTS])


def _again(original: Original, own: Own) -> Start:
    """The same message as a new one of one's own."""
    envelope = original.envelope
    return Start(
        from_address=own_address(original, own),
        to=_sound(envelope.to),
        cc=_sound(envelope.cc),
        bcc=_sound(envelope.bcc),
        subject=envelope.subject,
        text="\n".join(f"{'>' * line.depth} {line.text}" if line.depth else line.text for line in original.lines),
        html=original.html,
    )


def _text(original: Original, kind: Kind) -> str:
    if kind is Kind.FORWARD_ATTACHED:
        return ""
    if kind is Kind.FORWARD:
        return quoting_out.forwarded_text(original.lines, original.envelope, original.when)
    return quoting_out.quoted_text(original.lines, _introduction(original))


def _html(original: Original, kind: Kind) -> str:
    if kind is Kind.FORWARD_ATTACHED:
        return ""
    inside = original.html or quoting_out.as_html(original.lines)
    if kind is Kind.FORWARD:
        return quoting_out.forwarded_html(inside, original.envelope, original.when)
    return quoting_out.quoted_html(inside, _introduction(original))


def _introduction(original: Original) -> str:
    return original.introduction or quoting_out.attribution(author(original.envelope), original.when)


def _without(prefix: re.Pattern[str], subject: str) -> str:
    while found := prefix.match(subject):
        subject = subject[found.end() :]
    return subject.strip()


def _key(address: str) -> str:
    try:
        return normalise(address)
    except ValueError:
        return ""


def _without_detail(key: str) -> str:
    local, at, domain = key.rpartition("@")
    return f"{local.partition('+')[0]}{at}{domain}"
