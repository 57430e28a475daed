"""Authentication-Results (RFC 8601): what the person's own mail server found out about the sender.

The law of this room: only a server whose name an administrator gave is believed, of its fields only the topmost, and
only about the domain that is shown as the sender's. Everybody can write such a field into a mail; servers put theirs
above what came, and take away those that bear their own name (RFC 8601 §5).
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from . import domains
from .fields import Field
from .words import one_line

_MAX_VALUE = 8 * 1024  # characters of one field
_MAX_FIELDS = 50  # fields of this name looked at
_MAX_CHECKS = 20  # results kept
_TOKEN = re.compile(r'"((?:[^"\\]++|\\.)*+)"|([;=])|([^\s;="]++)', re.DOTALL)
_METHODS = frozenset(("spf", "dkim", "dmarc"))


class Verdict(enum.StrEnum):
    """The one word about a sender."""

    VERIFIED = "verified"
    NOT_VERIFIED = "not verified"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Check:
    """One result: `method` "spf", "dkim" or "dmarc", `result` as RFC 8601 §2.7 names it, and the domain it is about.

    Args:
        aligned: whether that domain has the same owner as the sender's.
    """

    method: str
    result: str
    domain: str
    aligned: bool


@dataclass(frozen=True, slots=True)
class Authentication:
    """What `server` says of the sender."""

    server: str
    verdict: Verdict
    checks: tuple[Check, ...]


def authentication(fields: Sequence[Field], trusted: Iterable[str], domain: str) -> Authentication | None:
    """What a trusted server found, or None where none said anything.

    Verified: DMARC passed, or SPF or DKIM passed for a domain of the same owner. Failed: DMARC failed, or, where the
    domain has no such policy, SPF or the domain's own DKIM signature failed and nothing else speaks for it. Mail with
    more than one From field is never verified: which one was checked can't be known.

    Args:
        fields: the whole header, topmost first. trusted: names of servers (authserv-id), any case.
        domain: of the address that is shown as the sender's.
    """
    names = {name.strip().lower() for name in trusted if name.strip()}
    if not names:
        return None
    ours = [field.raw for field in fields if field.name.lower() == "authentication-results"][:_MAX_FIELDS]
    seen: set[str] = set()
    checks: list[Check] = []
    server = ""
    for value in ours:
        statements = list(_statements(value))
        name = statements[0][0][0].lower() if statements and statements[0] else ""
        if name not in names or name in seen:
            continue
        seen.add(name)
        server = server or name
        checks += _checks(statements[1:], domains.registrable(domain))
    if not server:
        return None
    senders = sum(field.name.lower() == "from" for field in fields)
    kept = tuple(checks[:_MAX_CHECKS])
    return Authentication(server, _verdict(kept) if senders == 1 else Verdict.NOT_VERIFIED, kept)


def _verdict(checks: Sequence[Check]) -> Verdict:
    results = {(check.method, check.result, check.aligned) for check in checks}
    if ("dmarc", "fail", True) in results:
        return Verdict.FAILED
    if any((method, "pass", True) in results for method in _METHODS):
        return Verdict.VERIFIED
    if ("dkim", "fail", True) in results or ("spf", "fail", True) in results:
        return Verdict.FAILED
    return Verdict.NOT_VERIFIED


def _checks(statements: list[list[tuple[str, str]]], owner: str) -> Iterator[Check]:
    for pairs in statements:
        if not pairs:
            continue
        method, result = pairs[0][0].lower().partition("/")[0], pairs[0][1].lower()
        if method not in _METHODS or not result.isascii():
            continue
        domain = _domain(method, {name.lower(): value for name, value in reversed(pairs[1:])})
        # A DMARC result that names no domain is about the From field's.
        aligned = domains.registrable(domain) == owner if domain else method == "dmarc"
        yield Check(method, one_line(result)[:40], domains.shown_domain(domain), bool(owner) and aligned)


def _domain(method: str, properties: dict[str, str]) -> str:
    names = {
        "spf": ("smtp.mailfrom", "smtp.mail", "smtp.helo"),
        "dkim": ("header.d", "header.i"),
        "dmarc": ("header.from",),
    }
    for name in names[method]:
        value = one_line(properties.get(name, "")).strip("<>").rpartition("@")[2]
        if value:
            return value[:253]
    return ""


def _statements(value: str) -> Iterator[list[tuple[str, str]]]:
    """The pieces between semicolons, each as its "name = value" pairs; a word without "=" has the value ""."""
    pairs: list[tuple[str, str]] = []
    words: list[str] = []
    for quoted, mark, word in _TOKEN.findall(_without_comments(value[:_MAX_VALUE])):
        if mark == ";":
            yield _flushed(pairs, words)
            pairs, words = [], []
        elif mark == "=":
            words.append("=")
        else:
            words.append(quoted or word or " ")
    yield _flushed(pairs, words)


def _flushed(pairs: list[tuple[str, str]], words: list[str]) -> list[tuple[str, str]]:
    place = 0
    while place < len(words):
        if words[place + 1 : place + 2] == ["="] and place + 2 < len(words) and words[place + 2] != "=":
            pairs.append((words[place], words[place + 2]))
            place += 3
        else:
            if words[place] != "=":
                pairs.append((words[place], ""))
            place += 1
    return pairs


def _without_comments(value: str) -> str:
    """The value without its comments (RFC 5322 §3.2.2), which nest and may hold anything."""
    kept: list[str] = []
    depth, quoted, skip = 0, False, False
    for char in value:
        if skip:
            skip = False
        elif char == "\\" and (quoted or depth):
            skip = True
        elif char == '"' and not depth:
            quoted = not quoted
        elif char == "(" and not quoted:
            depth += 1
            continue
        elif char == ")" and depth and not quoted:
            depth -= 1
            kept.append(" ")
            continue
        if not depth:
            kept.append(char)
    return "".join(kept)
