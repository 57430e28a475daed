"""The administrator's "Test connection": each step of opening a mail server, its time, and what to do where it fails.

A probe goes the very way that real use goes (same guard, same certificate check, same log-in), so that what
works here works there. Steps come one by one, so that a page can show them as they finish.
"""

from __future__ import annotations

import base64
import smtplib
import ssl
import time
from collections.abc import Callable, Iterator
from typing import Any

from . import sasl
from .connection import HANDSHAKE, Connection, dial, greet, secure, upgrade
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
from .guard import imap_text, resolve
from .logging_in import log_in
from .types import Login, Security, Server, Step
from .wire import Wire

STEP_SECONDS = 15.0  # for one step; less patience than real use has, since somebody watches


def probe(server: Server, login: Login | None) -> tuple[Step, ...]:
    """All steps of `iter_probe`; the last one tells whether it works."""
    return tuple(iter_probe(server, login))


def iter_probe(server: Server, login: Login | None) -> Iterator[Step]:
    """Test an IMAP server: DNS, TCP, TLS, Greeting, Log in, List. Ends after the first step that fails.

    Args:
        server: what to test.
        login: None to stop before the log-in.
    """
    return _ImapProbe(server, login).run()


def probe_smtp(server: Server, login: Login | None) -> tuple[Step, ...]:
    """All steps of `iter_probe_smtp`; the last one tells whether it works."""
    return tuple(iter_probe_smtp(server, login))


def iter_probe_smtp(server: Server, login: Login | None) -> Iterator[Step]:
    """Test a submission server: DNS, TCP, TLS, EHLO, Log in. Ends after the first step that fails; sends no mail.

    Args:
        server: what to test.
        login: None to stop before the log-in.
    """
    return _SmtpProbe(server, login).run()


class _Probe:
    """What both protocols share: the steps up to TLS, timing, and advice."""

    tls_port = 0
    starttls_port = 0

    def __init__(self, server: Server, login: Login | None) -> None:
        self.server = server
        self.login = login
        self._open: Wire | None = None

    def plan(self) -> list[tuple[str, Callable[[], str]]]:
        """The steps in order; each returns what it found."""
        raise NotImplementedError

    def run(self) -> Iterator[Step]:
        try:
            for name, work in self.plan():
                if self._open is not None:
                    self._open.allow(STEP_SECONDS, HANDSHAKE)
                started = time.perf_counter()
                try:
                    detail, error = work(), None
                except ProtocolError as raised:
                    detail, error = raised.detail or raised.sentence, raised
                milliseconds = (time.perf_counter() - started) * 1000
                yield Step(name, error is None, milliseconds, detail, self.advice(name, error) if error else "")
                if error:
                    return
        finally:
            if self._open is not None:
                self._open.close()

    @property
    def wire(self) -> Wire:
        """The open connection."""
        if self._open is None:
            raise ConnectionLost
        return self._open

    def resolve(self) -> str:
        addresses = resolve(
            self.server.host, self.server.port, allow_private=self.server.allow_private, timeout=STEP_SECONDS
        )
        return ", ".join(str(address) for address in addresses)

    def dial(self) -> str:
        self._open = dial(self.server, STEP_SECONDS)
        return "{} port {}".format(*self._open.sock.getpeername()[:2])

    def secure(self) -> str:
        secure(self.server, self.wire)
        return describe_tls(self.wire)

    def advice(self, name: str, error: ProtocolError) -> str:
        """One sentence for the administrator about a step that failed."""
        server = self.server
        if isinstance(error, Forbidden):
            if name in ("DNS", "TCP"):
                return (
                    "Check the name. Private addresses and other ports than 143, 465, 587 and 993 have to be allowed "
                    "for this server explicitly."
                )
            return "Check the user name and the password for characters that can't be sent."
        if name == "DNS":
            return "Check the spelling of the host name, and that this machine's DNS server knows it."
        if name == "TCP":
            if isinstance(error, Untrusted):
                return f"Choose TLS (port {self.tls_port}) or STARTTLS (port {self.starttls_port})."
            return f"Check the port ({self.tls_port} for TLS), the firewall, and that the mail server runs."
        if name == "TLS":
            return _tls_advice(error.detail.lower(), server, self.tls_port, self.starttls_port)
        if name in ("Greeting", "EHLO") and not isinstance(error, TooManyConnections | Refused):
            return (
                f"This may be the port of another service, or one that begins with TLS: choose TLS "
                f"(port {self.tls_port}), or STARTTLS (port {self.starttls_port})."
            )
        if isinstance(error, TooManyConnections):
            return "Wait a minute, or raise the limit of connections per user at the mail server."
        if isinstance(error, LoginNeeded) and self.login is not None and self.login.is_token:
            return (
                "Connect the account again. If it stays so, its provider's scopes don't cover this server, or the "
                "mailbox may not be used by mail programs."
            )
        if isinstance(error, LoginNeeded):
            return (
                "Check the user name (the whole address, or only the part before the @) and the password. "
                "With two-factor authentication, an app password is needed."
            )
        if isinstance(error, Untrusted):
            return "This server can't be used safely; ask whoever runs it."
        if isinstance(error, TryAgain):
            return "Try again later. If it stays so, look into the mail server's log."
        return "Ask whoever runs the mail server; the words above are the server's own."


class _ImapProbe(_Probe):
    tls_port = 993
    starttls_port = 143

    def plan(self) -> list[tuple[str, Callable[[], str]]]:
        steps: list[tuple[str, Callable[[], str]]] = [("DNS", self.resolve), ("TCP", self.dial)]
        if self.server.security is Security.TLS:
            steps.append(("TLS", self.secure))
        steps.append(("Greeting", self.greet))
        if self.server.security is Security.STARTTLS:
            steps.append(("TLS", self.upgrade))
        if self.login is not None:
            steps += [("Log in", self.log_in), ("List", self.list)]
        return steps

    def greet(self) -> str:
        self.client: Any = greet(self.server, self.wire)  # IMAPClient has no type hints
        offered = ", ".join(sorted(self.client._imap.capabilities))
        welcome = bytes(self.client._imap.welcome).decode("utf-8", "replace").removeprefix("* OK ")
        return _short(f"{welcome.partition('] ')[2] or welcome} Offers {offered}.")

    def upgrade(self) -> str:
        upgrade(self.server, self.wire, self.client)
        return describe_tls(self.wire)

    def log_in(self) -> str:
        assert self.login is not None
        self.capabilities = log_in(self.client, self.login, self.server)
        wanted = ("QRESYNC", "CONDSTORE", "LIST-STATUS", "SPECIAL-USE", "MOVE", "UIDPLUS", "IDLE", "ESEARCH")
        there = [name for name in wanted if name in self.capabilities]
        missing = [name for name in wanted if name not in self.capabilities]
        return f"Offers {', '.join(there) or 'no extension'}" + (f"; lacks {', '.join(missing)}." if missing else ".")

    def list(self) -> str:
        connection = Connection(self.server, self.login, self.wire, self.capabilities, STEP_SECONDS, STEP_SECONDS)
        found = connection.mailboxes()
        connection.close()
        roles = ", ".join(f"{info.role.value}: {info.name}" for info in found if info.role)
        return _short(f"{len(found)} mailboxes ({roles})" if roles else f"{len(found)} mailboxes")


class _SmtpProbe(_Probe):
    tls_port = 465
    starttls_port = 587

    def plan(self) -> list[tuple[str, Callable[[], str]]]:
        steps: list[tuple[str, Callable[[], str]]] = [("DNS", self.resolve), ("TCP", self.dial)]
        if self.server.security is Security.TLS:
            steps.append(("TLS", self.secure))
        steps.append(("EHLO", self.greet))
        if self.server.security is Security.STARTTLS:
            steps.append(("TLS", self.upgrade))
        if self.login is not None:
            steps.append(("Log in", self.log_in))
        return steps

    def greet(self) -> str:
        self.smtp = _Smtp(self.wire)
        self._check(*self._say(self.smtp.getreply), 220)
        return self._ehlo()

    def upgrade(self) -> str:
        if not self.smtp.has_extn("starttls"):
            raise Untrusted(detail="the server offers no STARTTLS")
        self._check(*self._command("STARTTLS"), 220)
        secure(self.server, self.wire)
        self.smtp.esmtp_features.clear()  # what was said before TLS could be anybody's
        self._ehlo()
        return describe_tls(self.wire)

    def log_in(self) -> str:
        assert self.login is not None
        offered = self.smtp.esmtp_features.get("auth", "").upper().split()
        if not offered:
            raise Refused("The mail server offers no log-in.", "it offers no AUTH on this connection")
        words = sasl.words(self.login, offered, self.server)
        if words is not None:
            code, text = self._command(f"AUTH {words.mechanism} {_base64(words.response)}")
            if code == 334 and words.afterwards is not None:
                code, text = self._command(_base64(words.afterwards))
        elif "LOGIN" in offered and not self.login.is_token:
            code, text = self._command("AUTH LOGIN")
            for word in (imap_text(self.login.username), imap_text(self.login.password)):
                if code == 334:
                    code, text = self._command(_base64(word.encode()))
        else:
            raise Refused("The mail server offers no log-in that we know.", f"it offers AUTH {' '.join(offered)}")
        if code in (535, 534, 538):
            raise LoginNeeded(detail=f"{code} {text}")
        self._check(code, text, 235)
        return _short(text)

    def _ehlo(self) -> str:
        code, text = self._say(self.smtp.ehlo)
        self._check(code, text, 250)
        features = self.smtp.esmtp_features
        size = int(features["size"]) if features.get("size", "").isdigit() else 0
        limit = f" Takes messages up to {size // 1_000_000} MB." if size else ""
        return _short(f"Offers {', '.join(sorted(name.upper() for name in features)) or 'no extension'}.{limit}")

    def _command(self, line: str) -> tuple[int, str]:
        return self._say(lambda: self.smtp.docmd(line))

    def _say(self, work: Callable[[], tuple[int, bytes]]) -> tuple[int, str]:
        try:
            code, text = work()
        except smtplib.SMTPException as error:
            raise ConnectionFailed(detail=_short(str(error))) from error
        except (ValueError, OSError) as error:
            raise BadAnswer(detail=_short(str(error))) from error
        return code, _short(text.decode("utf-8", "replace"))

    def _check(self, code: int, text: str, wanted: int) -> None:
        if code == wanted:
            return
        if 400 <= code < 500:
            raise TryAgain(detail=f"{code} {text}")
        raise (Refused if code >= 500 else BadAnswer)(detail=f"{code} {text}")


class _Smtp(smtplib.SMTP):
    """smtplib's dialogue over our wire, so that its reading is bounded in size and time as well."""

    def __init__(self, wire: Wire) -> None:
        super().__init__(local_hostname=_own_name(wire))
        self._wire = wire

    def send(self, s: Any) -> None:
        self._wire.send(s.encode("ascii") if isinstance(s, str) else s)

    def getreply(self) -> tuple[int, bytes]:
        """One reply, all its lines (RFC 5321 §4.2)."""
        lines: list[bytes] = []
        while True:
            line = self._wire.readline()
            lines.append(line[4:].strip())
            if not line[:3].isdigit():
                raise BadAnswer(detail="not an SMTP server: " + _short(line.decode("utf-8", "replace")))
            if line[3:4] != b"-":
                return int(line[:3]), b"\n".join(lines)

    def close(self) -> None:
        self._wire.close()


def describe_tls(wire: Wire) -> str:
    """Version, certificate, issuer and expiry of the TLS session on `wire`."""
    if not isinstance(wire.sock, ssl.SSLSocket):
        return ""
    certificate: Any = wire.sock.getpeercert() or {}
    names = [value for kind, value in certificate.get("subjectAltName", ()) if kind in ("DNS", "IP Address")]
    subject = _common_name(certificate.get("subject", ()))
    issuer = _common_name(certificate.get("issuer", ()))
    return _short(
        f"{wire.sock.version()}; certificate of {subject or 'nobody'} for {', '.join(names[:8]) or 'no name'}; "
        f"issued by {issuer or 'nobody'}; good until {certificate.get('notAfter', 'never')}"
    )


def _common_name(name: tuple[tuple[tuple[str, str], ...], ...]) -> str:
    fields = {key: value for part in name for key, value in part}
    return fields.get("commonName") or fields.get("organizationName") or ""


def _tls_advice(detail: str, server: Server, tls_port: int, starttls_port: int) -> str:
    if "expired" in detail or "not yet valid" in detail:
        return "The certificate has to be renewed at the mail server (or a clock is wrong)."
    if "mismatch" in detail or "doesn't match" in detail or "not valid for" in detail:
        return f"Use the host name that the certificate is made out for, or add {server.host} to the certificate."
    if "self" in detail or "unable to get" in detail or "issuer" in detail:
        return "The certificate's authority isn't known. If it is your own, pin it: paste its PEM into the CA field."
    if "wrong_version" in detail or "record_layer" in detail or "unexpected_message" in detail:
        return f"This port doesn't begin with TLS. Choose STARTTLS (port {starttls_port}), or port {tls_port} for TLS."
    if "starttls" in detail:
        return f"Choose TLS with port {tls_port} if the server has it; without either it can't be used safely."
    if "pinned" in detail or "pem" in detail:
        return "Paste the authority's certificate as PEM, from BEGIN CERTIFICATE to END CERTIFICATE."
    return f"Check that the port speaks TLS ({tls_port} does as a rule), and the server's TLS settings."


def _own_name(wire: Wire) -> str:
    """How we call ourselves in EHLO: by address (RFC 5321 §4.1.3), because a web server often has no public name."""
    address = str(wire.sock.getsockname()[0])
    return f"[IPv6:{address}]" if ":" in address else f"[{address}]"


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _short(text: str) -> str:
    printable = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return printable if len(printable) <= 600 else printable[:599] + "…"
