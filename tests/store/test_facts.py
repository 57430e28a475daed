"""What is said about a mail's sender: true, weighty things first, and never more than three."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from tests.cast import give_mail
from webmail.models import Message, User
from webmail.models.message import hash_of
from webmail.protocol.types import Address, Envelope
from webmail.store import facts

pytestmark = pytest.mark.django_db

BOB = Address("Bob Novak", "bob@demo.test")


@pytest.fixture
def message(alice: User) -> Message:
    """A message from bob to alice; nothing else is in her mailbox."""
    row = give_mail(alice)
    row.sender_name, row.sender_address, row.sender_key = BOB.name, BOB.address, "bob novak"
    row.save()
    return Message.objects.select_related("mailbox", "account__provider").get(pk=row.pk)


def earlier(message: Message, sender: Address, number: int = 1) -> None:
    """`number` older messages from `sender`."""
    start = message.uid + Message.objects.count() + 1
    Message.objects.bulk_create(
        Message(
            account=message.account,
            mailbox=message.mailbox,
            uid=uid,
            date=message.date - timedelta(days=1),
            sender_name=sender.name,
            sender_address=sender.address,
            sender_hash=hash_of(sender.address.lower()),
            sender_key=(sender.name or sender.address).casefold()[:40],
        )
        for uid in range(start, start + number)
    )


def said(message: Message, sender: Address = BOB, misleading: tuple[str, ...] = (), **fields: object) -> list[str]:
    """The lines about `message`, had it come from `sender`."""
    message.sender_name, message.sender_address = sender.name, sender.address
    message.sender_key = (sender.name or sender.address).casefold()[:40]
    Message.objects.filter(pk=message.pk).update(
        sender_name=message.sender_name, sender_address=message.sender_address, sender_key=message.sender_key
    )
    envelope = Envelope(from_=(sender,), **fields)  # type: ignore[arg-type]
    found = facts.facts_of(message.account.user, message, envelope, misleading)
    assert all(fact.details for fact in found)
    return [fact.words for fact in found]


def test_a_stranger(message: Message) -> None:
    assert said(message) == ["First mail from this address"]


def test_somebody_known(message: Message) -> None:
    earlier(message, Address("Robert", "BOB@demo.test"))
    assert said(message) == []


def test_later_mail_does_not_make_known(message: Message) -> None:
    earlier(message, BOB)
    Message.objects.exclude(pk=message.pk).update(date=timezone.now() + timedelta(days=1))
    assert said(message) == ["First mail from this address"]


def test_a_known_name_with_a_new_address(message: Message) -> None:
    earlier(message, BOB, 212)
    new = Address("Bob Novak", "bob.novak@evil.example")
    assert said(message, new) == ["You have 212 mails with this name from another address"]
    envelope = Envelope(from_=(new,))
    (fact,) = facts.facts_of(message.account.user, message, envelope, ())
    assert "The name is known from bob@demo.test." in fact.details
    assert fact.warns


def test_of_very_many_it_says_more_than(message: Message, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(facts, "COUNTED", 5)
    earlier(message, BOB, 9)
    new = Address("Bob Novak", "bob@evil.example")
    assert said(message, new) == ["You have more than 5 mails with this name from another address"]


def test_other_people_s_mail_says_nothing(message: Message, bob: User) -> None:
    theirs = give_mail(bob)
    earlier(Message.objects.select_related("mailbox", "account").get(pk=theirs.pk), BOB, 3)
    assert said(message) == ["First mail from this address"]
    assert said(message, Address("Bob Novak", "x@evil.example")) == ["First mail from this address"]


def test_nothing_is_first_while_much_is_unread(message: Message) -> None:
    message.account.mailboxes.create(name="Archive", role="archive", exists=9)
    assert said(message) == []


def test_in_mail_of_one_s_own_nothing_is_said(message: Message) -> None:
    assert message.mailbox is not None
    message.mailbox.role = "sent"
    assert said(message, Address("x@y.example", "alice@demo.test")) == []
    message.mailbox.role = "inbox"
    assert said(message, Address("Alice", "ALICE@demo.test")) == []


@pytest.mark.parametrize(
    ("name", "address", "line"),
    [
        ("bob@demo.test", "mallory@evil.example", "The sender's name is another address"),
        ("Bob (bob＠demo.test)", "mallory@evil.example", "The sender's name is another address"),
        ("PayPal.com", "mallory@evil.example", "The sender's name says paypal.com, the address doesn't"),
        ("Apple", "id@аррӏе.com", "The address is spelt with letters that look like others"),
        ("Apple", "id@xn--80ak6aa92e.com", "The address is spelt with letters that look like others"),
        ("Раypal", "x@evil.example", "The sender's name mixes letters of two alphabets"),
        ("Paypal", "раypal@evil.example", "The sender's name mixes letters of two alphabets"),
    ],
)
def test_a_sender_who_poses(message: Message, name: str, address: str, line: str) -> None:
    assert said(message, Address(name, address))[0] == line


@pytest.mark.parametrize(
    ("reply_to", "list_id", "line"),
    [
        ("bob@mail.demo.test", "", None),
        ("bob@evil.example", "", "Replies go to bob@evil.example"),
        ("list@lists.example", "choir.lists.example", None),
        ("bob@evil.example", "choir.lists.example", "Replies go to bob@evil.example"),
        ("", "", None),
    ],
)
def test_replies_elsewhere(message: Message, reply_to: str, list_id: str, line: str | None) -> None:
    earlier(message, BOB)
    found = said(message, reply_to=(Address("", reply_to),), list_id=list_id)
    assert found == ([line] if line else [])


def test_links_elsewhere(message: Message) -> None:
    earlier(message, BOB)
    assert said(message, misleading=("“a” goes to b",)) == ["A link goes elsewhere than it says"]
    assert said(message, misleading=("“a” goes to b",) * 7) == ["7 links go elsewhere than they say"]


def test_at_most_three_and_the_quiet_ones_last(message: Message) -> None:
    found = said(
        message,
        Address("Раypal bob@demo.test", "x@аррӏе.com"),
        ("“a” goes to b",),
        reply_to=(Address("", "y@evil.example"),),
    )
    assert found == [
        "The sender's name is another address",
        "The address is spelt with letters that look like others",
        "The sender's name mixes letters of two alphabets",
    ]


def test_the_word_of_a_trusted_server(message: Message) -> None:
    header = b"Authentication-Results: mx.demo.test; dmarc=pass header.from=demo.test\r\nFrom: bob@demo.test\r\n\r\n"
    assert facts.verification_of(message, header, BOB) is None
    message.account.provider.authserv_ids = "mx.other.test, MX.demo.test"
    found = facts.verification_of(message, header, BOB)
    assert found is not None
    assert found.word == "Verified"
    assert found.checks == ("DMARC passed for demo.test.", "Checked by mx.demo.test.")
    assert facts.verification_of(message, header.replace(b"mx.demo", b"mx.evil"), BOB) is None
    assert facts.verification_of(message, b"", BOB) is None


def test_queries(message: Message, django_assert_max_num_queries: object) -> None:
    earlier(message, BOB)
    user = message.account.user
    for sender, most in ((BOB, 1), (Address("Bob Novak", "x@evil.example"), 3)):
        with django_assert_max_num_queries(most):  # type: ignore[operator]
            facts.facts_of(user, message, Envelope(from_=(sender,)), ())
