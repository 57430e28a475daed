"""Mailboxes made, nested, renamed, deleted, emptied and coloured: recorded, done by a worker, and nobody else's."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.cast import client_of, give_mail
from tests.reader import letter
from tests.servers import MailUser
from webmail import tasks
from webmail.models import Account, Job, Mailbox, User
from webmail.store import sync, working

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def listed(account: Account) -> Account:
    sync.list_mailboxes(account)
    return account


def names(mail_user: MailUser, which: str = "list") -> set[str]:
    """The names of the mailboxes as another program finds them."""
    with mail_user.imap() as client:
        answers = getattr(client, which)()[1]
    return {each.decode().rpartition(" ")[2].strip('"') for each in answers if each}


def done(account: Account) -> None:
    assert not working.work(account.pk)


def test_make_nest_rename_delete(reader: Client, listed: Account, mail_user: MailUser) -> None:
    page = f"/mailbox/of/{listed.pk}/"
    answer = reader.post(f"{page}new/", {"title": "Travel", "idem_key": "a"}, follow=True)
    assert "Make the mailbox Travel" in answer.content.decode()
    done(listed)
    travel = listed.mailboxes.get(name="Travel")
    reader.post(f"{page}new/", {"title": "Norway", "inside": travel.pk, "idem_key": "b"})
    done(listed)
    separator = travel.delimiter
    assert {"Travel", f"Travel{separator}Norway"} <= names(mail_user)

    norway = listed.mailboxes.get(name=f"Travel{separator}Norway")
    reader.post(f"/mailbox/{norway.pk}/colour/", {"colour": "5"})
    reader.post(f"/mailbox/{travel.pk}/rename/", {"title": "Journeys", "idem_key": "c"})
    done(listed)
    assert f"Journeys{separator}Norway" in names(mail_user)
    shown = reader.get(page).content.decode()
    assert "Journeys / Norway" in shown
    assert '<i class="tint" data-hue="5">' in shown, "the colour goes along"

    norway = listed.mailboxes.get(name=f"Journeys{separator}Norway")
    with mail_user.imap() as client:
        client.append(f'"Journeys{separator}Norway"', "", None, letter(1))
    sync.refresh(norway)
    assert "The message in it is gone for ever" in reader.get(f"/mailbox/{norway.pk}/delete/").content.decode()
    reader.post(f"/mailbox/{norway.pk}/delete/", {"idem_key": "d"})
    done(listed)
    assert f"Journeys{separator}Norway" not in names(mail_user)
    assert not listed.mailboxes.filter(name__contains="Norway").exists()


def test_subscribe(reader: Client, listed: Account, mail_user: MailUser) -> None:
    reader.post(f"/mailbox/of/{listed.pk}/new/", {"title": "Travel"})
    done(listed)
    travel = listed.mailboxes.get(name="Travel")
    assert "Travel" in names(mail_user, "lsub")
    reader.post(f"/mailbox/{travel.pk}/subscribe/", {"on": "0"})
    assert "not subscribed" in reader.get(f"/mailbox/of/{listed.pk}/").content.decode()
    done(listed)
    assert "Travel" not in names(mail_user, "lsub")
    reader.post(f"/mailbox/{travel.pk}/subscribe/", {"on": "1"})
    done(listed)
    assert "Travel" in names(mail_user, "lsub")


def test_empty_what_the_page_counted(reader: Client, listed: Account, mail_user: MailUser) -> None:
    trash = listed.mailboxes.select_related("account__provider").get(role="trash")
    for number in (1, 2):
        mail_user.append("Trash", letter(number))
    sync.refresh(trash)
    asked = reader.get(f"/mailbox/{trash.pk}/empty/").content.decode()
    assert "All 2 messages" in asked
    mail_user.append("Trash", letter(3))
    sync.refresh(trash)
    reader.post(f"/mailbox/{trash.pk}/empty/", {"below": asked.split('name="below" value="')[1].split('"')[0]})
    done(listed)
    assert [row.subject for row in trash.messages.all()] == ["Letter 3"]
    inbox = listed.mailboxes.get(role="inbox")
    assert reader.post(f"/mailbox/{inbox.pk}/empty/", {"below": "9"}).status_code == 404


@pytest.mark.parametrize("title", ["", "a/b", "Trash", "tRASH", "50 %", "*", "x" * 300, "a\tb\x00"])
def test_names_that_can_not_be(reader: Client, listed: Account, title: str) -> None:
    answer = reader.post(f"/mailbox/of/{listed.pk}/new/", {"title": title})
    assert answer.status_code == 422
    assert 'class="error"' in answer.content.decode()
    assert not Job.objects.exists()


def test_the_inbox_stays(reader: Client, listed: Account) -> None:
    inbox = listed.mailboxes.get(role="inbox")
    for verb, data in (("rename", {"title": "Other"}), ("delete", {})):
        answer = reader.post(f"/mailbox/{inbox.pk}/{verb}/", data, follow=True)
        assert "The inbox can&#x27;t be" in answer.content.decode()
    assert not Job.objects.exists()


def test_what_takes_the_room(reader: Client, listed: Account, mail_user: MailUser) -> None:
    inbox = listed.mailboxes.select_related("account__provider").get(role="inbox")
    mail_user.append("INBOX", letter(1))
    mail_user.append("INBOX", letter(2, body="x" * 5000))
    sync.refresh(inbox)
    here = f"/mailbox/of/{listed.pk}/space/"
    assert "How much there may be is being asked" in reader.get(here).content.decode()
    tasks.list_mailboxes(listed.pk)
    page = reader.get(here).content.decode()
    assert "of 2.1 GB" in page
    assert page.index("Letter 2") < page.index("Letter 1")
    assert "bob@demo.test" in page
    assert "of 2.1 GB" in reader.get(f"/mailbox/{inbox.pk}/").content.decode()
    key = inbox.messages.get(subject="Letter 2").pk
    answer = reader.post(f"/mailbox/{inbox.pk}/act/", {"act": "delete", "m": key, "next": here}, follow=True)
    assert answer.redirect_chain[-1][0] == here
    assert "Deleted a message" in answer.content.decode()
    answer = reader.post(f"/mailbox/{inbox.pk}/act/?from=bob@demo.test", {"act": "delete", "all": "1", "next": here})
    assert b"Delete for good?" in answer.content, "one lies in the trash"
    sure = {"act": "delete", "all": "1", "sure": "1", "next": here}
    answer = reader.post(f"/mailbox/{inbox.pk}/act/?from=bob@demo.test", sure, follow=True)
    assert "Deleted 2 messages" in answer.content.decode()
    assert not inbox.messages.exists()


def test_mallory_arranges_nothing_of_alice_s(alice: User, mallory: User) -> None:
    give_mail(alice), give_mail(mallory)
    hers = Mailbox.objects.get(account__user=alice)
    own = mallory.accounts.get()
    client = client_of(mallory)
    answer = client.post(f"/mailbox/of/{own.pk}/new/", {"title": "Nested", "inside": hers.pk})
    assert answer.status_code == 422
    for verb in ("rename", "delete", "subscribe", "colour", "empty"):
        assert client.post(f"/mailbox/{hers.pk}/{verb}/", {"title": "x", "colour": "1"}).status_code == 404
    assert client.get(f"/mailbox/of/{hers.account_id}/").status_code == 404
    assert not Job.objects.exists()
