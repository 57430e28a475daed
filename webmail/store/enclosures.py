"""What comes with a message besides its text: cards, attached messages, a signature, a container that was opened.

All of it is fetched in the message's own round trip. What large parsers read is read once, in one child process for
the whole message, and its facts are kept beside the body.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from webmail.models import Message
from webmail.protocol import bounded, cards, content, kinds, report, text
from webmail.protocol.errors import ProtocolError, Unreadable
from webmail.protocol.opened import Opened, named_from_outside, put_in
from webmail.protocol.types import Content, Envelope, Part

from . import bodies
from .enclosed import MAX_CONTAINER, NotThere, Scope, open_container, read_sections

MAX_SIGNED = 2**20  # octets of signed content that are fetched along to be checked
_MAX_ENTITY = 2 * MAX_SIGNED  # with the encodings and delimiters that sizes of parts don't count
_MAX_SIGNATURE = 128 * 1024
_MAX_HEADER = 32 * 1024  # octets of an attached message's header
_REPORTS = {
    kinds.DELIVERY: report.read_delivery,
    kinds.RECEIPT: report.read_receipt,
    kinds.ABUSE: report.read_complaint,
}
PGP = ("-----BEGIN PGP MESSAGE-----", "-----BEGIN PGP SIGNED MESSAGE-----")


@dataclass(frozen=True, slots=True)
class Card:
    """The facts of one part that is shown as a card (`kinds.card_kind`)."""

    section: str
    kind: str
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Enclosed:
    """An attached message, or a container: what its card says. `envelope` is None where it isn't known yet."""

    part: Part
    envelope: Envelope | None


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature: `how` is "smime", "pgp", "pgp-inline", "other"; `facts` what was found out, {} for nothing."""

    how: str
    facts: Mapping[str, Any]
    whole: bool = True  # all of the message is signed, not a part that may stand below somebody else's words


@dataclass(frozen=True, slots=True)
class Enclosures:
    """What comes with a message besides its text.

    Args:
        original: the header of the message that a report is about.
        replaced: sections that needn't be listed as files: a card says what they say, and they have no name.
        sealed_text: some of the text is PGP's, encrypted.
    """

    cards: tuple[Card, ...] = ()
    messages: tuple[Enclosed, ...] = ()
    signature: Signature | None = None
    original: Envelope | None = None
    replaced: frozenset[str] = frozenset()
    sealed_text: bool = False


@dataclass(frozen=True, slots=True)
class OpenedAlong:
    """A container opened with its message: what is chosen of both together."""

    content: Content
    containers: Mapping[str, Opened]
    whole: bool = False  # the container is all of the message


def name_of(inside: str) -> str:
    """The name under which the facts are kept."""
    return f"cards:{inside}" if inside else "cards"


def headers_of(shown: Content) -> list[str]:
    """The sections of the headers of attached messages."""
    known = (part for part in shown.messages if part.children and not kinds.is_encoded_message(part))
    return [f"{part.section}.HEADER" for part in known]


def replaced(shown: Content, kept: bytes | None) -> frozenset[str]:
    """Sections of nameless parts that needn't be listed as files, for a card says what they say.

    Args:
        kept: what is kept under `name_of`.
    """
    facts = _kept_facts(kept)
    return _replaced(shown, facts) if facts else frozenset()


def open_along(
    message: Message,
    inside: str,
    scope: Scope,
    shown: Content,
    wanted: Mapping[str, int | None],
    kept: dict[str, bytes],
) -> OpenedAlong:
    """Open the container that `shown` names, fetching all that the page needs in the same round trip.

    What was fetched is added to `kept`. Where it can't be opened, `shown` stays as it is.
    """
    part = shown.opened
    assert part is not None
    try:
        container = open_container(message, part, lambda: _fetch_all(message, inside, shown, wanted, kept))
    except NotThere:
        return OpenedAlong(shown, {})
    except ProtocolError:
        if part.section in kept:  # it is here, but there was no room to open it
            return OpenedAlong(shown, {})
        raise
    if container.structure is None:
        return OpenedAlong(shown, {})
    tree = named_from_outside(container.structure, part.section)
    if part.type not in kinds.PKCS7 and shown.sequence:
        # Its text says what the message has said already.
        tree = replace(tree, children=tuple(child for child in tree.children if child.filename))
    both = content.choose(put_in(scope.root, part.section, tree))
    if both.opened is not None:  # a container in the container waits to be asked for
        both = replace(both, opened=None, closed=(both.opened, *both.closed))
    return OpenedAlong(both, {part.section: container}, whole=scope.root is part)


def sections_for(shown: Content, inside: str, kept: Mapping[str, bytes]) -> dict[str, int | None]:
    """The sections that cards, attached messages and the signature are read from."""
    wanted: dict[str, int | None] = dict.fromkeys(headers_of(shown), _MAX_HEADER)
    if name_of(inside) not in kept:
        wanted |= {part.section: content.MAX_CARD for part in shown.cards}
        wanted |= _signed_sections(shown)
    return wanted


def read(
    message: Message,
    inside: str,
    scope: Scope,
    shown: Content,
    found: Mapping[str, bytes],
    kept: Mapping[str, bytes],
    along: OpenedAlong | None,
) -> Enclosures:
    """All that comes with the message, from the sections that `sections_for` asked for."""
    facts = _kept_facts(kept.get(name_of(inside)))
    if facts is None:
        facts = _read_facts(shown, found)
        if facts is not None and (shown.cards or shown.signed):
            bodies.put(message, {name_of(inside): json.dumps(facts).encode()})
    facts = facts or {"cards": [], "signature": None, "original": None}
    messages = tuple(Enclosed(part, _envelope(part, found)) for part in (*shown.messages, *shown.closed))
    original = text.envelope(facts["original"].encode()) if facts["original"] else None
    is_report = any(card["kind"] in _REPORTS for card in facts["cards"])
    return Enclosures(
        cards=tuple(Card(card["section"], card["kind"], card["facts"]) for card in facts["cards"]),
        messages=messages,
        signature=_signature(scope, shown, facts, found, along),
        original=original or next((item.envelope for item in messages if is_report and item.envelope), None),
        replaced=_replaced(shown, facts),
        sealed_text=any(_begins(part, found, PGP[0]) for part in shown.text),
    )


def _fetch_all(
    message: Message, inside: str, shown: Content, wanted: Mapping[str, int | None], kept: dict[str, bytes]
) -> bytes:
    """The container's octets, and with them in one round trip whatever else the page will want."""
    assert shown.opened is not None
    section = shown.opened.section
    everything = {**wanted, **sections_for(shown, inside, kept), section: MAX_CONTAINER}
    kept |= read_sections(message, everything, kept)
    return kept[section]


def _signed_sections(shown: Content) -> dict[str, int | None]:
    """The signed entity with its header, and its signature; nothing where it is large or not S/MIME."""
    if shown.signed is None or not _is_smime(shown.signed):
        return {}
    signed, signature = shown.signed.children
    octets = sum(part.size for part in signed.walk() if not part.children)
    if octets > MAX_SIGNED or signature.size > _MAX_SIGNATURE:
        return {}
    return {f"{signed.section}.MIME": _MAX_HEADER, signed.section: _MAX_ENTITY, signature.section: _MAX_SIGNATURE}


def _is_smime(signed: Part) -> bool:
    signature = signed.children[1]
    return signature.type in kinds.PKCS7_SIGNATURES or signature.filename.lower().endswith(".p7s")


def _how(signed: Part) -> str:
    if _is_smime(signed):
        return "smime"
    return "pgp" if signed.children[1].type == "application/pgp-signature" else "other"


def _read_facts(shown: Content, found: Mapping[str, bytes]) -> dict[str, Any] | None:
    """The facts of all cards and of the signature; None where no child process was free."""
    facts: dict[str, Any] = {"cards": [], "signature": None, "original": None}
    pieces: list[tuple[str, bytes]] = []
    read: list[tuple[str, str, dict[str, Any] | None]] = []
    for part in shown.cards:
        kind = kinds.card_kind(part)
        octets = text.decode_transfer(found.get(part.section, b""), part.encoding)
        if kind == kinds.HEADERS:
            facts["original"] = facts["original"] or text.decode_text(octets, "utf-8")[:_MAX_HEADER]
        elif kind in _REPORTS:
            read.append((part.section, kind, _read_report(kind, octets)))
        else:
            read.append((part.section, kind, None))
            pieces.append((kind, octets))
    signed = _signed_sections(shown)
    if signed:
        mime, entity, signature = signed
        assert shown.signed is not None
        der = text.decode_transfer(found.get(signature, b""), shown.signed.children[1].encoding)
        if not found.get(mime) or len(found.get(entity, b"")) >= _MAX_ENTITY:  # else it would seem to be changed
            facts["signature"] = {"result": "unchecked", "why": "What was signed could not be read whole."}
        else:
            pieces.append((cards.SIGNATURE, _detached(found[mime] + found[entity], der)))
    answers = _ask(pieces) if pieces else []
    if answers is None:
        return None
    if signed and facts["signature"] is None:
        facts["signature"] = answers.pop() or {"result": "unreadable"}
    for section, kind, reported in read:
        known = reported if kind in _REPORTS else answers.pop(0)
        if known is not None:
            facts["cards"].append({"section": section, "kind": kind, "facts": known})
    return facts


def _ask(pieces: list[tuple[str, bytes]]) -> list[dict[str, Any] | None] | None:
    data, argument = cards.question(pieces)
    try:
        answer = bounded.run("webmail.protocol.cards:read_cards", data, argument=argument)
    except Unreadable:
        return [None] * len(pieces)
    except ProtocolError:
        return None
    found: list[dict[str, Any] | None] = json.loads(answer)
    return found


def _detached(content: bytes, signature: bytes) -> bytes:
    """As `signature.read_detached` takes it."""
    return len(content).to_bytes(8, "big") + content + signature


def _read_report(kind: str, octets: bytes) -> dict[str, Any] | None:
    try:
        return _REPORTS[kind](octets)
    except ValueError:
        return None


def _replaced(shown: Content, facts: Mapping[str, Any]) -> frozenset[str]:
    read = {card["section"] for card in facts["cards"]}
    if any(card["kind"] in _REPORTS for card in facts["cards"]):
        read |= {part.section for part in shown.cards if kinds.card_kind(part) == kinds.HEADERS}
    return frozenset(part.section for part in shown.cards if not part.filename and part.section in read)


def _kept_facts(kept: bytes | None) -> dict[str, Any] | None:
    if kept is None:
        return None
    facts: dict[str, Any] = json.loads(kept)
    return facts


def _envelope(part: Part, found: Mapping[str, bytes]) -> Envelope | None:
    header = found.get(f"{part.section}.HEADER")
    return text.envelope(header) if header else None


def _signature(
    scope: Scope, shown: Content, facts: Mapping[str, Any], found: Mapping[str, bytes], along: OpenedAlong | None
) -> Signature | None:
    """The signature that counts for what is shown: of the whole content rather than of a piece of it."""
    if "signature" in scope.facts:
        return Signature("smime", scope.facts["signature"], scope.whole)
    for container in along.containers.values() if along else ():
        if "signature" in container.facts:
            return Signature("smime", container.facts["signature"], along is not None and along.whole)
    if shown.signed is not None:
        return Signature(_how(shown.signed), facts["signature"] or {}, shown.all_signed)
    if any(_begins(part, found, PGP[1]) for part in shown.text):
        return Signature("pgp-inline", {})
    return None


def _begins(part: Part, found: Mapping[str, bytes], mark: str) -> bool:
    octets = text.decode_transfer(found.get(part.section, b"")[:_MAX_HEADER], part.encoding)
    return mark.encode() in octets
