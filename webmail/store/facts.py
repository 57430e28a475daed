"""What the person should know about a mail before believing it: one word about its sender, and a few quiet lines.

The law of this room: a line states what is so, in words, and is true whether the mail is honest or not. At most three
are said, the weightiest first; what lies behind each is there on demand.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.db.models import Q

from webmail.models import Mailbox, Message, User
from webmail.models.message import hash_of
from webmail.protocol import domains, senders
from webmail.protocol.authentication import Authentication, Verdict, authentication
from webmail.protocol.fields import fields
from webmail.protocol.types import Address, Envelope

from . import words

MOST = 3  # lines
COUNTED = 1_000  # mails with a name that are looked at
KEY_LENGTH = 40  # of `Message.sender_key`
_OWN = ("sent", "drafts")


@dataclass(frozen=True, slots=True)
class Fact:
    """One quiet line: `icon` is a lucide name, `details` are sentences shown on demand, `warns` makes it less quiet."""

    icon: str
    words: str
    details: tuple[str, ...]
    warns: bool = True


@dataclass(frozen=True, slots=True)
class Verification:
    """What the person's mail server found out about the sender: in one word, and check by check."""

    word: str
    icon: str
    state: str
    checks: tuple[str, ...]


def facts_of(user: User, message: Message, envelope: Envelope, misleading: Sequence[str]) -> tuple[Fact, ...]:
    """The lines about a message, at most MOST.

    One query about a sender who wrote before, three about a new one; an index answers each.

    Args:
        message: with its mailbox and account. envelope: its header, or what the index knows of it.
        misleading: what `links.mark` says of its links.
    """
    if message.mailbox is None or message.mailbox.role in _OWN or not envelope.from_:
        return ()
    sender = envelope.from_[0]
    found = [*_of_name(sender), *_of_history(user, message, sender), *_of_links(misleading), *_of_reply(envelope)]
    found.sort(key=lambda fact: not fact.warns)
    return tuple(found[:MOST])


def verification_of(message: Message, header: bytes, sender: Address) -> Verification | None:
    """The word about the sender by the servers that the administrator trusts; None where they say nothing."""
    found = authentication_of(message, header, sender.address.rpartition("@")[2])
    if found is None:
        return None
    word, icon, state = _WORDS[found.verdict]
    return Verification(word, icon, state, tuple(_check_sentences(found)))


def authentication_of(message: Message, header: bytes, domain: str) -> Authentication | None:
    """What the servers that the administrator trusts say about a message from `domain`; None where they say nothing."""
    trusted = message.account.provider.trusted_servers
    return authentication(fields(header), trusted, domain) if trusted else None


_WORDS = {
    Verdict.VERIFIED: ("Verified", "shield-check", "good"),
    Verdict.NOT_VERIFIED: ("Not verified", "shield", "plain"),
    Verdict.FAILED: ("Failed", "shield-alert", "bad"),
}
_RESULTS = {
    "pass": "passed",
    "fail": "failed",
    "softfail": "failed softly",
    "neutral": "says nothing",
    "none": "is not used",
    "policy": "was refused by a rule",
    "temperror": "could not be checked just then",
    "permerror": "could not be checked",
}


def _check_sentences(found: Authentication) -> Iterator[str]:
    for check in found.checks:
        result = _RESULTS.get(check.result, check.result)
        of = f" for {check.domain}" if check.domain else ""
        other = ", which is not the sender's domain" if check.domain and not check.aligned else ""
        yield f"{check.method.upper()} {result}{of}{other}."
    yield f"Checked by {found.server}."


def _of_name(sender: Address) -> Iterator[Fact]:
    domain = sender.address.rpartition("@")[2]
    other = senders.other_address(sender.name, sender.address)
    shown = domains.shown_address(sender.address)
    if other:
        yield Fact(
            "triangle-alert",
            "The sender's name is another address",
            (f"The name says “{other}”.", f"The mail is from {shown}."),
        )
    elif found := senders.other_domain(sender.name, sender.address):
        yield Fact(
            "triangle-alert",
            f"The sender's name says {found}, the address doesn't",
            (f"The name is “{sender.name[:100]}”.", f"The mail is from {shown}."),
        )
    if domains.is_lookalike(domain):
        yield Fact(
            "triangle-alert",
            "The address is spelt with letters that look like others",
            (f"Its domain is {domains.shown_domain(domain)}.", "It is not the one it would look like."),
        )
    if domains.has_mixed_word(sender.name) or domains.has_mixed_word(sender.address.rpartition("@")[0]):
        yield Fact(
            "triangle-alert",
            "The sender's name mixes letters of two alphabets",
            ("Some of its letters only look like those of another alphabet.", f"The mail is from {shown}."),
        )


def _of_history(user: User, message: Message, sender: Address) -> Iterator[Fact]:
    """A name that is known from other addresses, or the first mail from an address."""
    if not sender.address or sender.address.lower() == message.account.address.lower():
        return
    if _wrote_before(user, message, sender):
        return
    others = _known_from(user, message, sender) if sender.name else Counter()
    total = others.total()
    shown = domains.shown_address(sender.address)
    if total:
        many = f"more than {words.count(COUNTED)}" if total > COUNTED else words.count(total)
        known = ", ".join(domains.shown_address(address) for address, _count in others.most_common(3))
        yield Fact(
            "user-round-search",
            f"You have {many} mail{'' if total == 1 else 's'} with this name from another address",
            (f"Nothing that was read here before is from {shown}.", f"The name is known from {known}."),
        )
    elif _is_read(user, message):
        yield Fact(
            "user-round-plus",
            "First mail from this address",
            (f"Nothing that was read here before is from {shown}.",),
            warns=False,
        )


def _wrote_before(user: User, message: Message, sender: Address) -> bool:
    """Whether older mail from this address is in the index: one look into `message_by_address`."""
    rows = Message.objects.for_user(user).filter(mailbox__isnull=False, date__lt=message.date)
    return rows.filter(sender_hash=hash_of(sender.address.lower())).exists()


def _known_from(user: User, message: Message, sender: Address) -> Counter[str]:
    """The addresses from which mail with this name came, with how often; of very much mail the first COUNTED + 1."""
    rows = Message.objects.filter(mailbox__in=Mailbox.objects.for_user(user), sender_key=message.sender_key)
    if len(message.sender_key) >= KEY_LENGTH:
        rows = rows.filter(sender_name=message.sender_name)  # a key is the name's beginning
    rows = rows.exclude(sender_address__in=("", sender.address))
    found = rows.values_list("sender_address", flat=True)[: COUNTED + 1]
    return Counter(address for address in found if address.lower() != sender.address.lower())


def _is_read(user: User, message: Message) -> bool:
    """Whether so much is indexed that "first" means something: this mailbox, inboxes and archives, all of each."""
    needed = Mailbox.objects.for_user(user).filter(Q(pk=message.mailbox_id) | Q(role__in=("inbox", "archive")))
    return not needed.filter(selectable=True, exists__gt=0).exclude(lowest_uid=1).exists()


def _of_links(misleading: Sequence[str]) -> Iterator[Fact]:
    if misleading:
        number = len(misleading)
        said = "A link goes elsewhere than it says" if number == 1 else f"{number} links go elsewhere than they say"
        details = tuple(f"{sentence}." for sentence in misleading[:5])
        yield Fact("unlink", said, (*details, "…") if number > 5 else details)


def _of_reply(envelope: Envelope) -> Iterator[Fact]:
    """A Reply-To that belongs to somebody else; a mailing list's own is what one expects."""
    own = domains.registrable(envelope.from_[0].address.rpartition("@")[2])
    lists = domains.registrable(envelope.list_id) if envelope.list_id else ""
    for address in envelope.reply_to:
        owner = domains.registrable(address.address.rpartition("@")[2])
        if owner and owner not in (own, lists):
            yield Fact(
                "reply",
                f"Replies go to {domains.shown_address(address.address)}",
                ("An answer goes to that address, not to the one the mail is from.",),
            )
            return
