"""Who is suggested: whoever one writes to, found by any word, the liveliest first; and address books as files."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

import pytest
import vobject
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from webmail.models import Contact, ContactGroup, ContactWord, User
from webmail.protocol.address_book import Person, split, write_book
from webmail.protocol.contact_card import contact_of
from webmail.protocol.types import Address
from webmail.store import address_book, completion, contact_groups, contact_words, people, persons
from webmail.store.identities import NotAnAddress

pytestmark = pytest.mark.django_db

BOB = Address("Bob Novák", "bob@demo.test")
CAROL = Address("Carol Jones", "carol@Quay.test")


def save(user: User, address: str, *, contact: Contact | None = None, **facts: str | tuple[str, ...]) -> Contact:
    return persons.save(user, address, persons.Facts(**facts), contact=contact)  # type: ignore[arg-type]


def group_of(user: User, name: str, contact_ids: Iterable[int]) -> None:
    group, _ = ContactGroup.objects.get_or_create(user=user, name=name)
    group.members.set(contact_ids)


def suggested(user: User, typed: str) -> list[str]:
    return [each.text for each in completion.complete(user, typed)]


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
    save(alice, "carol@demo.test", name="Carol Jones")
    done = address_book.read_file(alice, VCARDS)
    assert (done.added, done.changed) == (1, 1)
    assert [(fault.line, fault.sentence) for fault in done.faults] == [
        (12, "This is no part of a card."),
        (14, "Nobody has no mail address."),
        (18, "“not an address” is not a mail address."),
        (24, "This card has no end."),
    ]
    bob = Contact.objects.get(key="bob@demo.test")
    assert (bob.name, bob.organisation, bob.phones, bob.note) == ("Bob Novák", "Quay, Ltd", "+41 1 234", "one\ntwo")
    assert [each.key for each in bob.others.all()] == ["bob@home.test"]
    assert Contact.objects.get(key="carol@demo.test").name == "Carol Jones", "what is known stays"
    assert suggested(alice, "nov") == ["Bob Novák <bob@demo.test>", "Bob Novák <bob@home.test>"]


@pytest.mark.parametrize("version", ["3.0", "4.0"])
def test_out_and_in_again(alice: User, bob: User, version: str) -> None:
    save(
        alice,
        "bob@demo.test",
        name="Bob; Novák, \\ Jr.",
        organisation="Q",
        phones="1",
        note="a\nb;c",
        birthday="--02-29",
    )
    people.note_use(alice, [CAROL])
    contact_groups.save_of(alice, "Crew, of the quay", [Address("", "bob@demo.test")])
    written = b"".join(address_book.write_file(alice, version=version))
    assert written.count(b"BEGIN:VCARD") == 1
    assert f"VERSION:{version}".encode() in written
    assert all(len(line) <= 75 for line in written.split(b"\r\n"))
    assert address_book.read_file(bob, written).added == 1
    fields = ("key", "name", "organisation", "phones", "note", "birthday")
    assert Contact.objects.for_user(bob).values_list(*fields).get() == (
        Contact.objects.for_user(alice).filter(collected=False).values_list(*fields).get()
    )
    assert b"".join(address_book.write_file(alice, collected=True)).count(b"BEGIN:VCARD") == 2
    group = ContactGroup.objects.get(user=bob)
    assert (group.name, [each.key for each in group.members.all()]) == ("Crew, of the quay", ["bob@demo.test"])


PHOTO = "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAoHBwgHBgoICAgLCgoLDhgQDg0NDh0VFhEY"
TELEPHONE = f"""BEGIN:VCARD\r
VERSION:2.1\r
N;CHARSET=ISO-8859-1;ENCODING=QUOTED-PRINTABLE:Nov=E1k;Bob;;Dr.\r
FN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:Bob Nov=C3=\r
=A1k\r
TEL;CELL;PREF:+41 1 234\r
item1.TEL:+41 99\r
item1.X-ABLabel:Boat\r
EMAIL;INTERNET:bob@demo.test\r
EMAIL;INTERNET;HOME:bob@home.test\r
ADR;HOME:;;Quay 1, left;Bern;;3000;CH\r
BDAY;X-APPLE-OMIT-YEAR=1604:1604-04-01\r
PHOTO;ENCODING=BASE64;JPEG:{PHOTO[:40]}\r
 {PHOTO[40:]}\r
\r
X-SHOE;X-SIDE=b:44\r
END:VCARD\r
""".encode()


@pytest.mark.parametrize("version", ["3.0", "4.0"])
def test_what_nobody_here_knows_of_is_kept(alice: User, bob: User, version: str) -> None:
    """Read by the parser that reads other people's cards, too."""
    assert address_book.read_file(alice, TELEPHONE).faults == ()
    contact = Contact.objects.get(of=None)
    assert (contact.name, contact.phones) == ("Bob Novák", "mobile: +41 1 234\n+41 99")
    assert ("Address", "Quay 1, left, Bern, 3000, CH") in persons.details(contact)
    for _ in range(2):  # and once more, of what was written
        written = b"".join(address_book.write_file(alice, version=version))
        lines = written.replace(b"\r\n ", b"").decode().split("\r\n")
        assert {"N:Novák;Bob;;Dr.", "X-SHOE;X-SIDE=b:44", "EMAIL;TYPE=INTERNET;TYPE=HOME:bob@home.test"} <= {*lines}
        assert {"item1.TEL:+41 99", "item1.X-ABLabel:Boat", r"ADR;TYPE=HOME:;;Quay 1\, left;Bern;;3000;CH"} <= {*lines}
        picture, day, number = {
            "3.0": (f"PHOTO;ENCODING=b;TYPE=JPEG:{PHOTO}", "BDAY;X-APPLE-OMIT-YEAR=1604:1604-04-01", "TYPE=PREF"),
            "4.0": (f"PHOTO:data:image/jpeg;base64,{PHOTO}", "BDAY:--0401", "PREF=1"),
        }[version]
        assert {picture, day, f"TEL;TYPE=CELL;{number}:+41 1 234"} <= {*lines}
        card = vobject.readOne(written.decode())
        assert [each.value for each in card.email_list] == ["bob@demo.test", "bob@home.test"]
        Contact.objects.all().delete()
        address_book.read_file(alice, written)
    save(alice, "bob@demo.test", name="Robert", contact=Contact.objects.get(of=None))
    written = b"".join(address_book.write_file(alice, version=version))
    assert b"N:Robert;;;;\r\n" in written
    assert b"+41 99" not in written


def test_cards_that_share_an_address_are_one_person(alice: User) -> None:
    save(alice, "carol@demo.test", name="Carol")
    people.note_use(alice, [Address("", "bob@home.test")])
    cards = [
        "FN:Bob\nEMAIL:bob@demo.test\nTEL:1",
        "FN:Bobby\nEMAIL:BOB@demo.test\nEMAIL:bob@home.test\nTEL:2\nNOTE:left",
        "FN:C\nEMAIL:carol@demo.test\nEMAIL:c@demo.test\nBDAY:19800401",
        "FN:Dan\nEMAIL:dan@demo.test\nEMAIL:carol@demo.test",
    ]
    done = address_book.read_file(
        alice, "".join(f"BEGIN:VCARD\nVERSION:3.0\n{card}\nEND:VCARD\n" for card in cards).encode()
    )
    assert (done.added, done.changed, done.faults) == (0, 2, ())
    rows = Contact.objects.for_user(alice).filter(of=None).order_by("name")
    assert [(each.name, each.phones, each.note, each.birthday) for each in rows] == [
        ("Bob", "1\n2", "left", ""),
        ("Carol", "", "", "1980-04-01"),
    ]


@pytest.mark.parametrize("prefix", ["", "X-ADDRESSBOOKSERVER-"])
def test_a_card_that_is_a_group(alice: User, prefix: str) -> None:
    """As RFC 6350 has it, and as Apple writes it."""
    group = f"FN:Crew\n{prefix}KIND:group\n{prefix}MEMBER:urn:uuid:1A\n{prefix}MEMBER:mailto:carol@demo.test\nUID:9"
    cards = [group, "FN:Bob\nEMAIL:bob@demo.test\nEMAIL:bob@home.test\nUID:1a", "FN:Carol\nEMAIL:carol@demo.test"]
    done = address_book.read_file(
        alice, "".join(f"BEGIN:VCARD\nVERSION:3.0\n{card}\nEND:VCARD\n" for card in cards).encode()
    )
    assert (done.added, done.faults) == (2, ())
    [crew] = ContactGroup.objects.all()
    assert (crew.name, {each.key for each in crew.members.all()}) == ("Crew", {"bob@demo.test", "carol@demo.test"})


def test_there_is_an_end_to_groups(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contact_groups, "MAX_GROUPS", 1)
    card = b"BEGIN:VCARD\nVERSION:3.0\nFN:Bob\nEMAIL:bob@demo.test\nCATEGORIES:myContacts,One,Two\nEND:VCARD\n"
    done = address_book.read_file(alice, card)
    assert [fault.sentence for fault in done.faults] == ["There can be 1 groups; “Two” was not made."]
    assert [group.name for group in ContactGroup.objects.all()] == ["One"]


@given(st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=80))
def test_any_name_comes_back(name: str) -> None:
    written = b"".join(write_book([Person(("bob@demo.test",), name, note=name, groups=("a,b", name))]))
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
