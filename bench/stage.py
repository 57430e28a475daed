"""The stage on which the pages are measured: a private PostgreSQL, Redis and Dovecot, and alice with her mailboxes.

The product runs inside this process, so nothing of Django may be imported before `stage()` has set the environment.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography.fernet import Fernet

from bench import mail
from bench.proxy import CountingProxy
from tools.postgres import private_postgres
from webmail.demo.imap_server import ImapServer, start_dovecot
from webmail.demo.redis_server import start_redis

if TYPE_CHECKING:
    from webmail.models import Account, Mailbox

ROOT = Path(__file__).resolve().parents[1]
ADDRESS, PASSWORD = "alice@demo.test", "demo"
SMALL, LARGE = "Small", "Large"
SMALL_SIZE = 1000
LETTERS = "Letters"  # what is opened and downloaded


@dataclass(frozen=True, slots=True)
class Stage:
    """What is measured.

    Attributes:
        server: the IMAP server itself, for filing mail.
        proxy: what the product reaches it through.
        warm: alice's account; its mailboxes are indexed.
        cold: another person's account with the same login, whose index is emptied before each look.
        cookie: alice's signed-in session, as a Cookie header. cold_cookie: the other person's.
    """

    server: ImapServer
    proxy: CountingProxy
    warm: Account
    cold: Account
    cookie: str
    cold_cookie: str


@dataclass(frozen=True, slots=True)
class Servers:
    """What a product inside this process stands on: a directory of its own, the URLs of its stores, a Dovecot."""

    directory: Path
    database: str
    redis_url: str
    mail: ImapServer


@contextlib.contextmanager
def servers(people: Mapping[str, str]) -> Iterator[Servers]:
    """Start a private PostgreSQL, Redis and Dovecot, and end them.

    Args:
        people: address → password.
    """
    with contextlib.ExitStack() as end:
        directory = Path(end.enter_context(tempfile.TemporaryDirectory(prefix="webmail-bench-")))
        directory.chmod(0o711)
        database = end.enter_context(private_postgres())
        redis = start_redis(directory)
        end.callback(redis.stop)
        (directory / "mail").mkdir()
        server = start_dovecot(directory / "mail", people, max_connections=20)
        end.callback(server.stop)
        yield Servers(directory, database, redis.url, server)


@contextlib.contextmanager
def stage(large: int) -> Iterator[Stage]:
    """Start everything, file and index the mail, and end everything.

    Args:
        large: how many messages the large mailbox holds.
    """
    with contextlib.ExitStack() as end:
        on = end.enter_context(servers({ADDRESS: PASSWORD}))
        proxy = CountingProxy(on.mail.port)
        end.callback(proxy.close)
        _file(on.mail, large)
        configure(on.directory, on.database, on.redis_url)
        warm, cookie = _sign_in(proxy.port)
        cold, cold_cookie = _second_person(warm)
        _index(warm)
        yield Stage(on.mail, proxy, warm, cold, cookie, cold_cookie)


def say(text: str) -> None:
    """Tell whoever waits what is going on; the result alone goes to standard output."""
    print(text, file=sys.stderr, flush=True)


def mailbox(account: Account, name: str) -> Mailbox:
    """The account's mailbox of this name, as its row is now."""
    return account.mailboxes.select_related("account__provider").get(name=name)


def configure(directory: Path, database: str, redis_url: str, *, hosts: str = "testserver") -> None:
    """Set the product up in this process as in production, apart from TLS in front of it."""
    import django  # noqa: PLC0415 - the environment comes first

    os.environ |= {
        "VAR_DIR": str(directory),
        "SECRET_KEY": secrets.token_urlsafe(48),
        "CREDENTIAL_KEYS": Fernet.generate_key().decode(),
        "DATABASE_URL": database,
        "REDIS_URL": redis_url,
        "ALLOWED_HOSTS": hosts,
        "INSECURE_HTTP": "1",
        "STATIC_ROOT": str(directory / "static"),
        "LOG_LEVEL": "WARNING",
        "DJANGO_SETTINGS_MODULE": "webmail.settings",
    }
    for command in (("collectstatic", "--noinput"), ("migrate",)):
        subprocess.run([sys.executable, "manage.py", *command, "--verbosity", "0"], cwd=ROOT, check=True)
    django.setup()


def _file(server: ImapServer, large: int) -> None:
    for name, count in ((SMALL, SMALL_SIZE), (LARGE, large)):
        say(f"filing {count:,} messages in {name}")
        mail.file_mail(server.port, ADDRESS, PASSWORD, name, mail.letters(count))
    plain = [letter for letter in mail.letters(60) if b"multipart" not in letter.raw]
    html = [mail.html_letter(mail.newsletter(100_000, seed=number), number) for number in range(20)]
    mail.file_mail(server.port, ADDRESS, PASSWORD, LETTERS, [*plain, *html, mail.with_attachment(25_000_000)])


def _sign_in(port: int) -> tuple[Account, str]:
    """Sign alice in through the product's own page, which makes her account."""
    from django.test import Client  # noqa: PLC0415

    from webmail.models import Account, Provider, ProviderDomain  # noqa: PLC0415

    provider = Provider.objects.create(
        name="Bench", imap_host="127.0.0.1", imap_port=port, imap_security="none", allow_private=True
    )
    ProviderDomain.objects.create(provider=provider, domain="demo.test")
    client = Client()
    answer = client.post("/sign-in/", {"username": ADDRESS, "password": PASSWORD})
    assert answer.status_code == 302, answer.content.decode()
    return Account.objects.select_related("provider").get(address=ADDRESS), _cookie(client)


def _second_person(warm: Account) -> tuple[Account, str]:
    from django.test import Client  # noqa: PLC0415

    from webmail.models import Account, User  # noqa: PLC0415
    from webmail.store import credentials  # noqa: PLC0415

    user = User.objects.create_user("cold", password=None)
    account = Account.objects.create(user=user, provider=warm.provider, address=ADDRESS)
    account.credential = credentials.seal(account, PASSWORD)
    account.save()
    client = Client()
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    return account, _cookie(client)


def _cookie(client: object) -> str:
    cookies = client.cookies  # type: ignore[attr-defined]  # Django's test client is untyped here
    return "; ".join(f"{name}={morsel.value}" for name, morsel in cookies.items())


def _index(account: Account) -> None:
    """Let the product index alice's mailboxes, as its workers do; the database looks at them, as autovacuum would."""
    from django.db import connection  # noqa: PLC0415

    from webmail.store import prefetch, sync  # noqa: PLC0415

    sync.list_mailboxes(account)
    for name in (SMALL, LARGE, LETTERS):
        box = mailbox(account, name)
        start = time.perf_counter()
        sync.refresh(box)
        while sync.backfill(box):
            pass
        pace = box.exists / (time.perf_counter() - start)
        say(f"indexed {box.exists:,} messages of {name}, {pace:,.0f} a second")
        prefetch.read_previews(box, 200)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
