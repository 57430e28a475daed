"""What can go wrong while speaking to a mail server, sorted by what to do about it.

Every error carries `sentence`: one clear sentence for the person, without codes, and `detail`: the
server's own words for the account page and the log (never a password, never a message's content).
"""

from __future__ import annotations


class ProtocolError(Exception):
    """Base of everything this package raises on purpose. As a string it is the sentence with its detail.

    Args:
        sentence: for the person; ends with a full stop.
        detail: the server's or library's own words; may be empty.
    """

    sentence = "The mail server could not be used."

    def __init__(self, sentence: str = "", detail: str = "") -> None:
        self.sentence = sentence or type(self).sentence
        self.detail = detail
        super().__init__(self.sentence + (f" ({detail})" if detail else ""))


class TryAgain(ProtocolError):
    """Nothing is wrong with the request: the same call may work later (retry with back-off)."""

    sentence = "The mail server can't be reached at the moment."


class ConnectionFailed(TryAgain):
    """No connection could be made: DNS, TCP, refused, timed out."""


class ConnectionLost(TryAgain):
    """A connection that worked has gone: EOF, reset, BYE, deadline passed. What was under way is in doubt."""

    sentence = "The connection to the mail server was lost."


class Busy(TryAgain):
    """Our own cap is reached and no connection came free before the deadline."""

    sentence = "All connections to the mail server are busy. Try again in a moment."


class TooManyConnections(TryAgain):
    """The server refuses another connection ([LIMIT], [INUSE], RFC 5530)."""

    sentence = "The mail server allows no more connections at the moment."


class LoginNeeded(ProtocolError):
    """The credential is wrong or has expired: only the person can mend it ([AUTHENTICATIONFAILED], [EXPIRED])."""

    sentence = "The mail server did not accept this address and password."


class GiveUp(ProtocolError):
    """The same call will never work: do not retry."""


class Untrusted(GiveUp):
    """TLS could not be trusted: bad certificate, no STARTTLS where it is required, PREAUTH."""

    sentence = "The mail server's identity could not be verified, so nothing was sent to it."


class Forbidden(GiveUp):
    """Our own guard refused: an address, port or argument that must not go out (law 6)."""

    sentence = "This server address is not allowed."


class BadAnswer(GiveUp):
    """The server broke the protocol, or its answer passed our limits."""

    sentence = "The mail server gave an answer that could not be understood."


class Refused(GiveUp):
    """A tagged NO or BAD: tell the person in the server's words.

    Args:
        code: the response code in capitals ("NONEXISTENT", "OVERQUOTA", …) or "".
    """

    sentence = "The mail server refused."

    def __init__(self, sentence: str = "", detail: str = "", code: str = "") -> None:
        super().__init__(sentence, detail)
        self.code = code


class NoSuchMailbox(Refused):
    """The mailbox is gone or was never there ([NONEXISTENT], RFC 5530)."""

    sentence = "This mailbox no longer exists on the mail server."


class UidValidityChanged(GiveUp):
    """The mailbox's UIDVALIDITY is not the one we know: every UID we hold means nothing (law 8)."""

    sentence = "The mail server has renumbered this mailbox. It is being read again."


class NoSuchMessage(GiveUp):
    """The UID is not in the mailbox any more."""

    sentence = "This message is no longer in this mailbox."


class Unreadable(GiveUp):
    """Bytes that a parser could not make sense of: it raised, crashed or answered nonsense (see `bounded`)."""

    sentence = "This could not be read."


class TooMuch(Unreadable):
    """Reading it would take more time, memory or room than we give to anything."""

    sentence = "This takes too much to be shown here."
