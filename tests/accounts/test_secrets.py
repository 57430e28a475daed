"""A password that is easily recognised goes through every flow, and is nowhere afterwards (T17)."""

from __future__ import annotations

import base64
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from django.db import connection
from django.test import Client

from tests.cast import client_of, provider_on
from tests.servers import MailUser
from webmail.demo.imap_server import ImapServer, start_dovecot
from webmail.models import Account, Provider, Session, User
from webmail.store import credentials, prefetch

CANARY = "canary-Pa55word-7f3a91"
BODY = "canary-body-51c0de"
CAROL = "carol@demo.test"
LETTER = (
    "From: Bob <bob@demo.test>\r\nTo: carol@demo.test\r\nSubject: Hello\r\n"
    "Content-Type: text/html; charset=utf-8\r\n\r\n<p>" + BODY + ", long ago.</p>\r\n"
).encode()


@pytest.fixture(scope="module")
def server(worker_dir: Path) -> Iterator[ImapServer]:
    """A Dovecot on which the password is right."""
    directory = worker_dir / "canary"
    directory.mkdir(exist_ok=True)
    running = start_dovecot(directory, {CAROL: CANARY, "dave@demo.test": CANARY})
    yield running
    running.stop()


def forms_of(secret):
    """The spellings in which it could lie about: plain, in base64 at each offset, in hex."""
    data = secret.encode()
    yield data
    yield data.hex().encode()
    for offset in range(3):
        yield base64.b64encode(b"\0" * offset + data)[offset + 1 : -4]


def everything_stored(redis_url):
    """All that is in the database, in Redis, and in the sessions once decoded."""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')
            for row in cursor.fetchall():
                for value in row:
                    yield table, bytes(value) if isinstance(value, (bytes, memoryview)) else str(value).encode()
    for row in Session.objects.all():
        yield "session", repr(row.get_decoded()).encode()
    store = redis.Redis.from_url(redis_url)
    for key in store.scan_iter():
        yield "redis key", key
        yield f"redis {key!r}", store.dump(key)


@pytest.mark.django_db(transaction=True)
def test_no_secret_stays_anywhere(server, redis_url, caplog, capfd, settings):
    provider_on(server)
    settings.OPEN_SIGN_IN = True
    MailUser(server, CAROL, CANARY).append("INBOX", LETTER)
    pages = []

    def take(response):
        pages.append(b"".join(response.streaming_content) if response.streaming else response.content)
        return response

    with caplog.at_level(logging.DEBUG):
        browser = Client(raise_request_exception=False)
        # In vain first: at nobody's, with a server away, with a certificate of somebody else, without the token.
        take(browser.post("/sign-in/", {"username": "erin@demo.test", "password": CANARY}))
        Provider.objects.update(imap_port=1)
        take(browser.post("/sign-in/", {"username": CAROL, "password": CANARY}))
        Provider.objects.update(imap_port=server.tls_port, ca_pem="")
        take(browser.post("/sign-in/", {"username": CAROL, "password": CANARY}))
        Provider.objects.update(ca_pem=server.ca_pem)
        take(Client(enforce_csrf_checks=True).post("/sign-in/", {"username": CAROL, "password": CANARY}))
        # Then as it should be, with a look at the mail.
        take(browser.post("/sign-in/", {"username": CAROL, "password": CANARY}))
        user = User.objects.get(username=CAROL)
        account = user.accounts.get()
        take(browser.get("/", follow=True))
        message = account.messages.get()
        shown = [take(browser.get(f"/message/{message.pk}/{part}")) for part in ("", "frame/")]
        assert prefetch.read_previews(message.mailbox, 10) == 1
        shown.append(take(browser.get(f"/mailbox/{message.mailbox_id}/")))
        take(browser.get("/settings/"))
        # Other doors: adding, mending, and what goes wrong there.
        add = {"address": "dave@demo.test", "password": CANARY}
        take(browser.post("/settings/accounts/add/", add))
        take(browser.post("/settings/accounts/add/", add))
        take(browser.post("/settings/accounts/add/", add | {"address": "erin@demo.test"}))
        take(browser.post("/settings/accounts/add/", add | {"address": "no address"}))
        take(browser.post(f"/settings/accounts/{account.pk}/", {"password": CANARY}))
        take(browser.post(f"/settings/accounts/{account.pk}/", {"password": CANARY + "\n"}))
        take(browser.get(f"/settings/accounts/{account.pk}/"))
        # A bug with the password in hand.
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(credentials, "seal", lambda account, secret: 1 / 0)
            assert take(browser.post(f"/settings/accounts/{account.pk}/", {"password": CANARY})).status_code == 500
        admin = User.objects.create_superuser("admin", password=CANARY + CANARY)
        take(client_of(admin).get(f"/admin/webmail/account/{account.pk}/change/"))
        take(browser.post("/sign-out/"))

    assert Account.objects.count() == 2
    assert [BODY.encode() in response.content for response in shown] == [False, True, True]
    output = capfd.readouterr()
    told = [("log", caplog.text.encode()), ("output", (output.out + output.err).encode())]
    places = [*told, *(("page", page) for page in pages), *everything_stored(redis_url)]
    assert {place for place, data in places if CAROL.encode() in data} >= {"page", "webmail_account"}
    for spelling in forms_of(CANARY):
        assert [place for place, data in places if spelling in data] == []
    for spelling in forms_of(BODY):
        assert [place for place, data in [*told, *everything_stored(redis_url)] if spelling in data] == []
