"""A mailbox or chosen messages as mbox or zip: every octet of every message, in flat memory."""

from __future__ import annotations

import io
import mailbox as mailboxes
import zipfile
from pathlib import Path

import pytest
from django.test import Client

from tests.cast import client_of, give_mail
from tests.reader import letter
from tests.servers import MailUser
from webmail.models import Account, Mailbox, User
from webmail.store import jobs, sync
from webmail.store.exporting import Mbox

pytestmark = pytest.mark.django_db(transaction=True)
TRICKY = letter(2, body="From here on\r\n>From there\r\nfrom small\r\n" + "x" * 300_000 + "\r\nFrom the end")


@pytest.fixture
def inbox(mail_user: MailUser, account: Account) -> Mailbox:
    for message in (letter(1), TRICKY, letter(3)):
        mail_user.append("INBOX", message)
    sync.list_mailboxes(account)
    inbox = account.mailboxes.select_related("account__provider").get(role="inbox")
    sync.refresh(inbox)
    return inbox


def export(reader: Client, inbox: Mailbox, query: str = "", **data: object) -> bytes:
    answer = reader.post(f"/mailbox/{inbox.pk}/export/{query}", data)
    assert answer.status_code == 200
    assert answer["Content-Disposition"].startswith("attachment;")
    assert answer["Content-Security-Policy"] == "sandbox; default-src 'none'"
    return b"".join(answer.streaming_content)


def test_all_of_it_as_mbox(reader: Client, inbox: Mailbox, tmp_path: Path) -> None:
    file = tmp_path / "Inbox.mbox"
    file.write_bytes(export(reader, inbox, all="1", format="mbox"))
    found = list(mailboxes.mbox(file))
    assert [message["Subject"] for message in found] == ["Letter 1", "Letter 2", "Letter 3"]
    assert found[1].get_unixfrom() is None or "bob@demo.test" in found[1].get_from()
    body = found[1].get_payload()
    assert body.startswith(">From here on\n>>From there\nfrom small\n")
    assert body.rstrip().endswith(">From the end")


def test_all_of_it_as_zip(reader: Client, inbox: Mailbox) -> None:
    with zipfile.ZipFile(io.BytesIO(export(reader, inbox, all="1", format="zip"))) as archive:
        assert archive.testzip() is None
        assert [name.partition(" ")[2] for name in archive.namelist()] == [f"Letter {n}.eml" for n in (1, 2, 3)]
        assert archive.read(archive.namelist()[1]) == TRICKY


def test_what_is_chosen_wherever_the_server_has_it(reader: Client, inbox: Mailbox, mail_user: MailUser) -> None:
    first = inbox.messages.select_related("mailbox").get(subject="Letter 1")
    jobs.record_archive([first], idem_key="not done yet")
    mail_user.append("INBOX", letter(4), "\\Flagged")
    sync.refresh(inbox)
    keys = [first.pk, inbox.messages.get(subject="Letter 3").pk]
    assert export(reader, inbox, m=keys, format="mbox").count(b"\nSubject: ") == 2
    assert b"Letter 4" in export(reader, inbox, "?filter=flagged", all="1", format="mbox")
    assert reader.post(f"/mailbox/{inbox.pk}/export/", {"all": "1", "format": "pst"}).status_code == 400
    assert reader.post(f"/mailbox/{inbox.pk}/export/", {"m": "0", "format": "zip"}).status_code == 302


@pytest.mark.parametrize("size", [1, 2, 7, 5000])
@pytest.mark.parametrize(
    ("message", "written"),
    [
        (b"A: b\r\n\r\nFrom x\r\n", b"A: b\n\n>From x\n\n"),
        (b"A: b\r\n\r\n>>From x", b"A: b\n\n>>>From x\n\n"),
        (b"a" * 9000 + b"From x\r\nFrom y\r\n", b"a" * 9000 + b"From x\n>From y\n\n"),
        (b"\r\r\n\r", b"\r\n\r\n\n"),
        (b"", b"\n"),
    ],
)
def test_lines_are_quoted_however_they_come(message: bytes, written: bytes, size: int) -> None:
    mbox = Mbox()
    pieces = [mbox.feed(message[start : start + size]) for start in range(0, len(message), size)]
    assert b"".join(pieces) + mbox.finish() == written


def test_mallory_takes_nothing_of_alice_s_along(alice: User, mallory: User) -> None:
    hers = give_mail(alice)
    give_mail(mallory)
    own = Mailbox.objects.get(account__user=mallory)
    client = client_of(mallory)
    assert client.post(f"/mailbox/{hers.mailbox_id}/export/", {"all": "1", "format": "zip"}).status_code == 404
    assert client.post(f"/mailbox/{own.pk}/export/", {"m": hers.pk, "format": "zip"}).status_code == 302
