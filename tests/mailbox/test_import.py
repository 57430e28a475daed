"""Files of mail sent up: by the form alone, or in pieces; what is wrong is said on the page."""

from __future__ import annotations

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from tests.cast import client_of, give_mail
from tests.reader import letter
from webmail.models import Account, Job, Mailbox, Upload, User
from webmail.spooling import SealedFile
from webmail.store import uploads, working

pytestmark = pytest.mark.django_db(transaction=True)


def send(reader: Client, inbox: Mailbox, data: bytes, *, name: str = "a.eml", **fields: object):
    files = [SimpleUploadedFile(name, data)] if data else []
    form = {"into": inbox.pk, "idem_key": "one form", "files": files} | fields
    return reader.post(f"/mailbox/{inbox.pk}/import/", form)


def test_the_form_alone(reader: Client, inbox: Mailbox, monkeypatch: pytest.MonkeyPatch) -> None:
    page = reader.get(f"/mailbox/{inbox.pk}/import/").content.decode()
    assert 'enctype="multipart/form-data"' in page
    monkeypatch.setattr("django.conf.settings.FILE_UPLOAD_MAX_MEMORY_SIZE", 10_000)
    large = letter(1, body="Private to alice " * 100_000)
    assert send(reader, inbox, large)["Location"] == "/jobs/"
    assert send(reader, inbox, large)["Location"] == "/jobs/", "sent twice is once"
    assert b"Import mail into Inbox" in reader.get("/jobs/").content
    working.work(inbox.account_id)
    assert inbox.messages.get().size == len(large)
    assert b"Import a message into Inbox" in reader.get("/jobs/").content
    assert Job.objects.count() == 1


def test_in_pieces(reader: Client, inbox: Mailbox) -> None:
    data = letter(1, body="x" * 1_500_000)
    path = f"/mailbox/{inbox.pk}/import/piece/?key=one+form&file=0&number="
    for number in (1, 0, 0):
        piece = data[number * uploads.PIECE : (number + 1) * uploads.PIECE]
        answer = reader.post(f"{path}{number}", piece, content_type="application/octet-stream")
        assert answer.status_code == 204
        here = reader.get(path.replace("&file=0&number=", "")).json()
        assert here == {"0": 0 if number else 2}, "those from the beginning on"
    sent = json.dumps([["a.eml", len(data)]])
    answer = reader.post(
        f"/mailbox/{inbox.pk}/import/",
        {"into": inbox.pk, "idem_key": "one form", "sent": sent, "seen": "on"},
        headers={"HX-Request": "true"},
    )
    assert (answer.status_code, answer.json()) == (202, {"go": "/jobs/"})
    working.work(inbox.account_id)
    assert inbox.messages.get().seen
    assert reader.post(f"{path}x", b"x", content_type="application/octet-stream").status_code == 400
    assert reader.post(f"{path}7", b"", content_type="application/octet-stream").status_code == 409


@pytest.mark.parametrize(
    "fields",
    [{"data": b""}, {"data": b"x", "into": 0}, {"data": b"", "sent": "[1]"}, {"data": b"", "sent": '[["a", 5]]'}],
)
def test_what_is_wrong_is_said(reader: Client, inbox: Mailbox, fields: dict[str, object]) -> None:
    answer = send(reader, inbox, **fields)  # type: ignore[arg-type]
    assert answer.status_code == 422
    assert 'role="alert"' in answer.content.decode()
    assert not Job.objects.exists()


def test_too_much_and_thought_better_of(
    reader: Client, inbox: Mailbox, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("django.conf.settings.IMPORT_BYTES_PER_PERSON", 100)
    assert "There is no room for it" in send(reader, inbox, letter(1)).content.decode()
    uploads.take(uploads.begin(account, "one form"), 0, 0, b"x" * 50)
    reader.post(f"/mailbox/{inbox.pk}/import/", {"idem_key": "one form", "act": "cancel"})
    assert not Upload.objects.exists()


def test_mallory_puts_nothing_into_alice_s(alice: User, mallory: User) -> None:
    hers = give_mail(alice).mailbox
    own = give_mail(mallory).mailbox
    assert hers is not None
    assert own is not None
    uploads.begin(alice.accounts.get(), "one form")
    client = client_of(mallory)
    assert send(client, own, letter(1), into=hers.pk).status_code == 422
    piece = client.post(f"/mailbox/{own.pk}/import/piece/?key=one+form&file=0&number=0", b"x", "text/plain")
    assert piece.status_code == 204, "a form of her own by the same key"
    uploads.take(Upload.objects.get(account__user=alice), 0, 0, b"x")
    uploads.take(Upload.objects.get(account__user=alice), 0, 1, b"x")
    assert client.get(f"/mailbox/{own.pk}/import/piece/?key=one+form").json() == {"0": 1}
    client.post(f"/mailbox/{own.pk}/import/", {"idem_key": "one form", "act": "cancel"})
    assert [upload.account.user for upload in Upload.objects.all()] == [alice]


def test_nothing_lies_readable_on_the_disk() -> None:
    file = SealedFile()
    file.write(b"Private to ")
    file.write(b"alice" * 9)
    file._file.seek(0)
    assert b"lice" not in file._file.read()
    for _ in range(2):
        file.seek(0)
        assert file.read(11) + file.read() == b"Private to " + b"alice" * 9
