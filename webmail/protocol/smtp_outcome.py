"""How sending a message can end, sorted by what to do about it.

                              nothing was handed over                          │ it may have been
    connect ─▶ EHLO ─▶ AUTH ─▶ MAIL ─▶ RCPT … ─▶ DATA ─▶ all but the last piece│─▶ the last piece ─▶ 250: Delivered
       │        │       │       │       │         │        │                   │        │
       │        │       │       │       │         │        │                   │        ├─ 4xx: TryAgain, 5xx: Refused
       │        │       │       │       │         │        │                   │        └─ no answer: Unclear
       │        │       │       │       ├─ some 5xx or 4xx: the others get it, `Delivered.answers` tells
       │        │       │       │       └─ all of them: RecipientsRefused, else RecipientsDeferred
       │        │       ├─ LoginNeeded
       │        └─ Untrusted (no STARTTLS, wrong certificate), Unsupported, TooLarge
       └─ 4xx, lost, timed out: TryAgain                        5xx: Refused

TryAgain and its kin: the same message may be sent again to the same people. GiveUp and its kin: never by itself.
Unclear: nobody can tell (RFC 1047), so never again by itself: the person decides.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

from .errors import ProtocolError, Refused, TryAgain


class Fate(enum.StrEnum):
    """What became of one recipient: the first three are a server's answer, the others what is made of it."""

    ACCEPTED = "accepted"
    DEFERRED = "deferred"  # 4xx: may work later
    REFUSED = "refused"  # 5xx
    UNSURE = "unsure"  # accepted, and then no answer to the message
    GIVEN_UP = "given up"  # deferred until nobody tried any more


@dataclass(frozen=True, slots=True)
class RecipientAnswer:
    """One recipient, what became of them, and the server's own words ("550 5.1.1 No such person")."""

    address: str
    fate: Fate
    words: str


@dataclass(frozen=True, slots=True)
class Delivered:
    """The server took the message on for at least one recipient.

    Args:
        answers: one for each recipient, in order. words: what it said in the end.
        size_limit: octets of the largest message it takes, 0 where it doesn't say (RFC 1870).
    """

    answers: tuple[RecipientAnswer, ...]
    words: str
    size_limit: int = 0


class Unclear(ProtocolError):
    """The last piece was handed over and no answer came: it may have been sent, or not."""

    sentence = "The connection was lost just after the message was handed over. It may have been sent, or not."

    def __init__(self, detail: str = "", answers: tuple[RecipientAnswer, ...] = ()) -> None:
        super().__init__(detail=detail)
        self.answers = answers


class RecipientsRefused(Refused):
    """Every recipient was refused, at least one of them for good and none so that trying again could help."""

    sentence = "The mail server refused every recipient."

    def __init__(self, answers: tuple[RecipientAnswer, ...]) -> None:
        super().__init__(detail=answers[0].words if answers else "")
        self.answers = answers


class RecipientsDeferred(TryAgain):
    """No recipient was accepted, and for some trying again may help."""

    sentence = "The mail server takes no mail for these recipients at the moment."

    def __init__(self, answers: tuple[RecipientAnswer, ...]) -> None:
        super().__init__(detail=next((each.words for each in answers if each.fate is Fate.DEFERRED), ""))
        self.answers = answers


class TooLarge(Refused):
    """The message is larger than the server takes; known before it was uploaded wherever the server says so."""

    sentence = "The mail server takes no message as large as this."


class Unsupported(Refused):
    """The message needs an extension that the server lacks."""

    sentence = "The mail server can't take this message."
