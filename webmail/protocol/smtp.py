"""Submission (RFC 6409): one message handed to a mail server, and its answer told apart (`smtp_outcome`).

A message goes out only with CR LF at the end of every line, so that no server can take a part of it for a second one;
where the server has CHUNKING it is counted, not delimited (RFC 3030). The connection itself is `smtp_session`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from .compose import Outgoing
from .errors import BadAnswer, Forbidden, LoginNeeded, ProtocolError, Refused, TryAgain
from .guard import header_value
from .smtp_outcome import (
    Delivered,
    Fate,
    RecipientAnswer,
    RecipientsDeferred,
    RecipientsRefused,
    TooLarge,
    Unclear,
    Unsupported,
)
from .smtp_session import COMMAND_SECONDS, WRONG_LOGIN, Answer, Session, open_session, refusal
from .types import Login, Server

FINAL_SECONDS = 300.0  # what a server may take to check a message it has got (RFC 5321 §4.5.3.2.6 grants 600)

_CHUNK = 256 * 1024
_CHUNK_COUNTED = 1024 * 1024
_BARE = re.compile(rb"(?<!\r)\n|\r(?!\n)")
_ENHANCED_TOO_LARGE = re.compile(r"5\.(?:2|3)\.[34]\b")


def nothing() -> None:
    """What is called before the last piece by who has nothing to record."""


def submit(
    server: Server,
    login: Login | None,
    outgoing: Outgoing,
    *,
    on_wire: Callable[[], None] = nothing,
    envelope_id: str = "",
    wants_report: bool = False,
) -> Delivered:
    """Hand over a message.

    Args:
        server: the submission server. login: None for one that wants none.
        on_wire: called once, when everything but the last piece is with the server: what it raises ends the
            connection, and nothing was sent. After it the message may have been sent.
        envelope_id: comes back in delivery reports, where the server can do that (RFC 3461 §4.4).
        wants_report: ask for a report of delivery as well.

    Raises:
        Unclear: it may have been sent. Every other ProtocolError: it was not; see `smtp_outcome`.
    """
    _check(outgoing)
    session = open_session(server, login)
    try:
        delivered = _Transaction(session, outgoing, on_wire, envelope_id, wants_report).run()
        session.quit()
        return delivered
    finally:
        session.close()


def size_limit(server: Server, login: Login | None) -> int:
    """Octets of the largest message the server takes, 0 where it doesn't say.

    Raises:
        ProtocolError: it can't be asked.
    """
    session = open_session(server, login)
    try:
        session.quit()
        return session.size_limit
    finally:
        session.close()


def _check(outgoing: Outgoing) -> None:
    """Raise Forbidden for what could be read as more than one message, or as another command."""
    if _BARE.search(outgoing.message) or b"\0" in outgoing.message:
        raise Forbidden("This message has line ends that no mail server may be sent.")
    if not outgoing.recipients:
        raise Forbidden("This message has no recipient.")
    if not all(outgoing.recipients):
        raise Forbidden("This is not a mail address that can be written to.")
    for address in (outgoing.sender, *outgoing.recipients):
        header_value(address)
        if any(char in address for char in " \t<>"):
            raise Forbidden("This is not a mail address that can be written to.", address[:100])


class _Transaction:
    """MAIL, RCPT and the message."""

    def __init__(
        self, session: Session, outgoing: Outgoing, on_wire: Callable[[], None], envelope_id: str, wants_report: bool
    ) -> None:
        self._session = session
        self._outgoing = outgoing
        self._on_wire = on_wire
        self._envelope_id = envelope_id
        self._wants_report = wants_report

    def run(self) -> Delivered:
        session, outgoing = self._session, self._outgoing
        self._check_offers()
        reports = "DSN" in session.offers
        notify = " NOTIFY=SUCCESS,DELAY,FAILURE" if reports and self._wants_report else ""
        first, *rest = session.commands(
            [self._mail(reports), *(f"RCPT TO:<{address}>{notify}" for address in outgoing.recipients)]
        )
        if not first.ok:
            raise self._mail_refusal(first)
        answers = tuple(map(_recipient_answer, outgoing.recipients, rest))
        if not any(each.fate is Fate.ACCEPTED for each in answers):
            if any(each.fate is Fate.DEFERRED for each in answers):
                raise RecipientsDeferred(answers)
            raise RecipientsRefused(answers)
        final = self._hand_over(answers)
        if not final.ok:
            raise _message_refusal(final)
        return Delivered(answers, final.words, session.size_limit)

    def _check_offers(self) -> None:
        """Raise for what the server can't take, before anything is uploaded."""
        offers, outgoing = self._session.offers, self._outgoing
        limit, size = self._session.size_limit, len(outgoing.message)
        if limit and size > limit:
            raise TooLarge(
                f"The mail server takes messages of up to {limit / 1_000_000:.1f} MB; "
                f"with its attachments this one has {size / 1_000_000:.1f} MB."
            )
        if outgoing.needs_utf8 and "SMTPUTF8" not in offers:
            raise Unsupported(
                "An address has letters before its @ that your mail server can't send to.", "it lacks SMTPUTF8"
            )
        if outgoing.is_8bit and "8BITMIME" not in offers:
            raise Unsupported(
                "The message that is attached or sent on can't go through your mail server as it is.",
                "it lacks 8BITMIME",
            )

    def _mail(self, reports: bool) -> str:
        offers, outgoing = self._session.offers, self._outgoing
        words = [f"MAIL FROM:<{outgoing.sender}>"]
        if "SIZE" in offers:
            words.append(f"SIZE={len(outgoing.message)}")
        if outgoing.is_8bit:
            words.append("BODY=8BITMIME")
        if outgoing.needs_utf8:
            words.append("SMTPUTF8")
        if reports:
            words.append("RET=HDRS")
            if self._envelope_id.isascii() and self._envelope_id.isalnum():
                words.append(f"ENVID={self._envelope_id}")
        return " ".join(words)

    def _mail_refusal(self, answer: Answer) -> ProtocolError:
        if answer.code in WRONG_LOGIN:
            return LoginNeeded("The mail server wants another log-in before it takes mail.", answer.words)
        if answer.code == 552 or _ENHANCED_TOO_LARGE.match(answer.text):
            return TooLarge(detail=answer.words)
        if 500 <= answer.code < 600:
            return Refused(f"The mail server takes no mail from {self._outgoing.sender}.", answer.words)
        return refusal(answer)

    def _hand_over(self, answers: tuple[RecipientAnswer, ...]) -> Answer:
        """The message; whatever happens from its last piece on leaves it unclear, unless the server answers."""
        session = self._session
        if "CHUNKING" in session.offers:
            *pieces, last = _counted(self._outgoing.message)
            for piece in pieces:
                session.send(piece)
                answer = session.wait(COMMAND_SECONDS)
                if not answer.ok:
                    return answer
        else:
            answer = session.command("DATA")
            if answer.code != 354:
                return answer if not answer.ok else Answer(554, answer.text)
            for piece in _stuffed(self._outgoing.message):
                session.send(piece)
            last = b".\r\n"
        early = session.unasked()
        if early is not None:  # it refuses what it has so far: nothing was sent
            return early if not early.ok else Answer(554, early.text)
        self._on_wire()
        try:
            session.send(last)
            final = session.wait(FINAL_SECONDS)
            if final.code < 400 and not final.ok:
                raise BadAnswer(detail=final.words)
        except (TryAgain, BadAnswer) as error:
            raise Unclear(error.detail, answers) from error
        return final


def _message_refusal(answer: Answer) -> ProtocolError:
    if answer.code == 552 or _ENHANCED_TOO_LARGE.match(answer.text):
        return TooLarge(detail=answer.words)
    if answer.code >= 500:
        return Refused("The mail server refused this message.", answer.words)
    return refusal(answer)


def _recipient_answer(address: str, answer: Answer) -> RecipientAnswer:
    fate = Fate.ACCEPTED if answer.ok else Fate.DEFERRED if 400 <= answer.code < 500 else Fate.REFUSED
    return RecipientAnswer(address, fate, answer.words)


def _stuffed(message: bytes) -> Iterator[bytes]:
    """The message for DATA: a dot more before each line that begins with one (RFC 5321 §4.5.2), CR LF at its end."""
    begins = True  # at the start of a line
    for start in range(0, len(message), _CHUNK):
        piece = message[start : start + _CHUNK]
        stuffed = piece.replace(b"\n.", b"\n..")
        if begins and piece.startswith(b"."):
            stuffed = b"." + stuffed
        begins = piece.endswith(b"\n")
        yield stuffed
    if not begins or not message:
        yield b"\r\n"


def _counted(message: bytes) -> list[bytes]:
    """The message for BDAT, each piece with its command; the last says so."""
    if not message.endswith(b"\r\n"):
        message += b"\r\n"
    starts = range(0, len(message), _CHUNK_COUNTED)
    pieces = [message[start : start + _CHUNK_COUNTED] for start in starts]
    *before, last = [b"BDAT %d" % len(piece) for piece in pieces]
    heads = [*(head + b"\r\n" for head in before), last + b" LAST\r\n"]
    return [head + piece for head, piece in zip(heads, pieces, strict=True)]
