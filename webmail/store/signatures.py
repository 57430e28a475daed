"""What is to be said of a signature, in one sentence and a few words of detail. Never more than was checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from . import words
from .enclosures import Signature


@dataclass(frozen=True, slots=True)
class SignatureLine:
    """`state` is "good", "wait", "loss" or ""; `details` are a label and a value each."""

    state: str
    icon: str
    sentence: str
    details: tuple[tuple[str, str], ...] = ()


def signature_line(signature: Signature | None, sender: str, zone: tzinfo) -> SignatureLine | None:
    """The line below the header; None for a message that isn't signed.

    Args:
        sender: the address it came from, which the certificate has to name. zone: the reader's.
    """
    if signature is None:
        return None
    if signature.how in ("pgp", "other"):
        what = "Signed" if signature.whole else "A part of this message is signed"
        way = "with PGP" if signature.how == "pgp" else "in a way that is not known here"
        return SignatureLine("", "key-round", f"{what} {way}. Such signatures can't be checked here.")
    if signature.how == "pgp-inline":
        return SignatureLine("", "key-round", "Its text is signed with PGP. Such signatures can't be checked here.")
    facts = signature.facts
    state, icon, sentence = _verdict(facts, sender)
    if not signature.whole and state != "loss":
        # Words of somebody else may stand around it.
        state, icon = "", "info"
        sentence = f"Only a part of this message is signed. {sentence}"
    return SignatureLine(state, icon, sentence, tuple(_details(facts, zone)))


def _verdict(facts: Mapping[str, Any], sender: str) -> tuple[str, str, str]:
    result = facts.get("result", "")
    addresses = facts.get("addresses", [])
    who = _who(facts)
    if result == "changed":
        return "loss", "octagon-alert", "The signature does not fit: the message was changed after it was signed."
    if result in ("valid", "unknown", "expired", "weak"):
        if sender.lower() not in [address.lower() for address in addresses]:
            return "loss", "triangle-alert", f"Signed by {who}, who is not the sender."
        return {
            "valid": ("good", "shield-check", f"Signed by {who}, valid."),
            "unknown": ("wait", "info", f"Signed by {who}, but the certificate is not from a known authority."),
            "expired": ("wait", "info", f"Signed by {who}, but the certificate has expired."),
            "weak": ("wait", "info", f"Signed by {who}, but in a way that is no longer safe."),
        }[result]
    if result == "unreadable":
        return "wait", "info", "Signed, but the signature can't be read."
    if not result:
        return "", "info", "Signed. The message is too large for its signature to be checked here."
    return "wait", "info", f"Signed, but that can't be checked here. {facts.get('why', '')}".strip()


def _who(facts: Mapping[str, Any]) -> str:
    name, addresses = facts.get("name", ""), facts.get("addresses", [])
    if not addresses:
        return name or "somebody unnamed"
    return f"{name} <{addresses[0]}>" if name and name != addresses[0] else str(addresses[0])


def _details(facts: Mapping[str, Any], zone: tzinfo) -> list[tuple[str, str]]:
    found = [("Certificate of", _who(facts)), ("Issued by", facts["issuer"])] if facts.get("issuer") else []
    for label, name in (("Valid until", "until"), ("Signed at", "signed_at")):
        if facts.get(name):
            found.append((label, words.full_date(datetime.fromisoformat(facts[name]).astimezone(zone))))
    if found:
        found.append(("Not checked", "whether the certificate was revoked: that would tell others that you read this"))
    return found
