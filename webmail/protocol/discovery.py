"""Which servers hold the mail of an address: what its domain announces, else the common names.

    SRV records (RFC 6186, RFC 8314)  ─┐
    autoconfig XML over HTTPS          ├─ candidates, best first ── tried side by side ── those that answer
    imap.DOMAIN, mail.DOMAIN          ─┘

No password is used here. Only servers with TLS or STARTTLS whose certificate is good are returned, and each address
passes `guard` (law 6). Everything together has one deadline.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any, TypeVar

import dns.exception
import dns.resolver

from . import autoconfig
from .connection import connect
from .errors import ProtocolError, Untrusted
from .mail_address import domain_of
from .probe import iter_probe_smtp
from .types import Security, Server

_T = TypeVar("_T")

SECONDS = 10.0  # for all of `discover`
_LOOK_UP_SECONDS = 4.0  # of these for DNS and autoconfig
_AT_ONCE = 8  # look-ups and trials side by side

_MOST_SRV = 4  # records of one service looked at
_SERVICES = {"_imaps": Security.TLS, "_imap": Security.STARTTLS}
_SUBMISSION = {"_submissions": Security.TLS, "_submission": Security.STARTTLS}
_GUESSES = ("imap", "mail")
_SUBMISSION_GUESSES = ("smtp", "mail")
_SUBMISSION_PORTS = {465: Security.TLS, 587: Security.STARTTLS}


@dataclass(frozen=True, slots=True)
class Candidate:
    """Servers that answered.

    Args:
        imap: the IMAP server. smtp: the submission server, or None where none was found.
        login_format: "address", "local" (what stands before the @), or "" where nothing says which.
    """

    imap: Server
    smtp: Server | None
    login_format: str = ""


Resolver = Callable[[str], list[tuple[str, int]]]
Fetcher = Callable[[str, float], bytes]
Trial = Callable[[Server], None]


def discover(
    address: str,
    *,
    resolve: Resolver | None = None,
    fetch: Fetcher | None = None,
    try_imap: Trial | None = None,
    try_smtp: Trial | None = None,
) -> tuple[Candidate, ...]:
    """The servers for `address`, best first; () where its domain has none that answer.

    Args:
        address: normalised (`mail_address.normalise`).
        resolve: gives host and port of the SRV records of a name, best first.
        fetch: gives what an https URL holds, within that many seconds; raises OSError, ValueError or ProtocolError.
        try_imap, try_smtp: raise a ProtocolError unless the server answers with a good certificate.

    Raises:
        Untrusted: something answered, but with a certificate that isn't good.
        ProtocolError: the domain announces servers, and this is why none of them can be used.
    """
    domain = domain_of(address)
    deadline = time.monotonic() + SECONDS
    pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="discovery")
    try:
        resolve = resolve or srv_records
        services = {service: pool.submit(resolve, f"{service}._tcp.{domain}") for service in (*_SERVICES, *_SUBMISSION)}
        configs = [
            pool.submit(autoconfig.read, url, address, fetch or autoconfig.fetch, _LOOK_UP_SECONDS)
            for url in autoconfig.urls(address)
        ]
        _settle([*services.values(), *configs], min(deadline, time.monotonic() + _LOOK_UP_SECONDS))

        told = [config for future in configs if (config := _result(future)) is not None]
        imap_found = _from_srv(services, _SERVICES)
        smtp_found = _from_srv(services, _SUBMISSION)
        formats: dict[Server, str] = {}
        for config in told:
            imap_found += config.imap
            smtp_found += config.smtp
            formats |= {server: config.login_format for server in config.imap if server not in formats}
        announced = len(imap_found)
        if not announced:
            imap_found = [Server(f"{name}.{domain}", 993) for name in _GUESSES]
        if not smtp_found:
            smtp_found = [
                Server(f"{name}.{domain}", port, security)
                for name in _SUBMISSION_GUESSES
                for port, security in _SUBMISSION_PORTS.items()
            ]
        imap_tries = {server: pool.submit(try_imap or imap_answers, server) for server in imap_found}
        smtp_tries = {server: pool.submit(try_smtp or smtp_answers, server) for server in smtp_found}
        _settle([*imap_tries.values(), *smtp_tries.values()], deadline)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)

    smtp = next((server for server, future in smtp_tries.items() if _succeeded(future)), None)
    found = tuple(
        Candidate(server, smtp, formats.get(server, "")) for server, future in imap_tries.items() if _succeeded(future)
    )
    if not found:
        _explain(imap_tries.values(), announced=announced > 0)
    return found


def srv_records(name: str) -> list[tuple[str, int]]:
    """Host and port of the SRV records of `name`, best first (RFC 2782; weights only order)."""
    try:
        resolver = dns.resolver.Resolver()
        answer = resolver.resolve(name, "SRV", lifetime=_LOOK_UP_SECONDS)
    except dns.exception.DNSException:
        return []
    records = sorted(answer, key=lambda record: (record.priority, -record.weight))[:_MOST_SRV]
    hosts = [(record.target.to_text(omit_final_dot=True), record.port) for record in records]
    return [(host, port) for host, port in hosts if host not in {".", ""}]  # "." says: not offered (RFC 6186 §3.4)


def imap_answers(server: Server) -> None:
    """Connect as far as TLS, the greeting and CAPABILITY.

    Raises:
        ProtocolError: it didn't come that far.
    """
    connect(server, None, connect_timeout=4.0, command_timeout=4.0).close()


def smtp_answers(server: Server) -> None:
    """Connect as far as TLS and EHLO.

    Raises:
        ProtocolError: it didn't come that far.
    """
    for step in iter_probe_smtp(server, None):
        if not step.ok:
            raise ProtocolError(detail=step.detail)


def _from_srv(services: dict[str, Future[list[tuple[str, int]]]], securities: dict[str, Security]) -> list[Server]:
    return [
        Server(host.lower(), port, security)
        for service, security in securities.items()
        for host, port in _result(services[service]) or []
    ]


def _settle(futures: list[Future[Any]], deadline: float) -> None:
    wait(futures, timeout=max(0.0, deadline - time.monotonic()))


def _result(future: Future[_T]) -> _T | None:
    """What came of a look-up; None where it failed or isn't there yet, which is no different from nothing found."""
    with contextlib.suppress(Exception):
        if future.done():
            return future.result()
    return None


def _succeeded(future: Future[None]) -> bool:
    return future.done() and not future.cancelled() and future.exception() is None


def _explain(tries: Iterable[Future[None]], *, announced: bool) -> None:
    """Raise what a person can do something about: a bad certificate, or what is wrong with an announced server."""
    failures = [
        error
        for future in tries
        if future.done() and not future.cancelled() and isinstance(error := future.exception(), ProtocolError)
    ]
    for failure in failures:
        if announced or isinstance(failure, Untrusted):
            raise failure
