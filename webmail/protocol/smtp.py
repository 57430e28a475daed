"""Submission (RFC 6409): one message handed to a mail server, and its answer told apart (`smtp_outcome`).

The connection is made as every other one: through the guard, TLS from the first byte or by STARTTLS, bounded answers,
a deadline on every wait. The server learns nothing of this machine. A message goes out only with CR LF at the end of
every line, so that no server can take a part of it for a second one; where the server has CHUNKING it is counted, not
delimited (RFC 3030).
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from .compose import Outgoing
from .connection import dial, secure
from .errors import (
    BadAnswer,
    ConnectionFailed,
    ConnectionLost,
    Forbidden,
    LoginNeeded,
    ProtocolError,
    Refused,
    TooManyConnections,
    TryAgain,
    Untrusted,
)
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
from .types import Login, Security, Server
from .wire import Wire

HELLO = "[127.0.0.1]"  # says nothing of this machine or its network, as mail programs on a desk do
CONNECT_SECONDS = 10.0
COMMAND_SECONDS = 60.0
FINAL_SECONDS = 300.0  # what a server may take to check a message it has got (RFC 5321 §4.5.3.2.6 grants 600)
GOODBYE_SECONDS = 1.0

_ANSWER = 64 * 1024  # octets of one answer
_CHUNK = 256 * 1024
_CHUNK_COUNTED = 1024 * 1024
_BATCH = 50  # commands sent ahead of their answers
_BARE = re.compile(rb"(?<!\r)\n|\r(?!\n)")
_CODE = re.compile(rb"([2-5]\d\d)([ -]?)(.*)", re.DOTALL)
_ENHANCED_TOO_LARGE = re.compile(r"5\.(?:2|3)\.[34]\b")
_WRONG_LOGIN = (530, 534, 535, 538)


@dataclass(frozen=True, slots=True)
class Answer:
    """A reply: its code and its words on one line."""

    code: int
    text: str

    @property
    def ok(self) -> bool:
        return 200 <= self.code < 300

    @property
    def words(self) -> str:
        return f"{self.code} {self.text}".strip()


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
    session = _open(server, login)
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
    session = _open(server, login)
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
    for address in (outgoing.sender, *outgoing.recipients):
        header_value(address)
        if not address or any(char in address for char in " \t<>"):
            raise Forbidden("This is not a mail address that can be written to.", address[:100])


def _open(server: Server, login: Login | None) -> _Session:
    wire = dial(server, CONNECT_SECONDS)
    session = _Session(wire)
    try:
        if server.security is Security.TLS:
            secure(server, wire)
        session.greet()
        if server.security is Security.STARTTLS:
            session.start_tls(server)
        if login is not None and (session.mechanisms or server.security is not Security.NONE):
            session.log_in(login)
    except ConnectionLost as error:
        session.close()
        raise ConnectionFailed(detail=error.detail) from error
    except BaseException:
        session.close()
        raise
    return session


class _Session:
    """One connection: commands out, answers in."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self.offers: dict[str, str] = {}

    @property
    def mechanisms(self) -> list[str]:
        return self.offers.get("AUTH", "").upper().split()

    @property
    def size_limit(self) -> int:
        size = self.offers.get("SIZE", "")
        return int(size) if size.isascii() and size.isdigit() and len(size) < 16 else 0

    def greet(self) -> None:
        """The greeting and EHLO."""
        self._wire.allow(COMMAND_SECONDS, _ANSWER)
        greeting = self.answer()
        if greeting.code != 220:
            raise _turned_away(greeting)
        self._hello()

    def start_tls(self, server: Server) -> None:
        """STARTTLS (RFC 3207). What was said before it is forgotten."""
        if "STARTTLS" not in self.offers:
            raise Untrusted(detail="the server offers no STARTTLS")
        answer = self.command("STARTTLS")
        if answer.code != 220:
            raise Untrusted(detail=f"STARTTLS refused: {answer.words}")
        secure(server, self._wire)
        self._hello()

    def log_in(self, login: Login) -> None:
        """AUTH by PLAIN (RFC 4616), LOGIN or XOAUTH2, whichever the server offers."""
        name, secret = _guarded(login.username), _guarded(login.password)
        if login.is_token:
            if "XOAUTH2" not in self.mechanisms:
                raise Refused("The mail server offers no log-in with a token.")
            answer = self._authenticate("XOAUTH2", f"user={name}\x01auth=Bearer {secret}\x01\x01")
            if answer.code == 334:  # the reason follows once we have answered with nothing
                answer = self.command("")
        elif "PLAIN" in self.mechanisms:
            answer = self._authenticate("PLAIN", f"\0{name}\0{secret}")
        elif "LOGIN" in self.mechanisms:
            answer = self.command("AUTH LOGIN")
            for word in (name, secret):
                if answer.code == 334:
                    answer = self.command(_base64(word))
        else:
            raise Refused(
                "The mail server offers no log-in that we know.", f"it offers AUTH {' '.join(self.mechanisms)}"
            )
        if answer.ok:
            return
        if answer.code in _WRONG_LOGIN or 500 <= answer.code < 600:
            raise LoginNeeded("The mail server did not accept this address and password for sending.", answer.words)
        raise refusal(answer)

    def command(self, line: str, seconds: float = COMMAND_SECONDS) -> Answer:
        """One command and its answer."""
        [answer] = self.commands([line], seconds)
        return answer

    def commands(self, lines: Sequence[str], seconds: float = COMMAND_SECONDS) -> list[Answer]:
        """Commands and their answers; sent ahead where the server can take that (RFC 2920)."""
        ahead = _BATCH if "PIPELINING" in self.offers else 1
        answers: list[Answer] = []
        for start in range(0, len(lines), ahead):
            batch = lines[start : start + ahead]
            self._wire.allow(seconds, _ANSWER * len(batch))
            self._wire.send("".join(f"{line}\r\n" for line in batch).encode())
            answers += [self.answer() for _ in batch]
        return answers

    def send(self, data: bytes) -> None:
        """Octets of a message."""
        self._wire.allow(COMMAND_SECONDS, _ANSWER)
        self._wire.send(data)

    def wait(self, seconds: float) -> Answer:
        """The answer to what was sent."""
        self._wire.allow(seconds, _ANSWER)
        return self.answer()

    def has_spoken(self) -> bool:
        """Whether the server says something unasked, or has closed the connection."""
        return self._wire.pending()

    def answer(self) -> Answer:
        """One reply, all its lines (RFC 5321 §4.2.1)."""
        code, texts = 0, []
        while True:
            found = _CODE.match(self._wire.readline().rstrip(b"\r\n"))
            if found is None or (code and int(found[1]) != code):
                raise BadAnswer(detail="an answer that is none of a mail server's")
            code = int(found[1])
            texts.append(found[3].decode("utf-8", "replace"))
            if found[2] != b"-":
                self.lines = texts
                return Answer(code, _printable(" ".join(texts)))

    def quit(self) -> None:
        """Say goodbye; what the server makes of it is its own affair."""
        try:
            self.command("QUIT", GOODBYE_SECONDS)
        except ProtocolError:
            return

    def close(self) -> None:
        self._wire.close()

    def _hello(self) -> None:
        answer = self.command(f"EHLO {HELLO}")
        if not answer.ok:
            raise refusal(answer)
        self.offers = {}
        for line in self.lines[1:]:
            name, _, parameters = line.strip().replace("=", " ", 1).partition(" ")
            self.offers.setdefault(name.upper(), parameters.strip())

    def _authenticate(self, mechanism: str, response: str) -> Answer:
        token = _base64(response)
        if len(token) > 400:  # the longest command line is 512 octets (RFC 4954 §4)
            answer = self.command(f"AUTH {mechanism}")
            return self.command(token) if answer.code == 334 else answer
        return self.command(f"AUTH {mechanism} {token}")


class _Transaction:
    """MAIL, RCPT and the message."""

    def __init__(
        self, session: _Session, outgoing: Outgoing, on_wire: Callable[[], None], envelope_id: str, wants_report: bool
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
                "The attached message can't be sent through your mail server as it is.", "it lacks 8BITMIME"
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
        if answer.code in _WRONG_LOGIN:
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
        if session.has_spoken():  # it refuses what it has so far, or has gone: nothing was sent
            answer = session.wait(COMMAND_SECONDS)
            return answer if not answer.ok else Answer(554, answer.text)
        self._on_wire()
        try:
            session.send(last)
            final = session.wait(FINAL_SECONDS)
            if final.code < 400 and not final.ok:
                raise BadAnswer(detail=final.words)
        except (TryAgain, BadAnswer) as error:
            raise Unclear(error.detail, answers) from error
        return final


def refusal(answer: Answer) -> ProtocolError:
    """The error for an answer that is no success, by its code."""
    if 400 <= answer.code < 500:
        if answer.code == 421 and "too many" in answer.text.lower():
            return TooManyConnections(detail=answer.words)
        return TryAgain("The mail server takes no mail at the moment.", answer.words)
    return (Refused if answer.code >= 500 else BadAnswer)(detail=answer.words)


def _turned_away(answer: Answer) -> ProtocolError:
    if answer.code >= 500:
        return Refused("The mail server does not let us in.", answer.words)
    return refusal(answer)


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


def _guarded(text: str) -> str:
    if any(char in text for char in "\0\r\n\x01"):
        raise Forbidden("This text contains characters that are not allowed here.")
    return text


def _base64(text: str) -> str:
    return binascii.b2a_base64(text.encode(), newline=False).decode()


def _printable(text: str) -> str:
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())[:500]
