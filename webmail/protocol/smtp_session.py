"""One connection to a submission server: greeting, EHLO, STARTTLS and log-in; commands out, answers in.

Made as every other one: through the guard, TLS from the first byte or by STARTTLS, answers bounded in size and time.
The server learns nothing of this machine.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass

from . import sasl
from .connection import dial, secure
from .errors import (
    BadAnswer,
    ConnectionFailed,
    ConnectionLost,
    LoginNeeded,
    ProtocolError,
    Refused,
    TooManyConnections,
    TryAgain,
    Untrusted,
)
from .guard import imap_text
from .types import Login, Security, Server
from .wire import Wire

HELLO = "[127.0.0.1]"  # says nothing of this machine or its network, as mail programs on a desk do
CONNECT_SECONDS = 10.0
COMMAND_SECONDS = 60.0
GOODBYE_SECONDS = 1.0
UNASKED_SECONDS = 0.5
WRONG_LOGIN = (530, 534, 535, 538)

_ANSWER = 64 * 1024  # octets of one answer
_BATCH = 50  # commands sent ahead of their answers
_CODE = re.compile(rb"([2-5]\d\d)([ -]?)(.*)", re.DOTALL)


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


def open_session(server: Server, login: Login | None) -> Session:
    """Connect, greet, secure, log in.

    Raises:
        ProtocolError: sorted by what to do (`smtp_outcome`); nothing was sent.
    """
    wire = dial(server, CONNECT_SECONDS)
    session = Session(wire)
    try:
        if server.security is Security.TLS:
            secure(server, wire)
        session.greet()
        if server.security is Security.STARTTLS:
            session.start_tls(server)
        if login is not None and (session.mechanisms or server.security is not Security.NONE):
            session.log_in(login, server)
    except ConnectionLost as error:
        session.close()
        raise ConnectionFailed(detail=error.detail) from error
    except BaseException:
        session.close()
        raise
    return session


class Session:
    """One connection: commands out, answers in."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self.offers: dict[str, str] = {}
        self._lines: list[str] = []

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

    def log_in(self, login: Login, server: Server) -> None:
        """AUTH as `sasl` has it, else LOGIN."""
        words = sasl.words(login, self.mechanisms, server)
        if words is not None:
            answer = self._authenticate(words)
        elif login.is_token:
            raise Refused("The mail server offers no log-in with a token.")
        elif "LOGIN" in self.mechanisms:
            answer = self.command("AUTH LOGIN")
            for word in (imap_text(login.username), imap_text(login.password)):
                if answer.code == 334:
                    answer = self.command(_base64(word.encode()))
        else:
            raise Refused(
                "The mail server offers no log-in that we know.", f"it offers AUTH {' '.join(self.mechanisms)}"
            )
        if answer.ok:
            return
        if answer.code in WRONG_LOGIN or 500 <= answer.code < 600:
            what = "sign-in" if login.is_token else "address and password"
            raise LoginNeeded(f"The mail server did not accept this {what} for sending.", answer.words)
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

    def unasked(self) -> Answer | None:
        """What the server says without being asked, None if it says nothing; costs no round trip.

        Raises:
            ConnectionLost: it has closed the connection.
        """
        if not self._wire.pending():
            return None
        self._wire.allow(UNASKED_SECONDS, _ANSWER)
        try:
            return self.answer()
        except ConnectionLost as error:
            if isinstance(error.__cause__, TimeoutError):
                return None  # TLS had something to say to itself
            raise

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
                self._lines = texts
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
        for line in self._lines[1:]:
            name, _, parameters = line.strip().replace("=", " ", 1).partition(" ")
            self.offers.setdefault(name.upper(), parameters.strip())

    def _authenticate(self, words: sasl.Words) -> Answer:
        token = _base64(words.response)
        if len(token) > 400:  # the longest command line is 512 octets (RFC 4954 §4)
            answer = self.command(f"AUTH {words.mechanism}")
            if answer.code == 334:
                answer = self.command(token)
        else:
            answer = self.command(f"AUTH {words.mechanism} {token}")
        if answer.code == 334 and words.afterwards is not None:
            answer = self.command(_base64(words.afterwards))
        return answer


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


def _base64(data: bytes) -> str:
    return binascii.b2a_base64(data, newline=False).decode()


def _printable(text: str) -> str:
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())[:500]
