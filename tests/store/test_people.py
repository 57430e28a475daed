"""Who is suggested: whoever one writes to, found by any word, the liveliest first; and address books as files."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from webmail.models import Contact, ContactGroup, ContactWord, User
from webmail.protocol.address_book import Person, split, write_book
from webmail.protocol.contact_card import contact_of
from webmail.protocol.types import Address
from webmail.store import address_book, people
from webmail.store.identities import NotAnAddress

pytestmark = pytest.mark.django_db

BOB = Address("Bob Novák", "bob@demo.test")
CAROL = Address("Carol Jones", "carol@Quay.test")


def suggested(user: User, typed: str) -> list[str]:
    return [each.text for each in people.complete(user, typed)]


@pytest.mark.parametrize("typed", ["b", "bo", "BOB", "nov", "Nova", "novák", "bob@", "bob@demo", "nov bo", "demo"])
def test_found_by_any_word(alice: User, typed: str) -> None:
    people.note_use(alice, [BOB, CAROL])
    assert suggested(alice, typed) == ["Bob Novák <bob@demo.test>"]


@pytest.mark.parametrize("typed", ["", " ", "x", "ob", "nov x", "test", "%", "_"])
def test_not_found_otherwise(alice: User, typed: str) -> None:
    people.note_use(alice, [BOB])
    assert suggested(alice, typed) == []


def test_use_and_time_decide(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    start = timezone.now()

    def write_to(name: str, days: float, times: int) -> None:
        monkeypatch.setattr(timezone, "now", lambda: start + timedelta(days=days))
        for _ in range(times):
            people.note_use(alice, [Address("", f"m{name}@demo.test")])

    write_to("often-long-ago", -300, 20)
    write_to("often", -20, 5)
    write_to("once", 0, 1)
    write_to("lately", 0, 4)
    assert suggested(alice, "m") == [
        "mlately@demo.test", "moften@demo.test", "monce@demo.test", "moften-long-ago@demo.test",
    ]  # fmt: skip
    assert suggested(alice, "mof") == ["moften@demo.test", "moften-long-ago@demo.test"]


def test_a_rank_never_overflows() -> None:
    now = datetime(2199, 1, 1, tzinfo=timezone.get_current_timezone())
    rank = 0.0
    for _ in range(1_000):
        rank = people._raised(rank, now)
    assert people._raised(0.0, now) < rank < 1e6


def test_names_are_learnt_and_oneself_is_not(alice: User) -> None:
    people.note_use(alice, [Address("", "bob@demo.test"), Address("", "alice+x@demo.test")])
    people.note_use(alice, [Address("Bob", "BOB@demo.test")])
    contact = Contact.objects.get()
    assert (contact.name, contact.uses, contact.collected) == ("Bob", 2, True)
    assert people.is_new(alice, "carol@demo.test")
    assert not people.is_new(alice, "Bob@demo.test")


def test_the_address_book(alice: User) -> None:
    contact = people.save(alice, address="bob@demo.test", name="Bob", organisation="Quay")
    assert suggested(alice, "bo") == ["Bob <bob@demo.test>"]
    people.save(alice, address="robert@demo.test", name="Robert", contact=contact)
    assert (suggested(alice, "bo"), suggested(alice, "rob")) == ([], ["Robert <robert@demo.test>"])
    people.save(alice, address="carol@demo.test")
    with pytest.raises(NotAnAddress, match="already"):
        people.save(alice, address="carol@demo.test", contact=contact)
    with pytest.raises(NotAnAddress):
        people.save(alice, address="carol")
    people.forget(alice, contact.pk)
    assert suggested(alice, "rob") == []
    assert ContactWord.objects.filter(contact=contact.pk).count() == 0


def test_groups(alice: User, mallory: User) -> None:
    bob, carol = people.save(alice, address="bob@demo.test"), people.save(alice, address="carol@demo.test")
    strange = people.save(mallory, address="eve@demo.test")
    people.save_group(alice, "Sailing club", [bob.pk, carol.pk, strange.pk])
    [found] = people.complete(alice, "sail")
    assert (found.text, found.detail, found.is_group) == ("bob@demo.test, carol@demo.test", "2 people", True)
    people.save_group(alice, "Sailing club", [bob.pk])
    assert suggested(alice, "club") == ["bob@demo.test"]


def test_the_address_book_page_by_page(alice: User, mallory: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(people, "PER_PAGE", 2)
    for name in ("carol", "Bob", "Alba"):
        people.save(alice, address=f"{name}@münchen.test", name=name, organisation="Quay")
    people.note_use(alice, [Address("Dave", "dave@demo.test")])
    first, second = people.book(alice), people.book(alice, page=1)
    assert [each.name for each in first.entries + second.entries] == ["Alba", "Bob", "carol"]
    assert (first.total, first.has_more, second.has_more) == (3, True, False)
    assert first.entries[0].address == "Alba@münchen.test"
    assert people.book(alice, collected=True).total == 4
    assert [each.name for each in people.book(alice, "mün bo").entries] == ["Bob"]
    people.save_group(alice, "Club", [first.entries[0].id])
    found = people.find(alice, first.entries[0].id)
    assert found is not None
    assert found.groups == ("Club",)
    assert people.book(mallory, collected=True) == people.Page((), 0, False)
    assert people.find(mallory, found.id) is None


def test_mallory_finds_nobody(alice: User, mallory: User) -> None:
    people.note_use(alice, [BOB])
    people.save_group(alice, "Club", Contact.objects.values_list("pk", flat=True))
    assert people.complete(mallory, "bob") == []
    assert people.complete(mallory, "club") == []
    people.forget(mallory, Contact.objects.get().pk)
    assert Contact.objects.count() == 1
    assert b"".join(address_book.write_file(mallory, collected=True)) == b""


def test_among_many_people(alice: User, django_assert_num_queries: object) -> None:
    """How long it takes `bench.sending` measures."""
    contacts = [
        Contact(user=alice, key=f"a{number}@demo.test", address=f"a{number}@demo.test", name=f"Anna {number}")
        for number in range(2_000)
    ]
    Contact.objects.bulk_create(contacts)
    people.index(alice, list(Contact.objects.for_user(alice)))
    people.note_use(alice, [Address("Anna Best", "anna.best@demo.test")])
    assert suggested(alice, "a")[0] == "Anna Best <anna.best@demo.test>"
    assert len(suggested(alice, "anna 19")) == people.MOST_SUGGESTED
    assert callable(django_assert_num_queries)
    with django_assert_num_queries(3):
        people.complete(alice, "ann")


VCARDS = b"""BEGIN:VCARD\r
VERSION:3.0\r
FN:Bob Nov\xc3\xa1k\r
N:Nov\xc3\xa1k;Bob;;;\r
ORG:Quay\\, Ltd\r
EMAIL;TYPE=WORK:bob@demo.test\r
EMAIL;TYPE=HOME:bob@home.test\r
TEL:+41 1 234\r
PHOTO;ENCODING=b:AAAA\r
NOTE:one\\ntwo\r
END:VCARD\r
nonsense\r
more nonsense\r
BEGIN:VCARD\r
VERSION:4.0\r
FN:Nobody\r
END:VCARD\r
BEGIN:VCARD\r
VERSION:4.0\r
FN:Carol\r
EMAIL:not an address\r
EMAIL:carol@demo.test\r
END:VCARD\r
BEGIN:VCARD\r
FN:Cut off\r
"""


def test_a_file_is_taken_as_far_as_it_can_be_read(alice: User) -> None:
    people.save(alice, address="carol@demo.test", name="Carol Jones")
    done = address_book.read_file(alice, VCARDS)
    assert (done.added, done.changed) == (2, 1)
    assert [(fault.line, fault.sentence) for fault in done.faults] == [
        (12, "This is no part of a card."),
        (14, "Nobody has no mail address."),
        (18, "“not an address” is not a mail address."),
        (24, "This card has no end."),
    ]
    bob = Contact.objects.get(key="bob@demo.test")
    assert (bob.name, bob.organisation, bob.phone, bob.note) == ("Bob Novák", "Quay, Ltd", "+41 1 234", "one\ntwo")
    assert Contact.objects.get(key="carol@demo.test").name == "Carol Jones", "what is known stays"
    assert suggested(alice, "nov") == ["Bob Novák <bob@demo.test>", "Bob Novák <bob@home.test>"]


@pytest.mark.parametrize("version", ["3.0", "4.0"])
def test_out_and_in_again(alice: User, bob: User, version: str) -> None:
    people.save(alice, address="bob@demo.test", name="Bob; Novák, \\ Jr.", organisation="Q", phone="1", note="a\nb;c")
    people.note_use(alice, [CAROL])
    people.save_group_of(alice, "Crew, of the quay", [Address("", "bob@demo.test")])
    written = b"".join(address_book.write_file(alice, version=version))
    assert written.count(b"BEGIN:VCARD") == 1
    assert f"VERSION:{version}".encode() in written
    assert all(len(line) <= 75 for line in written.split(b"\r\n"))
    assert address_book.read_file(bob, written).added == 1
    fields = ("key", "name", "organisation", "phone", "note")
    assert Contact.objects.for_user(bob).values_list(*fields).get() == (
        Contact.objects.for_user(alice).filter(collected=False).values_list(*fields).get()
    )
    assert b"".join(address_book.write_file(alice, collected=True)).count(b"BEGIN:VCARD") == 2
    group = ContactGroup.objects.get(user=bob)
    assert (group.name, [each.key for each in group.members.all()]) == ("Crew, of the quay", ["bob@demo.test"])


@pytest.mark.parametrize("prefix", ["", "X-ADDRESSBOOKSERVER-"])
def test_a_card_that_is_a_group(alice: User, prefix: str) -> None:
    """As RFC 6350 has it, and as Apple writes it."""
    group = f"FN:Crew\n{prefix}KIND:group\n{prefix}MEMBER:urn:uuid:1A\n{prefix}MEMBER:mailto:carol@demo.test\nUID:9"
    cards = [group, "FN:Bob\nEMAIL:bob@demo.test\nEMAIL:bob@home.test\nUID:1a", "FN:Carol\nEMAIL:carol@demo.test"]
    done = address_book.read_file(
        alice, "".join(f"BEGIN:VCARD\nVERSION:3.0\n{card}\nEND:VCARD\n" for card in cards).encode()
    )
    assert (done.added, done.faults) == (3, ())
    [crew] = ContactGroup.objects.all()
    assert (crew.name, {each.key for each in crew.members.all()}) == ("Crew", {"bob@demo.test", "carol@demo.test"})


def test_there_is_an_end_to_groups(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(people, "MAX_GROUPS", 1)
    card = b"BEGIN:VCARD\nVERSION:3.0\nFN:Bob\nEMAIL:bob@demo.test\nCATEGORIES:myContacts,One,Two\nEND:VCARD\n"
    done = address_book.read_file(alice, card)
    assert [fault.sentence for fault in done.faults] == ["There can be 1 groups; “Two” was not made."]
    assert [group.name for group in ContactGroup.objects.all()] == ["One"]


@given(st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=80))
def test_any_name_comes_back(name: str) -> None:
    written = b"".join(write_book([Person("bob@demo.test", name, note=name, groups=("a,b", name))]))
    [card] = split(written)
    assert not card.sentence
    facts = contact_of(card.source)
    assert facts is not None
    assert facts["name"] == name
    assert facts["mails"] == [["", "bob@demo.test"]]


def test_hostile_files(alice: User) -> None:
    cases = {
        b"": 0, b"\0\xff\xfe": 1, b"BEGIN:VCARD\n" * 500: 500, b"x\n" * 5000: 1,
        b"BEGIN:VCARD\n" + b"X:" + b"y" * 600_000 + b"\nEND:VCARD\n": 1,
        b"BEGIN:VCARD\nVERSION:3.0\n;;;:::\nEMAIL\n\"\nEND:VCARD": 1,
    }  # fmt: skip
    for data, faults in cases.items():
        done = address_book.read_file(alice, data)
        assert (done.added, len(done.faults)) == (0, faults)
    assert not ContactGroup.objects.exists()
