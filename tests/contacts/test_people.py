"""The address book: people, groups, files in and out, and whom the first letters mean."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from tests.cast import client_of
from webmail.models import Contact, ContactGroup
from webmail.protocol.types import Address
from webmail.store import people, persons

CARDS = (
    b"BEGIN:VCARD\r\nVERSION:4.0\r\nFN:Carol\r\nEMAIL:carol@demo.test\r\nEND:VCARD\r\n"
    b"BEGIN:VCARD\r\nFN:Nobody\r\nEND:VCARD\r\n"
)


@pytest.fixture
def carol(alice):
    return persons.save(alice, "carol@demo.test", persons.Facts("Carol Quay"))


def test_somebody_new(browser):
    browser.post("/people/", {"name": "Carol", "address": "carol@demo.test"})
    assert Contact.objects.get().name == "Carol"
    assert "carol@demo.test" in browser.get("/people/").content.decode()


def test_what_is_no_address_is_said_and_stays(browser):
    response = browser.post("/people/", {"name": "Carol", "address": "carol"})
    assert response.status_code == 422
    assert "is not a mail address" in response.content.decode()
    assert 'value="carol"' in response.content.decode()


def test_finding_changing_and_forgetting(browser, carol):
    assert "Carol Quay" in browser.get("/people/?q=qua").content.decode()
    assert "Carol Quay" not in browser.get("/people/?q=bob").content.decode()
    browser.post(f"/people/{carol.pk}/", {"act": "save", "name": "Carol Pier", "address": "carol@demo.test"})
    assert Contact.objects.get().name == "Carol Pier"
    page = browser.post(f"/people/{carol.pk}/", {"act": "forget"}, follow=True)
    assert "Carol Pier is no longer in your address book." in page.content.decode()
    assert not Contact.objects.for_user(carol.user).exists()
    browser.post("/people/act/", {"act": "restore", "at": page.context["at"]})
    assert Contact.objects.for_user(carol.user).exists()


def test_acts_on_those_chosen(browser, alice, mallory, carol):
    people.note_use(alice, [Address("", "bob@demo.test")])
    bob = Contact.objects.get(key="bob@demo.test")
    chosen = [carol.pk, bob.pk]
    page = browser.get("/people/?show=collected").content.decode()
    assert ("only written to" in page, "Carol" in page) == (True, False)
    browser.post("/people/act/", {"act": "keep", "person": bob.pk})
    assert not Contact.objects.filter(collected=True).exists()
    browser.post("/people/act/", {"act": "join", "person": chosen, "group": "Crew"})
    assert ContactGroup.objects.get().members.count() == 2
    answer = browser.post("/people/act/", {"act": "write", "person": chosen})
    for link in (answer["Location"], f"/write/?group={ContactGroup.objects.get().pk}"):
        assert browser.get(link).context["editor"].values.to == "bob@demo.test, Carol Quay <carol@demo.test>"
        assert not client_of(mallory).get(link).context["editor"].values.to
    client_of(mallory).post("/people/act/", {"act": "forget", "person": chosen})
    client_of(mallory).post("/people/act/", {"act": "merge", "person": chosen})
    assert Contact.objects.for_user(alice).filter(of=None).count() == 2
    browser.post("/people/act/", {"act": "merge", "person": chosen})
    assert Contact.objects.get(of=None).others.count() == 1
    assert browser.post("/people/act/", {"act": "steal", "person": chosen}).status_code == 400
    where = {"next": "https://evil.example/people/"}
    answer = browser.post("/people/act/", {"act": "forget", "person": chosen} | where)
    assert answer["Location"].startswith("/people/?forgotten=")


@pytest.mark.parametrize("when", ["2026-13-45T00:00:00+00:00", "2026-11-27T00:00", "0001-01-01T00:00+14:00", "soon\0"])
def test_a_link_with_no_moment_brings_nobody_back(browser, carol, when):
    persons.forget(carol.user, [carol.pk])
    assert browser.get("/people/", {"forgotten": when}).status_code == 200
    browser.post("/people/act/", {"act": "restore", "at": when})
    assert not Contact.objects.for_user(carol.user).exists()


def test_the_card_of_whoever_wrote(browser, alice, carol):
    page = browser.get("/people/of/?address=bob@demo.test&name=Bob").content.decode()
    assert "Not in your address book." in page
    browser.post("/people/of/", {"address": "bob@demo.test", "name": "Bob"})
    assert Contact.objects.get(key="bob@demo.test").name == "Bob"
    page = browser.get("/people/of/?address=carol@demo.test&name=The+Bank").content.decode()
    assert "In your address book as Carol Quay." in page
    assert browser.get("/people/of/?address=nobody").status_code == 400
    assert "This is you." in browser.get("/people/of/?address=alice@demo.test").content.decode()


def test_the_first_letters(browser, carol):
    found = browser.get("/people/complete/?q=car").json()["people"]
    assert found == [{"text": "Carol Quay <carol@demo.test>", "label": "Carol Quay", "detail": "carol@demo.test"}]


def test_a_group_takes_in_whom_the_book_has_not_yet(browser, carol):
    browser.post("/people/groups/", {"name": "Crew", "members": "carol@demo.test, Bob <bob@demo.test>"})
    group = ContactGroup.objects.get()
    assert {each.address for each in group.members.all()} == {"carol@demo.test", "bob@demo.test"}
    page = browser.get(f"/people/groups/{group.pk}/").content.decode()
    assert "Carol Quay &lt;carol@demo.test&gt;" in page
    browser.post(f"/people/groups/{group.pk}/", {"act": "save", "name": "Watch", "members": "bob@demo.test"})
    assert [each.name for each in ContactGroup.objects.all()] == ["Watch"]
    for path in ("/people/groups/", f"/people/groups/{ContactGroup.objects.create(user=carol.user, name='Crew').pk}/"):
        answer = browser.post(path, {"name": "Watch", "members": "carol@demo.test"})
        assert (answer.status_code, "a group of this name already" in answer.content.decode()) == (422, True)
    assert [each.address for each in group.members.all()] == ["bob@demo.test"], "nobody's group is written over"
    page = browser.post(f"/people/groups/{group.pk}/", {"act": "remove"}, follow=True)
    assert page.context["gone"] == {"name": "Watch", "members": "Bob <bob@demo.test>"}
    assert not browser.get("/people/").context["gone"]
    browser.post("/people/groups/", page.context["gone"])
    assert ContactGroup.objects.get(name="Watch").members.count() == 1
    ContactGroup.objects.all().delete()
    assert Contact.objects.count() == 2


def test_who_of_a_group_is_no_address_is_said(browser):
    response = browser.post("/people/groups/", {"name": "Crew", "members": "bob@demo.test, nobody"})
    assert response.status_code == 422
    assert "it has no @" in response.content.decode()


def test_a_file_in_with_what_is_wrong_by_line(browser):
    page = browser.post("/people/import/", {"file": SimpleUploadedFile("p.vcf", CARDS)}).content.decode()
    assert "1 new" in page
    assert "Line 6: Nobody has no mail address." in page
    assert browser.post("/people/import/").status_code == 422


@pytest.mark.parametrize("version", ["3.0", "4.0"])
def test_a_file_out(browser, carol, version):
    response = browser.get(f"/people/export/?version={version}")
    assert response["Content-Disposition"].startswith("attachment")
    book = b"".join(response.streaming_content).decode()
    assert f"VERSION:{version}" in book
    assert "carol@demo.test" in book
