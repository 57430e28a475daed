"""A person's sessions: noted at log-in, kept few, listed and ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils.crypto import salted_hmac

from webmail.models import Session, User
from webmail.store import polling

from . import clients

MOST = 20  # at the same time for one person
ANONYMOUS_SECONDS = 3600  # the session that only carries the sign-in form's token


@dataclass(frozen=True, slots=True)
class Shown:
    """One line of the list in the settings."""

    handle: str
    browser: str
    address: str
    since: datetime
    seen: datetime
    current: bool


@receiver(user_logged_in, dispatch_uid="webmail.accounts.sessions")
def begin(sender: type[User], request: HttpRequest, user: User, **kwargs: Any) -> None:
    """Note where a session was begun, and end the oldest where there are too many.

    A signal, because the admin panel's own sign-in page comes past here as well.
    """
    session = request.session
    session["ip_address"] = clients.address_of(request)
    session["user_agent"] = clients.user_agent_of(request)
    polling.note_visit(user)
    session.set_expiry(None)  # the anonymous session before was shorter
    others = Session.objects.filter(user=user).exclude(session_key=session.session_key).order_by("-seen_at")
    too_many = list(others.values_list("pk", flat=True)[MOST - 1 :])
    if too_many:
        Session.objects.filter(pk__in=too_many).delete()


def of(user: User, current_key: str | None) -> list[Shown]:
    """The person's sessions, this one first, then by last use."""
    rows = Session.objects.for_user(user).order_by("-seen_at")
    shown = [
        Shown(
            handle=handle_of(row),
            browser=browser_name(row.user_agent),
            address=row.ip_address or "",
            since=row.created_at,
            seen=row.seen_at,
            current=row.session_key == current_key,
        )
        for row in rows
    ]
    return sorted(shown, key=lambda each: not each.current)


def end(user: User, handle: str) -> bool:
    """End the one of the person's sessions that `handle` names; False where there is none."""
    for row in Session.objects.for_user(user):
        if handle_of(row) == handle:
            row.delete()
            return True
    return False


def end_others(user: User, current_key: str | None) -> int:
    """End all of the person's sessions but this one; says how many."""
    count, _ = Session.objects.filter(user=user).exclude(session_key=current_key).delete()
    return count


def has_others(user: User, current_key: str | None) -> bool:
    """Whether the person is signed in anywhere else."""
    return Session.objects.for_user(user).exclude(session_key=current_key).exists()


def handle_of(row: Session) -> str:
    """A name for a session that is of no use as its key: the page that lists sessions must not hold any."""
    return salted_hmac("webmail.accounts.sessions", row.session_key).hexdigest()[:24]


# Longer names first where one is part of the other: Chrome calls itself Safari, Edge calls itself Chrome.
_BROWSERS = (("Edg", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrom", "Chrome"), ("Safari/", "Safari"))
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Macintosh", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


def browser_name(user_agent: str) -> str:
    """What a person would call the browser: "Firefox on Linux"."""
    browser = next((name for mark, name in _BROWSERS if mark in user_agent), "")
    system = next((name for mark, name in _SYSTEMS if mark in user_agent), "")
    if browser and system:
        return f"{browser} on {system}"
    return browser or system or user_agent[:40] or "Unknown browser"
