"""All attachments as one archive: whole, each name once, over one connection, in flat memory (T16)."""

from __future__ import annotations

import contextlib
import io
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from django.test import Client

from tests.message import letters
from tests.message.test_download import body
from tests.servers import MailUser
from webmail.models import Message
from webmail.store import pools
from webmail.store.zipping import unique_names

pytestmark = pytest.mark.django_db(transaction=True)
Received = Callable[..., Message]
MEGABYTE = 2**20


def message_with(*files: tuple[str, bytes]) -> bytes:
    message = letters.letter("Plans / 2026")
    message.set_content("All of it.\n")
    for name, data in files:
        message.add_attachment(data, "application", "octet-stream", filename=name)
    return bytes(message)


def test_every_file_is_in_it(reader: Client, received: Received) -> None:
    files = [("plán.pdf", os.urandom(700_001)), ("Plán.PDF", b"two"), ("../../etc/passwd", b""), ("a.txt", b"x" * 99)]
    message = received(message_with(*files))
    pool = pools._pool(message.account)
    opened = pool.stats.opened
    response = reader.get(f"/message/{message.pk}/zip/")
    assert response["Content-Type"] == "application/octet-stream"
    assert response["Content-Disposition"] == 'attachment; filename="2026.zip"'
    assert response["Content-Security-Policy"] == "sandbox; default-src 'none'"
    with zipfile.ZipFile(io.BytesIO(body(response))) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == {
            "plán.pdf": files[0][1],
            "Plán (2).PDF": b"two",
            "passwd": b"",
            "a.txt": files[3][1],
        }
        assert {entry.compress_type for entry in archive.infolist()} == {zipfile.ZIP_STORED}
    assert pool.stats.opened == opened
    assert pool.stats.lent == 0


def test_it_can_be_given_up_half_way(reader: Client, received: Received) -> None:
    message = received(message_with(("a.bin", os.urandom(3 * MEGABYTE)), ("b.bin", b"b")))
    response = reader.get(f"/message/{message.pk}/zip/")
    next(iter(response.streaming_content))
    response.close()
    assert pools._pool(message.account).stats.lent == 0
    assert len(body(reader.get(f"/message/{message.pk}/zip/"))) > 3 * MEGABYTE


def test_a_message_that_is_gone_is_a_page(reader: Client, received: Received, mail_user: MailUser) -> None:
    message = received(message_with(("a.bin", b"a")))
    with mail_user.imap() as client:
        client.select("INBOX")
        client.store("1", "+FLAGS", "(\\Deleted)")
        client.expunge()
    pools.forget(message.account)  # Dovecot goes on serving it to who had it open
    assert reader.get(f"/message/{message.pk}/zip/").status_code == 404


@pytest.mark.parametrize("path", ["zip", "part/2"])
def test_memory_stays_flat(reader: Client, received: Received, path: str) -> None:
    """A tenth of T16's 500 MB."""
    message = received(message_with(("a.bin", os.urandom(25 * MEGABYTE)), ("b.bin", os.urandom(12 * MEGABYTE))))
    chunks = iter(reader.get(f"/message/{message.pk}/{path}/").streaming_content)
    next(chunks)
    before, octets = peak(), 0
    for chunk in chunks:
        octets += len(chunk)
    assert octets > 24 * MEGABYTE
    assert peak() - before < 24


def peak() -> float:
    """The most memory this process held since the last call, in MB."""
    status = Path("/proc/self/status").read_text()
    found = int(status.partition("VmHWM:")[2].split()[0]) / 1024
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
    return found


@pytest.mark.parametrize(
    ("names", "unique"),
    [
        (["a.txt", "a.txt", "A.TXT"], ["a.txt", "a (2).txt", "A (3).TXT"]),
        (["a", "a", "a (2)"], ["a", "a (2)", "a (2) (2)"]),
        (["a.tar.gz", "a.tar.gz"], ["a.tar.gz", "a.tar (2).gz"]),
        ([], []),
    ],
)
def test_each_name_once(names: list[str], unique: list[str]) -> None:
    assert unique_names(names) == unique


def test_an_invitation_that_comes_twice_is_one_attachment(reader: Client, received: Received) -> None:
    """In the alternative, where the page shows it as a card, and as a file."""
    event = (
        "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTART:20261127T170000Z\r\n"
        "END:VEVENT\r\nEND:VCALENDAR\r\n"
    )
    message = letters.letter("Design review")
    message.set_content("Come at five.\n")
    message.add_alternative(event, subtype="calendar")
    message.add_attachment(event, subtype="calendar", filename="invite.ics")
    row = received(bytes(message))
    page = reader.get(f"/message/{row.pk}/").content.decode()
    assert "1 attachment" in page
    assert f"/message/{row.pk}/zip/" not in page
    with zipfile.ZipFile(io.BytesIO(body(reader.get(f"/message/{row.pk}/zip/")))) as archive:
        assert archive.namelist() == ["invite.ics"]
