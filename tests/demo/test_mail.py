"""The demo's mail: real messages, no real people, the same every time, never from the future."""

from __future__ import annotations

import email
import io
import re
import subprocess
import sys
import zipfile
import zlib
from collections import Counter
from datetime import UTC, datetime, timedelta, timezone
from email.message import Message
from email.utils import getaddresses
from functools import cache
from pathlib import Path

import pytest

from webmail.demo.mail.all import all_messages
from webmail.demo.mail.clock import moment, span, upcoming
from webmail.demo.mail.conversation import Conversation, play
from webmail.demo.mail.letters import DemoMail
from webmail.demo.mail.people import CAST
from webmail.demo.seed import MAILBOXES

NOW = datetime(2025, 3, 12, 10, 30, tzinfo=UTC)
DOMAIN = re.compile(rb"[\w.+-]@([a-z0-9-]+(?:\.[a-z0-9-]+)+)", re.IGNORECASE)
ADDRESS_FIELDS = ("From", "To", "Cc", "Return-Path")


@cache
def mails() -> tuple[DemoMail, ...]:
    return tuple(all_messages(NOW))


def parsed(mail: DemoMail) -> Message:
    return email.message_from_bytes(mail.raw)


def of(user: str, mailbox: str = "") -> list[DemoMail]:
    return [mail for mail in mails() if mail.user == CAST[user].email and mailbox in ("", mail.mailbox)]


def leaves(mail: DemoMail) -> list[Message]:
    return [part for part in parsed(mail).walk() if not part.is_multipart()]


def test_two_people_have_a_few_hundred_messages() -> None:
    assert {mail.user for mail in mails()} == {"alice@demo.test", "bob@demo.test"}
    assert 300 <= len(of("alice")) <= 400
    assert 100 <= len(of("bob")) <= 160


def test_every_mailbox_has_mail_and_is_made() -> None:
    filled = {mail.mailbox for mail in of("alice")}
    assert filled == {"INBOX", *MAILBOXES}
    assert {mail.mailbox for mail in of("bob")} <= filled


def test_inbox_looks_alive() -> None:
    inbox = of("alice", "INBOX")
    unread = [mail for mail in inbox if "\\Seen" not in mail.flags]
    assert 10 <= len(unread) <= 20
    assert all(NOW - mail.date < timedelta(days=10) for mail in unread)
    ages = Counter((NOW - mail.date).days for mail in inbox)
    assert ages[0] >= 5
    assert sum(count for days, count in ages.items() if days < 7) >= 25
    assert max((NOW - mail.date).days for mail in of("alice")) > 900
    flags = Counter(flag for mail in of("alice") for flag in mail.flags)
    assert flags["\\Flagged"] >= 5
    assert flags["\\Answered"] >= 30
    assert flags["\\Draft"] == 3
    assert flags["$Forwarded"] >= 1
    assert flags["project"] >= 10


@pytest.mark.parametrize(("day", "hour"), [(1, 0), (6, 7), (28, 23)])
def test_nothing_comes_from_the_future(day: int, hour: int) -> None:
    now = datetime(2032, 3, day, hour, 1, tzinfo=timezone(timedelta(hours=2)))
    assert all(mail.date <= now for mail in all_messages(now))


def test_the_same_moment_gives_the_same_bytes() -> None:
    assert tuple(all_messages(NOW)) == mails()


def test_lines_end_with_crlf_and_hold_no_nul() -> None:
    for mail in mails():
        assert not re.search(rb"(?<!\r)\n|\r(?!\n)|\0", mail.raw), parsed(mail)["Subject"]


def test_nobody_real_is_written_to() -> None:
    for mail in mails():
        message = parsed(mail)
        values = [str(value) for field in ADDRESS_FIELDS for value in message.get_all(field, ())]
        for _, address in getaddresses(values):
            assert not address or address.endswith((".test", ".example")), address
        # And in the text: whatever looks like an address or a link leads nowhere.
        for part in leaves(mail):
            if part.get_content_maintype() == "text":
                data = part.get_payload(decode=True)
                assert isinstance(data, bytes)
                for domain in DOMAIN.findall(data) + re.findall(rb"https?://([\w.-]+)", data):
                    assert domain.endswith((b".test", b".example")), domain


def test_message_ids_are_unique_in_a_mailbox_owners_mail() -> None:
    counts = Counter((mail.user, str(parsed(mail)["Message-ID"])) for mail in mails() if parsed(mail)["Message-ID"])
    assert [key for key, count in counts.items() if count > 1] == []


def test_every_answer_names_a_message_that_exists() -> None:
    known = {parsed(mail)["Message-ID"] for mail in mails()}
    answers = [parsed(mail) for mail in mails() if parsed(mail)["In-Reply-To"]]
    assert len(answers) > 200
    for answer in answers:
        assert answer["In-Reply-To"] in known
        assert answer["References"].split()[-1] == answer["In-Reply-To"]


def test_the_cast_is_there() -> None:
    senders = {address for mail in mails() for _, address in getaddresses([parsed(mail)["From"]])}
    assert {person.email for person in CAST.values()} <= senders


def test_what_alice_sent_came_from_alice() -> None:
    for user in ("alice", "bob"):
        for mail in of(user, "Sent"):
            assert getaddresses([parsed(mail)["From"]])[0][1] == mail.user


def test_every_kind_of_part_is_there() -> None:
    types = {part.get_content_type() for mail in of("alice") for part in parsed(mail).walk()}
    assert types >= {
        "text/plain",
        "text/html",
        "text/calendar",
        "text/vcard",
        "text/csv",
        "text/x-patch",
        "image/png",
        "application/pdf",
        "application/zip",
        "application/octet-stream",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "message/rfc822",
        "message/delivery-status",
        "multipart/alternative",
        "multipart/related",
        "multipart/report",
    }
    charsets = {str(part.get_content_charset()) for mail in of("alice") for part in leaves(mail)}
    assert charsets >= {
        "koi8-r",
        "iso-2022-jp",
        "gb18030",
        "big5",
        "euc-kr",
        "iso-8859-2",
        "windows-1250",
        "windows-1255",
        "iso-8859-7",
        "tis-620",
    }
    encodings = {str(part["Content-Transfer-Encoding"]).lower() for mail in mails() for part in leaves(mail)}
    assert encodings >= {"7bit", "8bit", "base64", "quoted-printable"}
    assert max(len(mail.raw) for mail in mails()) > 1_200_000


def test_attached_files_are_what_they_say() -> None:
    seen = Counter[str]()
    for mail in of("alice"):
        for part in leaves(mail):
            kind, data = part.get_content_type(), part.get_payload(decode=True)
            truncated = "boundary" in str(parsed(mail)["Content-Type"]) and not mail.raw.rstrip().endswith(b"--")
            if truncated or not isinstance(data, bytes):
                continue
            seen[kind] += 1
            if kind == "image/png":
                check_png(data)
            elif kind == "application/pdf":
                check_pdf(data)
            elif kind == "application/zip" or "openxmlformats" in kind:
                assert zipfile.ZipFile(io.BytesIO(data)).testzip() is None
    assert seen["image/png"] > 30
    assert seen["application/pdf"] > 5


def check_png(data: bytes) -> None:
    """The picture's size fits its pixels, and every chunk its checksum."""
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    place, pixels, width, height = 8, b"", 0, 0
    while place < len(data):
        length = int.from_bytes(data[place : place + 4])
        kind, body = data[place + 4 : place + 8], data[place + 8 : place + 8 + length]
        assert zlib.crc32(kind + body) == int.from_bytes(data[place + 8 + length : place + 12 + length])
        if kind == b"IHDR":
            width, height = int.from_bytes(body[:4]), int.from_bytes(body[4:8])
        pixels += body if kind == b"IDAT" else b""
        place += 12 + length
    assert len(zlib.decompress(pixels)) == (width * 3 + 1) * height


def check_pdf(data: bytes) -> None:
    """Its table of contents points at its objects."""
    table = int(data.rsplit(b"startxref\n", 1)[1].split()[0])
    assert data[table:].startswith(b"xref\n")
    for number, place in enumerate(re.findall(rb"(\d{10}) 00000 n", data[table:]), start=1):
        assert data[int(place) :].startswith(b"%d 0 obj" % number)


def test_pictures_that_html_shows_are_in_the_message() -> None:
    shown = 0
    for mail in mails():
        parts = leaves(mail)
        present = {str(part["Content-ID"]).strip("<>") for part in parts if part["Content-ID"]}
        for part in parts:
            if part.get_content_type() == "text/html":
                data = part.get_payload(decode=True)
                assert isinstance(data, bytes)
                wanted = {name.decode() for name in re.findall(rb'src="cid:([^"]+)"', data)}
                assert wanted <= present
                shown += len(wanted)
    assert shown > 50


def test_mailing_list_can_be_told_and_left() -> None:
    listed = [parsed(mail) for mail in of("alice") if "dev.tidetable.example" in str(parsed(mail)["List-Id"])]
    assert len(listed) > 10
    assert all(message["List-Unsubscribe"] and message["List-Post"] for message in listed)


def test_conversation_threads_quotes_and_files_what_is_said() -> None:
    script = """
@bob flagged
Shall we?
@alice +2h
We shall.
@carol +30m unread
I heard that.
"""
    talk = Conversation("try", "Lunch", "1d 12:00", "bob alice carol", script, mailbox={"bob": "Archive"})
    received = [(mail.user, mail.mailbox, mail.flags) for mail in play(talk, NOW)]
    assert received == [
        ("alice@demo.test", "INBOX", ("\\Seen", "\\Flagged", "\\Answered")),
        ("bob@demo.test", "Sent", ("\\Seen",)),
        ("alice@demo.test", "Sent", ("\\Seen",)),
        ("bob@demo.test", "Archive", ("\\Seen",)),
        ("alice@demo.test", "INBOX", ()),
        ("bob@demo.test", "Archive", ()),
    ]
    answer = parsed(next(mail for mail in play(talk, NOW) if mail.mailbox == "Sent" and mail.user.startswith("alice")))
    assert answer["Subject"] == "Re: Lunch"
    assert answer["To"] == "Bob Novak <bob@demo.test>"
    assert answer["Cc"] == "Carol Osei <carol@demo.test>"
    body = answer.get_payload(decode=True)
    assert isinstance(body, bytes)
    assert body.decode().startswith("We shall.\r\n\r\n-- \r\nAlice Tideman")
    assert "On Tue, 11 Mar 2025 at 09:30, Bob Novak wrote:\r\n> Shall we?" in body.decode()


@pytest.mark.parametrize("script", ["", "Hello", "@nobody\nHello", "@bob +soon\nHello"])
def test_a_script_with_a_mistake_is_refused(script: str) -> None:
    with pytest.raises((ValueError, KeyError)):
        list(play(Conversation("try", "Lunch", "1d 12:00", "bob alice", script), NOW))


def test_clock_reads_moments() -> None:
    assert moment(NOW, "25m") == NOW - timedelta(minutes=25)
    assert moment(NOW, "2d 09:15") == datetime(2025, 3, 10, 9, 15, tzinfo=UTC)
    assert moment(NOW, "3w 09:15") == datetime(2025, 3, 7, 9, 15, tzinfo=UTC)  # over a weekend
    assert upcoming(NOW, 3, 14) == datetime(2025, 3, 17, 14, 0, tzinfo=UTC)
    assert span("1d2h30m") == timedelta(days=1, hours=2, minutes=30)
    with pytest.raises(ValueError, match="still to come"):
        moment(NOW, "11:00")
    with pytest.raises(ValueError, match="not a moment"):
        moment(NOW, "yesterday")


def test_command_writes_files_to_look_at(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "webmail.demo.mail", "--out", str(tmp_path)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    files = list(tmp_path.rglob("*.eml"))
    assert done.stdout == f"{len(mails())} messages in {tmp_path}\n"
    assert len(files) > 400
    assert (tmp_path / "alice@demo.test" / "Projects.Harbour redesign").is_dir()
