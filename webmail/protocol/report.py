"""What machines report about mail: deliveries (RFC 3464), receipts (RFC 8098), complaints (RFC 5965), in words.

The words are made from the enhanced status code (RFC 3463, RFC 5248); the server's own text stands beside them, for
codes are often wrong. Own code, linear and bounded, and so read in the process of the page.
"""

from __future__ import annotations

import re
from typing import Any

from .charsets import decode_text
from .words import decode_header, one_line

MAX_RECIPIENTS = 20
_MAX_GROUPS = 2_000
_MAX_DATA = 256 * 1024
_MAX_VALUE = 1_000

_FOLD = re.compile(r"\r?\n[ \t]+")
_GROUPS = re.compile(r"(?:\r?\n[ \t]*){2,}")
_STATUS = re.compile(r"\b([245])\.(\d{1,3})\.(\d{1,3})\b")
_REPLY = re.compile(r"\b([45])\d\d\b")
_BEFORE_WORDS = re.compile(r"^(?:\d{3}[ -])?(?:[245]\.\d{1,3}\.\d{1,3}\s+)?")
_XTEXT = re.compile(r"\\x\{([0-9A-Fa-f]{1,6})\}")

_REASONS = {
    "1.0": "Something is wrong with the address.",
    "1.1": "There is no such address.",
    "1.2": "There is no mail server for what stands behind the @.",
    "1.3": "The address is not written correctly.",
    "1.4": "The address belongs to more than one person.",
    "1.6": "This person has moved, and left no new address.",
    "1.7": "Your own address was not accepted.",
    "1.8": "Your own address was not accepted.",
    "1.10": "There is no such address.",
    "2.0": "Something is wrong with the mailbox.",
    "2.1": "The mailbox is switched off and takes no mail.",
    "2.2": "The mailbox is full.",
    "2.3": "The message is larger than this mailbox takes.",
    "2.4": "The mailing list could not pass it on.",
    "3.1": "The receiving server has no room left.",
    "3.2": "The receiving server takes no mail at the moment.",
    "3.4": "The message is too large for the receiving server.",
    "4.1": "The receiving server didn't answer.",
    "4.2": "The connection to the receiving server broke off.",
    "4.3": "The address of the receiving server could not be looked up.",
    "4.4": "No way to the receiving server was found.",
    "4.6": "The mail went round in circles.",
    "4.7": "The server tried for as long as it does, and gave up.",
    "5.3": "There are too many recipients.",
    "6.0": "The receiving server could not deal with the kind of content.",
    "6.1": "The receiving server could not deal with the kind of content.",
    "7.0": "The receiving server refused it for reasons of its own.",
    "7.1": "The receiving server refused it: you may not write to this address, or it was taken for unwanted mail.",
    "7.2": "You may not write to this mailing list.",
    "7.8": "The sending server could not sign in.",
    "7.20": "The receiving server refused it, because a signature of your server (DKIM) is missing or wrong.",
    "7.23": "The receiving server refused it, because your server may not send for your domain (SPF).",
    "7.26": "The receiving server refused it, because your domain's checks (SPF, DKIM) failed.",
    "7.27": "The receiving server refused it, because your address takes no mail.",
    "7.28": "The receiving server refused it, because too much mail came from you or your server.",
}
_SUBJECTS = {
    "1": "Something is wrong with the address.",
    "2": "Something is wrong with the mailbox.",
    "3": "Something is wrong with the receiving server.",
    "4": "The receiving server could not be reached.",
    "5": "The two servers didn't understand each other.",
    "6": "The receiving server could not deal with the content.",
    "7": "The receiving server refused it for reasons of safety or policy.",
}
_ACTIONS = ("failed", "delayed", "delivered", "relayed", "expanded")
_HANDLED = {
    "displayed": "was shown to",
    "read": "was shown to",
    "deleted": "was deleted by",
    "dispatched": "was passed on for",
    "processed": "was dealt with by a program for",
    "denied": "may have reached, but no receipt is given by,",
    "failed": "could not be dealt with for",
}


def read_delivery(data: bytes) -> dict[str, Any]:
    """What became of a message for each recipient (RFC 3464 §2).

    Raises:
        ValueError: it names none.
    """
    groups = _groups(data)
    recipients = [found for group in groups if (found := _recipient(group)) is not None]
    if not recipients:
        raise ValueError("no recipient")
    about = groups[0] if "final-recipient" not in groups[0] else {}
    return {
        "server": _typed(about.get("reporting-mta", "")),
        "recipients": recipients[:MAX_RECIPIENTS],
        "more": max(0, len(recipients) - MAX_RECIPIENTS),
        "envelope_id": about.get("original-envelope-id", ""),
    }


def read_receipt(data: bytes) -> dict[str, Any]:
    """What a person's program did with a message (RFC 8098 §3).

    Raises:
        ValueError: it doesn't say.
    """
    fields = {name: value for group in _groups(data) for name, value in group.items()}
    words = re.split(r"[;/,\s]+", fields.get("disposition", "").partition(";")[2].lower().strip())
    handled = next((word for word in words if word in _HANDLED), "")
    if "disposition" not in fields:
        raise ValueError("no disposition")
    return {
        "handled": handled,
        "did": _HANDLED.get(handled, "was dealt with by"),
        "by_itself": "automatic" in fields["disposition"].lower(),
        "recipient": _typed(fields.get("final-recipient", "")) or _typed(fields.get("original-recipient", "")),
        "program": fields.get("reporting-ua", "").partition(";")[2].strip(),
        "message_id": fields.get("original-message-id", "").strip("<> "),
    }


def read_complaint(data: bytes) -> dict[str, Any]:
    """What a provider reports about a message of ours (RFC 5965 §3).

    Raises:
        ValueError: it isn't one.
    """
    fields = {name: value for group in _groups(data) for name, value in group.items()}
    if "feedback-type" not in fields:
        raise ValueError("no feedback")
    return {
        "type": fields["feedback-type"].lower(),
        "domain": fields.get("reported-domain", ""),
        "from": fields.get("original-mail-from", "").strip("<> "),
        "to": fields.get("original-rcpt-to", "").strip("<> "),
        "arrived": fields.get("arrival-date", "") or fields.get("received-date", ""),
        "source": fields.get("source-ip", ""),
        "reporter": fields.get("user-agent", ""),
    }


def reason(status: str, diagnostic: str) -> str:
    """Why, in words: from the code, or the more telling one in the server's text; "" where neither says."""
    codes = [match for text in (status, diagnostic) for match in _STATUS.finditer(text)]
    for code in codes:
        words = _REASONS.get(f"{int(code[2])}.{int(code[3])}")
        if words:
            return words
    for code in codes:
        if code[2] in _SUBJECTS:
            return _SUBJECTS[code[2]]
    return ""


def _recipient(group: dict[str, str]) -> dict[str, Any] | None:
    if "final-recipient" not in group and "original-recipient" not in group:
        return None
    original, final = _typed(group.get("original-recipient", "")), _typed(group.get("final-recipient", ""))
    diagnostic = group.get("diagnostic-code", "")
    kind, semicolon, words = diagnostic.partition(";")
    said = words.strip() if semicolon and " " not in kind.strip() else diagnostic
    status = _STATUS.search(group.get("status", ""))
    action = group.get("action", "").split()[0].lower() if group.get("action", "").split() else ""
    if action not in _ACTIONS:
        code = status[1] if status else (_REPLY.search(said) or ["", ""])[1]
        action = {"2": "delivered", "4": "delayed"}.get(code, "failed")
    return {
        "address": original or final,
        "final": final if original and final.lower() != original.lower() else "",
        "action": action,
        "status": status[0] if status else "",
        "reason": reason(status[0] if status else "", said) if action in ("failed", "delayed") else "",
        "said": _BEFORE_WORDS.sub("", said) or said,
        "by": _typed(group.get("remote-mta", "")),
        "until": group.get("will-retry-until", ""),
    }


def _groups(data: bytes) -> list[dict[str, str]]:
    """The groups of fields between empty lines, names in lower case, values decoded, each on one line."""
    groups: list[dict[str, str]] = []
    for block in _GROUPS.split(decode_text(data[:_MAX_DATA], "utf-8").strip())[:_MAX_GROUPS]:
        group: dict[str, str] = {}
        for line in _FOLD.sub(" ", block).splitlines():
            name, colon, value = line.partition(":")
            if colon:
                group.setdefault(name.strip().lower(), one_line(decode_header(value.strip()[:_MAX_VALUE])))
        if group:
            groups.append(group)
    return groups or [{}]


def _typed(value: str) -> str:
    """What stands behind the type: "rfc822; carol@demo.test"."""
    kind, semicolon, rest = value.partition(";")
    value = rest if semicolon else kind
    value = _XTEXT.sub(lambda match: chr(min(int(match[1], 16), 0x10FFFF)), value)
    return one_line(value.strip().strip("<>"))
