"""Parts of `bench.sync` that need a process of their own: for their memory, or for another database.

python -m bench.sync_child index ACCOUNT      index the account's large mailbox
python -m bench.sync_child index-anew PORT    the same in a database that is made for it
python -m bench.sync_child growth ROWS        a mailbox of so many rows: its bytes, and the time of a page of it

One JSON object on standard output. The environment says which database (`bench.stage.configure`).
"""

from __future__ import annotations

import email.utils
import json
import os
import re
import statistics
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from bench import mail
from bench.measure import Wsgi, wall
from bench.stage import ADDRESS, LARGE, PASSWORD, SMALL_SIZE, mailbox
from webmail.protocol.types import Flag, Flags, MessageData, Part

if TYPE_CHECKING:
    from webmail.models import Account, Mailbox

CHUNK = 2000
PAGES = 300  # how often a page is timed
SEEN = Flags(frozenset({Flag.SEEN}))


def main() -> None:
    """Run the part that the command line names."""
    import django  # noqa: PLC0415 - the environment comes first
    from django.core.management import call_command  # noqa: PLC0415

    django.setup()
    part, argument = sys.argv[1:]
    if "sqlite" in os.environ["DATABASE_URL"]:
        call_command("migrate", verbosity=0)
    if part == "growth":
        numbers = _growth(int(argument))
    else:
        numbers = _timed(_account_of(int(argument)) if part == "index" else make_account("anew", int(argument)))
    print(json.dumps(numbers))


def make_account(name: str, port: int) -> Account:
    """Another person's account with the same login."""
    from webmail.models import Account, Provider, User  # noqa: PLC0415
    from webmail.store import credentials  # noqa: PLC0415

    provider, _ = Provider.objects.get_or_create(
        name=f"Bench {port}", imap_host="127.0.0.1", imap_port=port, imap_security="none", allow_private=True
    )
    account = Account(user=User.objects.create_user(name), provider=provider, address=ADDRESS)
    account.credential = credentials.seal(account, PASSWORD)
    account.save()
    return account


def index(account: Account, name: str) -> None:
    """Let the product index one mailbox, as its workers do."""
    from webmail.store import sync  # noqa: PLC0415

    sync.list_mailboxes(account)
    box = mailbox(account, name)
    sync.refresh(box)
    while sync.backfill(box, seconds=5.0):
        pass
    assert box.messages.count() == box.exists


def _account_of(pk: int) -> Account:
    from webmail.models import Account  # noqa: PLC0415

    return Account.objects.select_related("provider").get(pk=pk)


def _timed(account: Account) -> dict[str, float]:
    start = wall()
    index(account, LARGE)
    return {"seconds": wall() - start, "rss_mb": round(_peak() / 1024)}


def _peak() -> int:
    found = re.search(r"^VmHWM:\s+(\d+)", Path("/proc/self/status").read_text(), re.MULTILINE)
    assert found is not None
    return int(found[1])


def _growth(count: int) -> dict[str, float]:
    from django.db import connection  # noqa: PLC0415
    from django.test import Client  # noqa: PLC0415

    from webmail.wsgi import application  # noqa: PLC0415

    account = make_account("growth", 1)
    small = _fill(account, "Growth small", SMALL_SIZE)
    before = _bytes()
    large = _fill(account, "Growth large", count)
    size = _bytes() - before
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    client = Client()
    client.force_login(account.user, "django.contrib.auth.backends.ModelBackend")
    pages = Wsgi(application, "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items()))
    times: dict[int, list[float]] = {small.pk: [], large.pk: []}
    for _ in range(PAGES):
        for pk, spent in times.items():
            start = wall()
            pages.get(f"/mailbox/{pk}/")
            spent.append(wall() - start)
    growth = statistics.median(times[large.pk]) / statistics.median(times[small.pk])
    return {"bytes_per_message": round(size / count), "page_growth": round(growth, 2)}


def _fill(account: Account, name: str, count: int) -> Mailbox:
    """Index `count` made-up messages as a backfill does: in chunks, newest first."""
    from django.utils import timezone  # noqa: PLC0415

    from webmail.models import Account as Accounts  # noqa: PLC0415
    from webmail.models import Mailbox  # noqa: PLC0415
    from webmail.store import index as writer  # noqa: PLC0415

    tomorrow = timezone.now().replace(year=timezone.now().year + 1)  # no worker is to be woken for it
    box = Mailbox.objects.create(account=account, name=name, uidvalidity=1, uidnext=count + 1, lowest_uid=count + 1)
    for high in range(count, 0, -CHUNK):
        low = max(1, high - CHUNK + 1)
        writer.apply_messages(box, list(_messages(low, high, count)), read_at=timezone.now())
        writer.note_checked(box, lowest_uid=low)
    Mailbox.objects.filter(pk=box.pk).update(exists=count, checked_at=tomorrow, compared_at=tomorrow)
    Accounts.objects.update(listed_at=tomorrow)
    return box


def _messages(low: int, high: int, count: int) -> Iterator[MessageData]:
    for uid, letter in enumerate(mail.letters(high - low + 1, seed=low), low):
        raw = re.sub(rb"<\d+\.bench@", b"<%d.bench@" % uid, letter.raw)
        date = mail.NEWEST - (count - uid) * mail.APART // 10
        header = raw.partition(b"\r\n\r\n")[0].replace(
            email.utils.formatdate(letter.date).encode(), email.utils.formatdate(date).encode()
        )
        yield MessageData(
            uid=uid,
            flags=SEEN if letter.seen else Flags(),
            internal_date=datetime.fromtimestamp(date, UTC),
            size=len(raw),
            modseq=uid,
            header=header + b"\r\n\r\n",
            structure=Part("1", "text/plain", size=len(raw), charset="utf-8"),
        )


def _bytes() -> int:
    """Bytes of the messages' table with its indexes."""
    from django.db import connection  # noqa: PLC0415

    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT pg_total_relation_size('webmail_message')")
        else:
            cursor.execute(
                "SELECT sum(pgsize) FROM dbstat WHERE name IN (SELECT name FROM sqlite_schema WHERE tbl_name = %s)",
                ["webmail_message"],
            )
        row = cursor.fetchone()
    return int(row[0])


if __name__ == "__main__":
    main()
