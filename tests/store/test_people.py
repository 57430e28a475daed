"""Who is suggested: whoever one writes to, found by any word, the liveliest first; and address books as files."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from tests.store.book import BOB, CAROL, group_of, save, suggested
from webmail.models import Contact, ContactWord, User
from webmail.protocol.types import Address
from webmail.store import address_book, completion, contact_groups, contact_words, people, persons
from webmail.store.identities import NotAnAddress

pytestmark = pytest.mark.django_db


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
    contact = save(alice, "bob@demo.test", name="Bob", organisation="Quay")
    assert suggested(alice, "bo") == ["Bob <bob@demo.test>"]
    save(alice, "robert@demo.test", name="Robert", contact=contact)
    assert (suggested(alice, "bo"), suggested(alice, "rob")) == ([], ["Robert <robert@demo.test>"])
    save(alice, "carol@demo.test")
    for whose in (contact, None):
        with pytest.raises(NotAnAddress, match="already"):
            save(alice, "carol@demo.test", contact=whose)
    with pytest.raises(NotAnAddress):
        save(alice, "carol")
    persons.forget(alice, [contact.pk])
    assert suggested(alice, "rob") == []
    assert ContactWord.objects.filter(contact=contact.pk).count() == 0


def test_groups(alice: User, mallory: User) -> None:
    bob, carol = save(alice, "bob@demo.test"), save(alice, "carol@demo.test")
    group_of(alice, "Sailing club", [bob.pk, carol.pk])
    [found] = completion.complete(alice, "sail")
    assert (found.text, found.detail, found.is_group) == ("bob@demo.test, carol@demo.test", "2 people", True)
    group_of(alice, "Sailing club", [bob.pk])
    assert suggested(alice, "club") == ["bob@demo.test"]


def test_the_address_book_page_by_page(alice: User, mallory: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(people, "PER_PAGE", 2)
    for name in ("carol", "Bob", "Alba"):
        save(alice, f"{name}@münchen.test", name=name, organisation="Quay", phones=f"+41 {len(name)}")
    people.note_use(alice, [Address("Dave", "dave@demo.test")])
    first, second = people.book(alice, shown="book"), people.book(alice, shown="book", page=1)
    assert [each.name for each in first.entries + second.entries] == ["Alba", "Bob", "carol"]
    assert (first.total, first.has_more, second.has_more, second.first, second.last) == (3, True, False, 3, 3)
    assert first.entries[0].address == "Alba@münchen.test"
    assert people.book(alice).total == 4
    assert [each.name for each in people.book(alice, shown="collected").entries] == ["Dave"]
    assert people.book(alice, order="recent").entries[0].name == "Dave"
    assert people.book(alice, order="new").entries[1].name == "Alba"
    for typed, found in {"mün bo": ["Bob"], "quay carol": ["carol"], "nobody": []}.items():
        assert [each.name for each in people.book(alice, typed).entries] == found
    group_of(alice, "Club", [first.entries[0].id])
    assert people.book(alice, "alba").entries[0].groups == ("Club",)
    assert people.book(mallory) == people.Page((), 0)


def test_somebody_with_several_addresses(alice: User) -> None:
    people.note_use(alice, [Address("", "bob@work.test")])
    bob = save(alice, "bob@demo.test", name="Bob", others=("bob@home.test", "bob@work.test"), phones="Home: 1\n2\n1")
    assert bob.phones == "home: 1\n2"
    assert set(suggested(alice, "bob")) == {f"Bob <bob@{place}.test>" for place in ("demo", "home", "work")}
    assert suggested(alice, "bob@wo")[0] == suggested(alice, "work")[0] == "Bob <bob@work.test>"
    [entry] = people.book(alice, "home").entries
    assert (entry.address, entry.more) == ("bob@demo.test", 2)
    # Another one becomes the first; one is no longer theirs.
    now = save(alice, "bob@home.test", name="Bob Novák", others=("bob@demo.test",), birthday="1.4.1980", contact=bob)
    [entry] = people.book(alice).entries
    assert (entry.id, entry.address, entry.more, now.birthday) == (now.pk, "bob@home.test", 1, "1980-04-01")
    assert suggested(alice, "work") == []
    save(alice, "new@home.test", others=("bob@home.test",), contact=now)
    assert [(each.key, each.of_id is None) for each in Contact.objects.for_user(alice).order_by("key")] == [
        ("bob@home.test", False),
        ("new@home.test", True),
    ]
    with pytest.raises(persons.NoBirthday):
        save(alice, "new@home.test", birthday="spring")


def test_what_was_forgotten_comes_back_when_its_owner_says_so_alone(alice: User, mallory: User) -> None:
    bob = save(alice, "bob@demo.test", name="Bob", others=("bob@home.test",), note="left")
    group_of(alice, "Crew", [bob.pk])
    at = persons.forget(alice, [bob.pk])
    people.note_use(alice, [BOB])
    assert (suggested(alice, "bob"), people.book(alice).total, contact_groups.groups(alice)[0].size) == ([], 0, 0)
    assert people.book(alice, shown="forgotten").total == 1
    assert not people.is_new(alice, "bob@demo.test")
    assert persons.restore(mallory, at=at, contact_ids=[bob.pk]) == 0
    assert (persons.forgotten_at(alice, at), persons.restore(alice, at=at)) == (["Bob"], 1)
    assert len(suggested(alice, "bob")) == 2
    assert contact_groups.field_of(alice, [], [contact_groups.groups(alice)[0].pk]) == "Bob <bob@demo.test>"
    persons.forget(alice, [bob.pk])
    assert save(alice, "bob@demo.test", name="Bobby").pk == bob.pk
    Contact.objects.update(forgotten_at=timezone.now() - timedelta(days=31))
    persons.forget_old()
    assert not Contact.objects.exists()


def test_several_that_are_one(alice: User, mallory: User) -> None:
    bob = save(alice, "bob@demo.test", name="Bob", phones="1")
    other = save(alice, "rob@demo.test", name="Rob", organisation="Quay", phones="mobile: 2", note="left")
    people.note_use(alice, [Address("", "bob@home.test")])
    group_of(alice, "Crew", [other.pk])
    assert persons.merge(mallory, Contact.objects.values_list("pk", flat=True)) is None
    merged = persons.merge(alice, Contact.objects.for_user(alice).values_list("pk", flat=True))
    assert merged is not None
    assert (merged.pk, merged.name, merged.organisation) == (bob.pk, "Bob", "Quay")
    assert (merged.phones, merged.note) == ("1\nmobile: 2", "Rob\nleft")
    [entry] = people.book(alice).entries
    assert (entry.more, entry.groups) == (2, ("Crew",))


def test_who_is_not_collected(alice: User) -> None:
    nobody = [
        "no-reply@demo.test",
        "noreply+x@demo.test",
        "MAILER-DAEMON@demo.test",
        f"reply+a1{'b2c3d4e5' * 4}@x.test",
    ]
    people.note_use(alice, [Address("", each) for each in (*nobody, "norbert@demo.test")])
    assert [each.key for each in Contact.objects.all()] == ["norbert@demo.test"]
    assert not people.is_new(alice, nobody[0])
    alice.collects_people = False
    people.note_use(alice, [BOB, Address("", "norbert@demo.test")])
    assert [(each.key, each.uses) for each in Contact.objects.all()] == [("norbert@demo.test", 2)]


@pytest.mark.parametrize("typed", ["lukasz", "Łuk", "oster", "Øst", "lukasz@demo.te"])
def test_letters_with_a_mark(alice: User, typed: str) -> None:
    people.note_use(alice, [Address("Łukasz Østergård", "lukasz@demo.test")])
    assert len(suggested(alice, typed)) == 1


def test_mallory_finds_nobody(alice: User, mallory: User) -> None:
    people.note_use(alice, [BOB])
    group_of(alice, "Club", Contact.objects.values_list("pk", flat=True))
    assert completion.complete(mallory, "bob") == []
    assert completion.complete(mallory, "club") == []
    persons.forget(mallory, [Contact.objects.get().pk])
    assert Contact.objects.count() == 1
    assert b"".join(address_book.write_file(mallory, collected=True)) == b""


def test_among_many_people(alice: User, django_assert_num_queries: object) -> None:
    """How long it takes `bench.sending` measures."""
    contacts = [
        Contact(user=alice, key=f"a{number}@demo.test", address=f"a{number}@demo.test", name=f"Anna {number}")
        for number in range(2_000)
    ]
    Contact.objects.bulk_create(contacts)
    contact_words.index(alice, list(Contact.objects.for_user(alice)))
    people.note_use(alice, [Address("Anna Best", "anna.best@demo.test")])
    assert suggested(alice, "a")[0] == "Anna Best <anna.best@demo.test>"
    assert len(suggested(alice, "anna 19")) == completion.MOST_SUGGESTED
    assert callable(django_assert_num_queries)
    with django_assert_num_queries(3):
        completion.complete(alice, "ann")
