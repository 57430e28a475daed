"""All mail from one address: from every mailbox of the account, page by page, and nothing of anybody else's."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from tests.cast import client_of, give_mail
from webmail.models import Account, Mailbox, Message, User
from webmail.models.message import hash_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def account(alice: User) -> Account:
    """Alice's account: 60 mails from bob in two mailboxes, some of the same moment, and others between them."""
    give_mail(alice)
    account = alice.accounts.get()
    archive = account.mailboxes.create(
        name="Archive", role="archive", uidvalidity=1, uidnext=99, lowest_uid=1, exists=30
    )
    now = timezone.now()
    rows = []
    for number in range(120):
        mailbox = archive if number % 3 == 0 else account.mailboxes.get(role="inbox")
        sender = ("bob@demo.test", "Bob@Demo.Test", "carol@demo.test", "")[number % 4]
        when = now - timedelta(hours=number // 4)
        rows.append(Message(account=account, mailbox=mailbox, uid=number + 10, date=when, sender_address=sender,
                            sender_hash=hash_of(sender.lower()), sender_name="Bob",
                            subject=f"Letter {number}"))  # fmt: skip
    Message.objects.bulk_create(rows)
    Mailbox.objects.update(checked_at=now, compared_at=now)
    return account


def pages(client: Client, address: str) -> list[list[str]]:
    """The subjects of each page, by the links to the next."""
    found = []
    while address:
        shown = client.get(address).content.decode()
        found.append(re.findall(r'class="what"><b>(.*?)</b>', shown))
        following = re.search(r'href="([^"]+)" data-pane="list" rel="next"', shown)
        address = following[1].replace("&amp;", "&") if following else ""
    return found


def inbox(account: Account) -> int:
    return account.mailboxes.get(role="inbox").pk


def test_every_mail_once_newest_first(alice: User, account: Account) -> None:
    found = pages(client_of(alice), f"/mailbox/{inbox(account)}/?from=bob@demo.test")
    assert [len(page) for page in found] == [50, 10]
    # Of the same moment the later row comes first.
    assert [int(subject.split()[1]) for page in found for subject in page] == [
        number + place for number in range(0, 120, 4) for place in (1, 0)
    ]


def test_back_to_the_page_before(alice: User, account: Account) -> None:
    client = client_of(alice)
    first = client.get(f"/mailbox/{inbox(account)}/?from=BOB@demo.test")
    second = client.get(f"/mailbox/{inbox(account)}/{first.context['page'].older}")
    assert second.context["page"].position == "51–60 of 60"
    again = client.get(f"/mailbox/{inbox(account)}/{second.context['page'].newer}")
    assert [row.pk for row in again.context["page"].rows] == [row.pk for row in first.context["page"].rows]


def test_what_the_page_says(alice: User, account: Account) -> None:
    page = client_of(alice).get(f"/mailbox/{inbox(account)}/?from=bob@xn--80ak6aa92e.com").context["page"]
    assert page.title == "bob@xn--80ak6aa92e.com"
    assert page.empty_title == "No mail from there"
    page = (
        client_of(alice).get(f"/mailbox/{inbox(account)}/?from=bob@demo.test&filter=unread&sort=size").context["page"]
    )
    assert page.total == "60 in all mailboxes"
    assert page.query == "?from=bob@demo.test"
    assert [choice.label for choice in page.filters] == [
        "With this person", "From this sender", "All in Inbox",
    ]  # fmt: skip


def test_its_messages_lead_to_their_neighbours_in_it(alice: User, account: Account) -> None:
    message = Message.objects.get(subject="Letter 5")
    shown = client_of(alice).get(f"/message/{message.pk}/?from=bob@demo.test").context["message"]
    beside = Message.objects.in_bulk([shown.newer_pk, shown.older_pk])
    assert beside[shown.newer_pk].subject == "Letter 0"
    assert beside[shown.older_pk].subject == "Letter 4"
    page = client_of(alice).get(f"/message/{message.pk}/?from=bob@demo.test").content.decode()
    assert f'href="/message/{shown.older_pk}/?from=bob@demo.test"' in page
    assert f'href="/mailbox/{message.mailbox_id}/?from=bob@demo.test"' in page


def test_mallory_finds_nothing_of_alice_s(mallory: User, account: Account) -> None:
    give_mail(mallory)
    client = client_of(mallory)
    assert client.get(f"/mailbox/{inbox(account)}/?from=bob@demo.test").status_code == 404
    own = inbox(mallory.accounts.get())
    assert client.get(f"/mailbox/{own}/?from=bob@demo.test").context["page"].rows == ()


@pytest.mark.parametrize("sender", ["%00", "a%00b", "%F0%9F", "a" * 5000, "'\"<script>", "%", "a%2Cb&from=c"])
def test_odd_addresses(alice: User, account: Account, sender: str) -> None:
    response = client_of(alice).get(f"/mailbox/{inbox(account)}/?from={sender}")
    assert response.status_code == 200
    assert "<script>" not in response.content.decode().replace('<script type="module"', "")


def test_mail_with_somebody_is_theirs_and_what_was_sent_there(alice: User, account: Account) -> None:
    sent = account.mailboxes.create(name="Sent", role="sent", uidvalidity=1, uidnext=9, lowest_uid=1, exists=4)
    now = timezone.now()
    for number, recipients in enumerate(
        ("Bob <BOB@demo.test>, carol@demo.test", "jbob@demo.test", "bob@demo.test.example", "bob@demo.test")
    ):
        Message.objects.create(account=account, mailbox=sent, uid=number + 1, date=now + timedelta(minutes=number),
                               recipients=recipients, sender_address=account.address,
                               subject=f"To {number}")  # fmt: skip
    bob = alice.contacts.create(key="bob@demo.test", address="bob@demo.test")
    client = client_of(alice)
    where = client.get(f"/people/{bob.pk}/mail/")["Location"]
    assert where == f"/mailbox/{inbox(account)}/?with=bob@demo.test"
    found = pages(client, where)
    assert [len(page) for page in found] == [50, 12]
    assert found[0][:3] == ["To 3", "To 0", "Letter 1"]
    shown = client.get(f"/message/{Message.objects.get(subject='To 0').pk}/?with=bob@demo.test").context["message"]
    assert Message.objects.get(pk=shown.newer_pk).subject == "To 3"
    assert (shown.others, shown.other_name) == ("", ""), "its header is on no server"
