"""The overview: what exists, what needs somebody, what waits. Counts and names of accounts, never mail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.admin.models import LogEntry
from django.db.models import Count, Min, Q
from django.urls import reverse
from django.utils import timezone

from webmail.models import Account, Job, Provider, Session, User

UNHAPPY = (Job.State.FAILED, Job.State.UNCLEAR, Job.State.DEAD)
ROWS = 6  # of each list; its page shows the rest
FAILED_FOR = timedelta(days=7)  # a failed job older than this isn't news
LATE = timedelta(minutes=1)  # a job that waits longer than this deserves a look (security §5.6)


@dataclass(frozen=True, slots=True)
class Tile:
    """One number. `tone` is "" or "wait" or "loss", which is also said in `note`."""

    label: str
    value: int
    url: str
    note: str = ""
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a list: a name that links somewhere, a sentence, a time."""

    name: str
    url: str
    sentence: str = ""
    when: datetime | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """One list of the overview. `empty` is what it says when there is nothing."""

    title: str
    empty: str
    lines: Sequence[Line]
    more: str = ""
    more_url: str = ""


@dataclass(frozen=True, slots=True)
class Dashboard:
    """All of the overview. `fresh`: there is no provider yet, so the page says how to begin."""

    tiles: Sequence[Tile]
    listings: Sequence[Listing]
    fresh: bool


def read_dashboard() -> Dashboard:
    """The overview as things stand now."""
    providers = Provider.objects.aggregate(total=Count("pk"), found=Count("pk", filter=Q(discovered=True)))
    accounts = Account.objects.aggregate(
        total=Count("pk"),
        login_needed=Count("pk", filter=Q(state=Account.State.LOGIN_NEEDED)),
        away=Count("pk", filter=Q(state=Account.State.AWAY)),
    )
    return Dashboard(
        tiles=(
            Tile(
                "Providers",
                providers["total"],
                _list("provider"),
                f"{providers['found']} found by discovery" if providers["found"] else "",
            ),
            _people(),
            Tile("Accounts", accounts["total"], _list("account")),
            _waiting(),
            _failed(),
        ),
        listings=(
            _accounts("Need a password", "No account waits for a password.", Account.State.LOGIN_NEEDED),
            _accounts("Server away", "All servers answer.", Account.State.AWAY),
            _sign_ins(),
            _changes(),
        ),
        fresh=not providers["total"],
    )


def _people() -> Tile:
    people = User.objects.aggregate(total=Count("pk"), disabled=Count("pk", filter=Q(is_active=False)))
    sessions = Session.objects.filter(user__isnull=False, expire_date__gt=timezone.now()).count()
    words = [f"{sessions} signed-in browser{'s' if sessions != 1 else ''}"]
    if people["disabled"]:
        words.append(f"{people['disabled']} disabled")
    return Tile("People", people["total"], _list("user"), ", ".join(words))


def _waiting() -> Tile:
    waiting = Job.objects.pending().aggregate(total=Count("pk"), oldest=Min("created_at"))
    late = bool(waiting["oldest"]) and timezone.now() - waiting["oldest"] > LATE
    return Tile(
        "Jobs waiting",
        waiting["total"],
        f"{_list('job')}?settled=no",
        f"The oldest since {timezone.localtime(waiting['oldest']):%d %b %H:%M}" if late else "",
        "wait" if late else "",
    )


def _failed() -> Tile:
    failed = Job.objects.filter(state__in=UNHAPPY, finished_at__gt=timezone.now() - FAILED_FOR).count()
    return Tile("Jobs failed", failed, f"{_list('job')}?settled=failed", "In the last 7 days", "loss" if failed else "")


def _accounts(title: str, empty: str, state: Account.State) -> Listing:
    query = Account.objects.filter(state=state)
    total = query.count()
    rows = query.select_related("provider").order_by("-state_since")[:ROWS] if total else ()
    return Listing(
        title,
        empty,
        [
            Line(
                row.address,
                reverse("admin:webmail_account_change", args=[row.pk]),
                row.state_detail or row.provider.name,
                row.state_since,
            )
            for row in rows
        ],
        f"All {total}" if total > ROWS else "",
        f"{_list('account')}?state__exact={state.value}",
    )


def _sign_ins() -> Listing:
    rows = User.objects.filter(last_login__isnull=False).order_by("-last_login")[:ROWS]
    return Listing(
        "Last sign-ins",
        "Nobody has signed in yet.",
        [
            Line(
                row.get_username(),
                reverse("admin:webmail_user_change", args=[row.pk]),
                row.get_full_name(),
                row.last_login,
            )
            for row in rows
        ],
    )


def _changes() -> Listing:
    rows = LogEntry.objects.select_related("user", "content_type")[:ROWS]
    return Listing(
        "Last changes by administrators",
        "Nothing was changed yet.",
        [
            Line(
                row.object_repr,
                "" if row.is_deletion() else row.get_admin_url() or "",
                f"{row.get_change_message() or row.get_action_flag_display()} · {row.user.get_username()}",
                row.action_time,
            )
            for row in rows
        ],
        "All changes",
        reverse("admin:admin_logentry_changelist"),
    )


def _list(model: str) -> str:
    return reverse(f"admin:webmail_{model}_changelist")
