"""The address book as a file: vCards in, with what is wrong by line, and out, with nothing lost on the way."""

from __future__ import annotations

import pytest
import vobject
from hypothesis import given
from hypothesis import strategies as st

from tests.store.book import CAROL, save, suggested
from webmail.models import Contact, ContactGroup, User
from webmail.protocol.address_book import Person, split, write_book
from webmail.protocol.contact_card import contact_of
from webmail.protocol.types import Address
from webmail.store import address_book, contact_groups, people, persons

pytestmark = pytest.mark.django_db

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
