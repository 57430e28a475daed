"""Acting on messages of a list: recorded and shown at once, done on the server by a worker, and nobody else's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from tests.cast import client_of, give_mail
from tests.reader import letter
from tests.servers import MailUser
from webmail.models import Account, Job, Mailbox, Message, User
from webmail.store import sync, working

pytestmark = pytest.mark.django_db(transaction=True)
SCRIPT = {"HX-Request": "true"}


@pytest.fixture
def inbox(mail_user: MailUser, account: Account) -> Mailbox:
    """Four letters, indexed."""
    for number in (1, 2, 3, 4):
        mail_user.append("INBOX", letter(number))
    sync.list_mailboxes(account)
    inbox = account.mailboxes.select_related("account__provider").get(role="inbox")
    sync.refresh(inbox)
    return inbox


def keys(inbox: Mailbox, *numbers: int) -> list[int]:
    return list(
        inbox.messages.filter(subject__in=[f"Letter {number}" for number in numbers]).values_list("pk", flat=True)
    )


def act(reader: Client, inbox: Mailbox, name: str, numbers: tuple[int, ...] = (1, 2), query: str = "", **more: object):
    data = {"act": name, "m": keys(inbox, *numbers), "idem_key": "a-key-of-the-test", **more}
    return reader.post(f"/mailbox/{inbox.pk}/act/{query}", data, headers=SCRIPT)


def count(mail_user: MailUser, mailbox: str, what: str = "ALL") -> int:
    """How many messages another program finds."""
    with mail_user.imap() as client:
        assert client.select(f'"{mailbox}"', readonly=True)[0] == "OK"
        return len(client.search(None, what)[1][0].split())


@pytest.mark.parametrize(
    ("name", "mailbox", "words"),
    [
        ("archive", "Archive", "Archived 2 messages"),
        ("delete", "Trash", "Deleted 2 messages"),
        ("junk", "Junk", "Reported 2 messages as junk"),
    ],
)
def test_to_a_place_of_its_own(
    reader: Client, inbox: Mailbox, mail_user: MailUser, name: str, mailbox: str, words: str
) -> None:
    answer = act(reader, inbox, name)
    assert answer.status_code == 202
    assert answer.json()["words"] == words
    assert inbox.messages.count() == 2, "they leave the list at once"
    assert count(mail_user, "INBOX") == 4, "no IMAP in the request"
    assert not working.work(inbox.account_id)
    assert count(mail_user, "INBOX") == 2
    assert count(mail_user, mailbox) == 2


@pytest.mark.parametrize(("name", "what"), [("read", "SEEN"), ("flag", "FLAGGED"), ("label", "KEYWORD Holiday")])
def test_flags_and_labels(reader: Client, inbox: Mailbox, mail_user: MailUser, name: str, what: str) -> None:
    assert act(reader, inbox, name, keyword="Holiday").status_code == 202
    assert not working.work(inbox.account_id)
    assert count(mail_user, "INBOX", what) == 2
    page = reader.get(f"/mailbox/{inbox.pk}/").content.decode()
    assert page.count('<i class="label">Holiday</i>') == (2 if name == "label" else 0)
    back = {"read": "unread", "flag": "unflag", "label": "unlabel"}[name]
    assert act(reader, inbox, back, keyword="Holiday", idem_key="another").status_code == 202
    assert not working.work(inbox.account_id)
    assert count(mail_user, "INBOX", what) == 0


def test_move_and_copy_to_a_mailbox_of_ones_choice(reader: Client, inbox: Mailbox, mail_user: MailUser) -> None:
    archive = inbox.account.mailboxes.get(role="archive")
    assert act(reader, inbox, "copy", (1,), target=archive.pk).json()["words"] == "Copied a message to Archive"
    assert act(reader, inbox, "move", (2,), target=archive.pk, idem_key="another").status_code == 202
    assert not working.work(inbox.account_id)
    assert (count(mail_user, "INBOX"), count(mail_user, "Archive")) == (3, 2)
    shown = reader.get(f"/mailbox/{inbox.pk}/targets/").content.decode()
    assert shown.index("Archive") < shown.index("Drafts"), "what was used last comes first"


def test_move_to_a_mailbox_that_is_made_for_it(reader: Client, inbox: Mailbox, mail_user: MailUser) -> None:
    answer = act(reader, inbox, "move", create="Summer")
    assert answer.json()["words"] == "Moved 2 messages to Summer"
    assert not working.work(inbox.account_id)
    assert count(mail_user, "Summer") == 2
    answer = act(reader, inbox, "move", (3,), create="summer", idem_key="another")
    assert (answer.status_code, answer.content) == (409, b"There is a mailbox of this name already.")


def test_what_changes_nothing_is_not_to_be_undone(reader: Client, inbox: Mailbox) -> None:
    assert act(reader, inbox, "unread", (1,)).json() == {"words": "Marked a message as unread", "jobs": []}
    everything = {"all": "1", "below": inbox.uidnext}
    answer = act(reader, inbox, "unread", (), idem_key="another", **everything)
    assert (answer.status_code, answer.content.decode()[:19]) == (409, "Nothing was changed")
    assert inbox.jobs.count() == 1, "and nothing is listed"


def test_everything_that_matches(reader: Client, inbox: Mailbox, mail_user: MailUser) -> None:
    act(reader, inbox, "flag", (1, 2, 3))
    below = inbox.uidnext
    mail_user.append("INBOX", letter(5), "\\Flagged")
    sync.refresh(inbox)
    answer = act(reader, inbox, "archive", (), "?filter=flagged", all="1", below=below, idem_key="another")
    assert answer.json()["words"] == "Archived 3 messages"
    assert not working.work(inbox.account_id)
    assert count(mail_user, "Archive") == 3, "what came after the page was made isn't meant"


def test_for_good_only_when_one_is_sure(reader: Client, inbox: Mailbox, mail_user: MailUser) -> None:
    act(reader, inbox, "delete", (1,))
    assert not working.work(inbox.account_id)
    trash = inbox.account.mailboxes.get(role="trash")
    data = {"act": "delete", "m": [trash.messages.get().pk], "idem_key": "b"}
    asked = reader.post(f"/mailbox/{trash.pk}/act/", data)
    assert "for ever" in asked.content.decode()
    assert trash.messages.count() == 1
    assert reader.post(f"/mailbox/{trash.pk}/act/", data | {"sure": "1"}).status_code == 302
    assert not working.work(inbox.account_id)
    assert count(mail_user, "Trash") == 0


def test_sent_twice_it_is_done_once(reader: Client, inbox: Mailbox) -> None:
    data = {"act": "archive", "m": keys(inbox, 1, 2), "idem_key": "a-key"}
    first, second = (reader.post(f"/mailbox/{inbox.pk}/act/", data, headers=SCRIPT).json() for _ in range(2))
    assert first == second
    assert Job.objects.filter(account=inbox.account, kind="move").count() == 1


def test_sent_twice_when_they_lie_there_already(reader: Client, inbox: Mailbox) -> None:
    """The second time they are in the mailbox that the page shows: what was recorded is said again, nothing refused."""
    archive = inbox.account.mailboxes.get(role="archive")
    data = {"act": "move", "target": archive.pk, "m": keys(inbox, 1), "idem_key": "a-key"}
    first, second = (reader.post(f"/mailbox/{archive.pk}/act/", data, headers=SCRIPT).json() for _ in range(2))
    assert first == second
    assert Job.objects.filter(account=inbox.account).count() == 1


@pytest.mark.parametrize("name", ["archive", "delete", "flag"])
def test_how_often_the_database_is_asked(
    reader: Client, inbox: Mailbox, name: str, django_assert_max_num_queries: Callable[..., Any]
) -> None:
    """Each query is a fifteenth of what whoever clicked waits for."""
    act(reader, inbox, "read", (1,), idem_key="before")  # what is worked out once for a connection
    with django_assert_max_num_queries(11):
        assert act(reader, inbox, name, (2,)).status_code == 202


def test_without_scripts(reader: Client, inbox: Mailbox) -> None:
    where = f"/mailbox/{inbox.pk}/act/?filter=unread"
    asked = reader.post(where, {"act": "move", "m": keys(inbox, 1)}).content.decode()
    assert f'name="m" value="{keys(inbox, 1)[0]}"' in asked
    answer = reader.post(where, {"act": "archive", "m": keys(inbox, 1)})
    assert answer["Location"] == f"/mailbox/{inbox.pk}/?filter=unread"
    page = reader.get(answer["Location"]).content.decode()
    assert "Archived a message" in page
    job = Job.objects.get(account=inbox.account)
    assert f'name="job" value="{job.pk}"' in page
    reader.post("/jobs/undo/", {"job": str(job.pk), "next": answer["Location"]})
    assert inbox.messages.count() == 4


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({"act": "archive"}, "Choose messages first."),
        ({"act": "archive", "m": ["0", "x", "9" * 30]}, "no longer here"),
        ({"act": "explode", "m": "1"}, "Select a valid choice"),
        ({"act": "move", "m": "1", "target": "0"}, "Choose a mailbox of the same account."),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(
    reader: Client, inbox: Mailbox, data: dict[str, object], sentence: str
) -> None:
    answer = reader.post(f"/mailbox/{inbox.pk}/act/", data, headers=SCRIPT)
    assert answer.status_code == 409
    assert sentence in answer.content.decode()
    assert not Job.objects.exists()


def test_a_label_that_imap_could_not_keep(reader: Client, inbox: Mailbox) -> None:
    for word in ("two words", "Übung", "a(b", "\\Seen", 'a"b', "a\r\nb"):
        assert act(reader, inbox, "label", keyword=word).status_code == 409, word
    assert not Job.objects.exists()


def test_mallory_acts_on_nothing_of_alice_s(alice: User, mallory: User) -> None:
    give_mail(alice), give_mail(mallory)
    hers, own = (user.accounts.get().mailboxes.get() for user in (alice, mallory))
    target = alice.accounts.get().mailboxes.create(name="Archive", role="archive", uidvalidity=1, lowest_uid=1)
    client = client_of(mallory)
    her_key = Message.objects.get(account__user=alice).pk
    for data in ({"m": her_key}, {"all": "1"}):
        assert client.post(f"/mailbox/{hers.pk}/act/", {"act": "flag", **data}).status_code == 404
    answer = client.post(f"/mailbox/{own.pk}/act/", {"act": "flag", "m": her_key}, headers=SCRIPT)
    assert answer.status_code == 409
    mine = Message.objects.get(account__user=mallory).pk
    answer = client.post(f"/mailbox/{own.pk}/act/", {"act": "move", "m": mine, "target": target.pk}, headers=SCRIPT)
    assert answer.status_code == 409
    assert not Job.objects.exists()


def test_the_bar_says_what_it_can_do(reader: Client, inbox: Mailbox, received: Callable[..., Message]) -> None:
    page = reader.get(f"/mailbox/{inbox.pk}/").content.decode()
    assert page.count('class="pick"') == 4
    assert "Report as junk" in page
    assert "pick-all" not in page, "all of it is on this page"
