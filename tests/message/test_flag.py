"""Marking from the page: recorded with the request, shown at once, done by the worker."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.http import HttpResponse
from django.test import Client

from tests.message import letters
from tests.servers import MailUser
from webmail import tasks
from webmail.models import Job, Message
from webmail.store import working

pytestmark = pytest.mark.django_db(transaction=True)
Received = Callable[..., Message]


def post(reader: Client, message: Message, flag: str, on: str, **more: str) -> int:
    headers = {"HX-Request": "true"} if more.pop("htmx", "1") else {}
    values = {"flag": flag, "on": on, **more}
    return reader.post(f"/message/{message.pk}/flag/", values, headers=headers).status_code


def test_a_star(reader: Client, received: Received, mail_user: MailUser) -> None:
    message = received(letters.plain())
    assert post(reader, message, "flagged", "1") == 202
    message.refresh_from_db()
    assert message.flagged
    working.work(message.account_id)
    with mail_user.imap() as client:
        client.select("INBOX", readonly=True)
        assert b"\\Flagged" in client.fetch("1", "(FLAGS)")[1][0]


def test_unread_again(reader: Client, received: Received) -> None:
    message = received(letters.plain(), "\\Seen")
    assert post(reader, message, "seen", "0") == 202
    message.refresh_from_db()
    assert not message.seen
    message.mailbox.refresh_from_db()
    assert message.mailbox.unread == 1


def test_a_double_click_is_one_job(reader: Client, received: Received) -> None:
    message = received(letters.plain())
    for _ in range(2):
        assert post(reader, message, "flagged", "1", idem_key="once") == 202
    assert Job.objects.count() == 1


def test_with_scripts_off_it_leads_back(reader: Client, received: Received) -> None:
    message = received(letters.plain())
    assert post(reader, message, "flagged", "1", htmx="") == 302


def test_a_worker_is_woken_when_the_answer_is_out(
    reader: Client, received: Received, monkeypatch: pytest.MonkeyPatch
) -> None:
    message, woken, before = received(letters.plain()), list[int](), list[list[int]]()
    close = HttpResponse.close

    def out(response: HttpResponse) -> None:
        before.append([*woken])
        close(response)

    monkeypatch.setattr(tasks.work, "delay", woken.append)
    monkeypatch.setattr(HttpResponse, "close", out)
    assert post(reader, message, "flagged", "1") == 202
    assert (before, woken) == ([[]], [message.account_id])
    tasks.send(tasks.work, message.account_id)
    assert woken == [message.account_id] * 2, "where nobody waits for an answer it is sent at once"


@pytest.mark.parametrize(("flag", "on"), [("deleted", "1"), ("\\Seen", "1"), ("seen", "2"), ("", "")])
def test_nothing_else_can_be_set(reader: Client, received: Received, flag: str, on: str) -> None:
    assert post(reader, received(letters.plain()), flag, on) == 400
    assert not Job.objects.exists()
