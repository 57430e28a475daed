"""The log-in of an IMAP session that has greeted, and what refusals before and during it mean."""

from __future__ import annotations

import base64
import imaplib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from . import sasl
from .errors import BadAnswer, ConnectionFailed, LoginNeeded, ProtocolError, Refused, TooManyConnections, TryAgain
from .exchange import Answer, quoted, read_answer, refusal
from .guard import imap_text
from .types import Login, Server


def log_in(client: Any, login: Login, server: Server) -> frozenset[str]:
    """Log in by AUTHENTICATE (see `sasl`), in one round trip with SASL-IR (RFC 4959), else by LOGIN.

    Args:
        client: an IMAPClient, which has no type hints.

    Returns:
        the capabilities from now on, in capitals.

    Raises:
        LoginNeeded, TooManyConnections, TryAgain, Refused: by the server's answer. Forbidden: not a password.
    """
    imap = client._imap
    offered = {each.removeprefix("AUTH=") for each in imap.capabilities if each.startswith("AUTH=")}
    words = sasl.words(login, offered, server)
    with speaking():
        try:
            if words is not None:
                answer = _authenticate(imap, words)
            elif login.is_token:
                raise Refused("The mail server offers no log-in with a token.")
            elif "LOGINDISABLED" in imap.capabilities:
                raise Refused("The mail server offers no way to log in with a password.")
            else:
                answer = _login(imap, login)
            status, text = answer[0], text_of(answer[1])
        except imaplib.IMAP4.abort:
            raise
        except imaplib.IMAP4.error as error:  # BAD
            status, text = "NO", str(error)
        if status != "OK":
            raise _not_logged_in(read_answer(f"NO {text}".encode()))
        imap.state = "AUTH"
        return frozenset(capability.decode("ascii", "replace").upper() for capability in client.capabilities())


def turned_away(answer: Answer) -> ProtocolError:
    """The error for a greeting that says BYE."""
    if _says_too_many(answer):
        return TooManyConnections(detail=answer.text)
    return ConnectionFailed(detail=answer.text)


@contextmanager
def speaking() -> Iterator[None]:
    """imaplib's errors as ours."""
    try:
        yield
    except imaplib.IMAP4.abort as error:
        raise ConnectionFailed(detail=str(error)[:500]) from error
    except (imaplib.IMAP4.error, ValueError, KeyError, IndexError) as error:
        raise BadAnswer(detail=str(error)[:500]) from error


def text_of(data: list[bytes | None]) -> str:
    """The words of imaplib's answer."""
    return (data[-1] or b"").decode("utf-8", "replace") if data else ""


class _Dialogue:
    """The answers to the server's challenges, as imaplib asks for them."""

    def __init__(self, *responses: bytes | None) -> None:
        self._left = list(responses)

    def answer(self, _challenge: bytes) -> bytes:
        response = self._left.pop(0) if self._left else None
        return b"*" if response is None else base64.b64encode(response)


def _authenticate(imap: Any, words: sasl.Words) -> Any:
    if "SASL-IR" not in imap.capabilities:
        imap.literal = _Dialogue(words.response, words.afterwards).answer
        return imap._simple_command("AUTHENTICATE", words.mechanism)
    imap.literal = _Dialogue(words.afterwards).answer
    first = base64.b64encode(words.response)
    return imap._simple_command("AUTHENTICATE", words.mechanism, first)


def _login(imap: Any, login: Login) -> Any:
    name, password = imap_text(login.username), imap_text(login.password)
    if password.isascii():
        return imap._simple_command("LOGIN", quoted(name), quoted(password))
    imap.literal = password.encode()  # RFC 9051 §4.3: eight-bit octets only in a literal
    return imap._simple_command("LOGIN", quoted(name))


def _not_logged_in(answer: Answer) -> ProtocolError:
    """The error for a refused log-in: by its response code (RFC 5530), else by the words servers are known to use."""
    if answer.code in ("AUTHENTICATIONFAILED", "AUTHORIZATIONFAILED", "EXPIRED"):
        return LoginNeeded(detail=answer.text)
    if answer.code in ("INUSE", "LIMIT") or _says_too_many(answer):
        return TooManyConnections(detail=answer.text)
    words = answer.text.lower()
    if answer.code in ("UNAVAILABLE", "SERVERBUG") or "temporar" in words or "try again" in words:
        return TryAgain(detail=answer.text)
    if answer.code in ("CONTACTADMIN", "PRIVACYREQUIRED"):
        return refusal(answer)
    return LoginNeeded(detail=answer.text)


def _says_too_many(answer: Answer) -> bool:
    # Gmail: [ALERT] Too many simultaneous connections. Courier: Maximum connection limit reached.
    words = answer.text.lower()
    return "too many" in words or "maximum" in words
