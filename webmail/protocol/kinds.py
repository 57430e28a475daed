"""What a part is for, told from its type and name: a card, a message, a container that only a program opens."""

from __future__ import annotations

from .types import Part

PKCS7 = frozenset(("application/pkcs7-mime", "application/x-pkcs7-mime"))
PKCS7_SIGNATURES = frozenset(("application/pkcs7-signature", "application/x-pkcs7-signature"))
TNEF = frozenset(("application/ms-tnef", "application/vnd.ms-tnef"))
MESSAGES = frozenset(("message/rfc822", "message/global", "message/news"))

CALENDAR, CONTACT, DELIVERY, RECEIPT, ABUSE, HEADERS = (
    "calendar", "contact", "delivery", "receipt", "abuse", "headers",
)  # fmt: skip
_CARDS = {
    "text/calendar": CALENDAR,
    "application/ics": CALENDAR,
    "text/x-vcalendar": CALENDAR,
    "text/vcard": CONTACT,
    "text/x-vcard": CONTACT,
    "text/directory": CONTACT,
    "message/delivery-status": DELIVERY,
    "message/global-delivery-status": DELIVERY,
    "message/disposition-notification": RECEIPT,
    "message/global-disposition-notification": RECEIPT,
    "message/feedback-report": ABUSE,
    "text/rfc822-headers": HEADERS,
    "message/global-headers": HEADERS,
}
_CARD_NAMES = {".ics": CALENDAR, ".vcs": CALENDAR, ".vcf": CONTACT}
# Types that say nothing, so that the name decides.
_ANYTHING = frozenset(("application/octet-stream", "text/plain", "application/binary", "application/x-unknown"))
_ENCODED = frozenset(("base64", "quoted-printable"))


def card_kind(part: Part) -> str:
    """Which card shows this part ("calendar", "contact", "delivery", …), or ""."""
    if part.type in _ANYTHING:
        return _CARD_NAMES.get(part.filename[-4:].lower(), "")
    return _CARDS.get(part.type, "")


def is_message(part: Part) -> bool:
    """Whether it is a whole message that can be opened as one."""
    return part.type in MESSAGES or (part.type in _ANYTHING and part.filename[-4:].lower() == ".eml")


def is_encoded_message(part: Part) -> bool:
    """A message that the server can't look into: encoded (which RFC 2046 §5.2.1 forbids), or called a file."""
    return is_message(part) and (part.type not in ("message/rfc822", "message/global") or part.encoding in _ENCODED)


def is_container(part: Part) -> bool:
    """Whether it holds parts that only a program of ours gets out."""
    if part.type in PKCS7:
        return not is_sealed(part) and dict(part.params).get("smime-type") != "certs-only"
    return part.type in TNEF or (part.type in _ANYTHING and part.filename.lower() == "winmail.dat")


def is_sealed(part: Part) -> bool:
    """Whether it says of itself that it is encrypted (RFC 8551 §3.2.2)."""
    return dict(part.params).get("smime-type", "") in ("enveloped-data", "authenveloped-data", "encrypted-data")
