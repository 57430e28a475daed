"""The mailbox page: warm from the index alone, cold with one look at the server."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from tests.cast import give_mail
from tests.reader import letter
from tests.servers import MailUser
from webmail.mailbox import views
from webmail.models import Account, Mailbox, User
from webmail.protocol.errors import ConnectionFailed, LoginNeeded
from webmail.protocol.types import Flag
from webmail.store import jobs, pools, sync

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def mail_user(mailbox_user: Callable[..., MailUser]) -> MailUser:
    """Somebody with three messages."""
    user = mailbox_user()
    for number in (1, 2, 3):
        user.append("INBOX", letter(number, sender="<i>Eve</i> <eve@demo.test>"))
    return user


def show(reader: Client, mailbox: Mailbox, query: str = "", **headers: str) -> str:
    response = reader.get(f"/mailbox/{mailbox.pk}/{query}", headers=headers)
    assert response.status_code == 200
    return response.content.decode()


def test_cold(reader: Client, inbox: Mailbox) -> None:
    page = show(reader, inbox)
    assert page.index("Letter 3") < page.index("Letter 2") < page.index("Letter 1")
    assert "<i>Eve</i>" not in page


def test_warm_asks_the_server_nothing_and_the_database_little(
    reader: Client,
    inbox: Mailbox,
    monkeypatch: pytest.MonkeyPatch,
    django_assert_max_num_queries: Callable[..., object],
) -> None:
    sync.refresh(inbox)
    monkeypatch.setattr(pools, "lend", None)
    show(reader, inbox)  # puts the CSRF token into the session
    with django_assert_max_num_queries(6):
        assert "Letter 3" in show(reader, inbox)


def test_htmx_gets_the_list_alone(reader: Client, inbox: Mailbox) -> None:
    fragment = show(reader, inbox, **{"HX-Request": "true"})
    assert "Letter 3" in fragment
    assert "<html" not in fragment


def test_an_opened_mailbox_is_checked_once(reader: Client, inbox: Mailbox, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[object] = []
    monkeypatch.setattr(views.tasks, "send", lambda task, row_id: sent.append((task.name, row_id)))
    show(reader, inbox)
    assert ("webmail.tasks.refresh_mailbox", inbox.pk) in sent
    sync.refresh(inbox)
    sent.clear()
    show(reader, inbox)
    assert not [task for task, _ in sent if "refresh" in task]


def test_the_server_away_with_an_index(reader: Client, inbox: Mailbox, monkeypatch: pytest.MonkeyPatch) -> None:
    sync.refresh(inbox)
    _turn_away(inbox.account, monkeypatch, ConnectionFailed)
    assert reader.post(f"/mailbox/{inbox.pk}/check/").status_code == 302
    page = show(reader, inbox)
    assert "Letter 3" in page
    assert "can&#x27;t be reached since" in page


def test_the_server_away_without_one(reader: Client, inbox: Mailbox, monkeypatch: pytest.MonkeyPatch) -> None:
    _turn_away(inbox.account, monkeypatch, ConnectionFailed)
    page = show(reader, inbox)
    assert "could not be read" in page
    assert "can&#x27;t be reached" in page


def test_the_password_changed_elsewhere(reader: Client, inbox: Mailbox, monkeypatch: pytest.MonkeyPatch) -> None:
    sync.refresh(inbox)
    _turn_away(inbox.account, monkeypatch, LoginNeeded)
    reader.post(f"/mailbox/{inbox.pk}/check/")
    assert "asks for the password again" in show(reader, inbox)


def test_check_now_shows_what_has_come(reader: Client, inbox: Mailbox, mail_user: MailUser) -> None:
    sync.refresh(inbox)
    mail_user.append("INBOX", letter(4))
    response = reader.post(f"/mailbox/{inbox.pk}/check/", headers={"HX-Request": "true"})
    assert "Letter 4" in response.content.decode()


def test_a_mailbox_deleted_elsewhere(reader: Client, mail_user: MailUser, account: Account) -> None:
    with mail_user.imap() as client:
        client.create("Short")
        sync.list_mailboxes(account)
        client.delete("Short")
    mailbox = account.mailboxes.get(name="Short")
    assert "no longer exists" in show(reader, mailbox)


@pytest.mark.parametrize("query", ["?after=x&before=y", "?sort='&order=\"&page=9999999", "?filter=%00&after=W10"])
def test_odd_addresses(reader: Client, inbox: Mailbox, query: str) -> None:
    show(reader, inbox, query)


def _turn_away(account: Account, monkeypatch: pytest.MonkeyPatch, error: type[Exception]) -> None:
    def refuse(account_id: int) -> None:
        raise error

    pools.forget(account)
    monkeypatch.setattr(pools, "_connect", refuse)


def test_the_open_message_is_told_of_beside_its_list(reader: Client, inbox: Mailbox) -> None:
    sync.refresh(inbox)
    message = inbox.messages.get(subject="Letter 1")
    inbox.messages.filter(pk=message.pk).update(flagged=True)
    path = f"?open={message.pk}"
    assert f'hx-target="#flags-{message.pk}"' in show(reader, inbox, path, **{"HX-Request": "true"})
    assert "Remove the flag" in show(reader, inbox, path, **{"HX-Request": "true"})
    inbox.messages.filter(pk=message.pk).update(mailbox=None)
    assert "Moved or deleted elsewhere" in show(reader, inbox, path, **{"HX-Request": "true"})


def test_a_strangers_message_is_not(reader: Client, inbox: Mailbox, mallory: User) -> None:
    sync.refresh(inbox)
    message = give_mail(mallory)
    mallory.accounts.get().mailboxes.get().messages.update(flagged=True)
    fragment = show(reader, inbox, f"?open={message.pk}", **{"HX-Request": "true"})
    assert "Moved or deleted elsewhere" in fragment
    assert "Remove the flag" not in fragment


def test_what_waits_is_said(reader: Client, inbox: Mailbox) -> None:
    sync.refresh(inbox)
    assert "waiting" not in show(reader, inbox)
    for number in (1, 2):
        jobs.record_flags([inbox.messages.get(subject=f"Letter {number}")], add=[Flag.FLAGGED], idem_key=str(number))
    page = show(reader, inbox)
    assert "2 changes waiting" in page
    assert page.count("time-ago") == 2


def test_every_page_of_a_list_knows_its_address(reader: Client, inbox: Mailbox) -> None:
    sync.refresh(inbox)
    assert f'data-fresh="/mailbox/{inbox.pk}/?filter=unread&amp;page=2"' in show(reader, inbox, "?filter=unread&page=2")


def test_a_comparison_says_what_differed(reader: Client, inbox: Mailbox) -> None:
    sync.refresh(inbox)
    path = f"/mailbox/{inbox.pk}/reconcile/"
    answer = reader.post(path, headers={"HX-Request": "true"})
    assert answer.content.decode() == "Inbox: compared with the server, and nothing differed."
    inbox.messages.filter(subject="Letter 1").delete()
    inbox.messages.filter(subject="Letter 2").update(flagged=True)
    page = reader.post(path, follow=True).content.decode()
    assert "Inbox: compared with the server: 1 missing here, 1 marked otherwise. All of it is right now." in page
    assert "Letter 1" in page
    assert reader.post(path, {"from": "doctor"})["Location"] == f"/settings/accounts/{inbox.account_id}/doctor/"


def test_a_comparison_that_can_not_be_made(reader: Client, inbox: Mailbox, monkeypatch: pytest.MonkeyPatch) -> None:
    sync.refresh(inbox)
    _turn_away(inbox.account, monkeypatch, ConnectionFailed)
    page = reader.post(f"/mailbox/{inbox.pk}/reconcile/", follow=True).content.decode()
    assert "Nothing was compared." in page
