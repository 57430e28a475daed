"""The address book: people, groups, files in and out, and whom the first letters mean."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from webmail.models import Contact, ContactGroup
from webmail.store import people

CARDS = (
    b"BEGIN:VCARD\r\nVERSION:4.0\r\nFN:Carol\r\nEMAIL:carol@demo.test\r\nEND:VCARD\r\n"
    b"BEGIN:VCARD\r\nFN:Nobody\r\nEND:VCARD\r\n"
)


@pytest.fixture
def carol(alice):
    return people.save(alice, address="carol@demo.test", name="Carol Quay")


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
    browser.post(f"/people/{carol.pk}/", {"act": "forget"})
    assert not Contact.objects.exists()


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
    browser.post(f"/people/groups/{ContactGroup.objects.get().pk}/", {"act": "remove"})
    assert not ContactGroup.objects.exists()
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
