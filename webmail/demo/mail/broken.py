"""Mail that breaks rules: wrong charsets, bare bytes, lost boundaries, odd file names. Byte for byte, as it arrives."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import datetime
from email.utils import format_datetime
from urllib.parse import quote

from webmail.demo.mail import pictures
from webmail.demo.mail.clock import moment
from webmail.demo.mail.documents import pdf
from webmail.demo.mail.foreign import Foreign, write
from webmail.demo.mail.letters import SEEN, DemoMail, message_id
from webmail.demo.mail.people import CAST, Person


def messages(now: datetime) -> Iterator[DemoMail]:
    """All of it for Alice, who has seen worse."""
    for raw, when, mailbox in (
        (_wrong_charset, "14d 12:44", "INBOX"),
        (_no_date, "62d 08:00", "Archive"),
        (_raw_subject, "67d 09:09", "Archive"),
        (_unknown_charset, "70d 13:13", "Archive"),
        (_lost_boundary, "77d 18:30", "Archive"),
        (_japanese_name, "28d 04:02", "Projects/Harbour redesign"),
        (_continued_name, "34d 15:41", "Projects/Budget"),
        (_empty, "39d 12:00", "INBOX"),
        (_html_named_text, "93d 10:10", "Archive"),
        (_uuencoded, "1003d 20:20", "Archive"),
    ):
        date = moment(now, when)
        yield DemoMail(CAST["alice"].email, mailbox, raw(date), SEEN, date)


def _head(key: str, sender: Person, subject: bytes, date: datetime, *more: bytes) -> bytes:
    lines = (
        f"From: {sender.name} <{sender.email}>".encode("ascii"),
        b"To: alice@demo.test",
        b"Subject: " + subject,
        f"Date: {format_datetime(date)}".encode(),
        f"Message-ID: {message_id(key, sender.domain)}".encode(),
        *more,
    )
    return b"\r\n".join(lines) + b"\r\n\r\n"


def _wrong_charset(date: datetime) -> bytes:
    """Says UTF-8, is windows-1252."""
    return write(
        Foreign(
            key="broken/charset",
            sender=Person("Copy shop Net Street", "shop@netstreet-copies.example"),
            subject="A1 plots: Größe und Preis",
            date=date,
            text="Hello,\n\nA1 in “matte” costs 4,90 € each – the glossy one 6,20 €. Größe wie gewünscht.\n\nFrau Süß",
            charset="utf-8",
            codec="cp1252",
        )
    )


def _no_date(date: datetime) -> bytes:
    """Neither a Date nor a Message-ID nor a type: RFC 822's poorest relative."""
    del date  # the message is about not having one
    return (
        b"From: shed@harbourvoices.example\r\nTo: alice@demo.test\r\nSubject: kettle\r\n\r\n"
        b"The shed's kettle is at the menders. It doesn't know what day it is, and neither do I.\r\n"
    )


def _raw_subject(date: datetime) -> bytes:
    """Eight-bit letters in the head, in UTF-8, undeclared."""
    sender = Person("Cafe an der Mole", "gruss@cafe-mole.example")
    subject = "Kuchen übrig! Törtchen, Bienenstich, ein Stück Käse".encode()
    return _head("broken/subject", sender, subject, date) + b"Wer zuerst kommt, isst zuerst.\r\n"


def _unknown_charset(date: datetime) -> bytes:
    """A charset that nobody has."""
    sender = Person("Old lighthouse", "keeper@lighthouse.example")
    kind = b"Content-Type: text/plain; charset=x-lighthouse-5bit"
    return _head("broken/unknown", sender, b"The lamp is out", date, b"MIME-Version: 1.0", kind) + (
        b"The lamp is out, and the software of the lamp sends mail now. Please ignore its charset.\r\n"
    )


def _lost_boundary(date: datetime) -> bytes:
    """A multipart that ends in the middle, as after a broken connection."""
    sender = CAST["jonas"]
    kind = b'Content-Type: multipart/mixed; boundary="=_lost"'
    body = base64.encodebytes(pictures.harbour(200, 120, seed=77))[:1800].replace(b"\n", b"\r\n")
    return (
        _head("broken/boundary", sender, b"sent from the ferry", date, b"MIME-Version: 1.0", kind)
        + b"--=_lost\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nno signal soon, here is the view\r\n"
        + b"--=_lost\r\nContent-Type: image/png; name=view.png\r\nContent-Transfer-Encoding: base64\r\n"
        + b"Content-Disposition: attachment; filename=view.png\r\n\r\n"
        + body
    )


def _japanese_name(date: datetime) -> bytes:
    """A file name in Japanese, once by RFC 2231 and once, for old programs, by RFC 2047 inside quotes."""
    name = "港の模型_最終版.pdf"
    old = base64.b64encode(name.encode("iso2022_jp")).decode()
    return _with_file(
        "broken/japanese",
        CAST["hana"].email,
        b"=?utf-8?b?" + base64.b64encode("図面の件".encode()) + b"?=",
        date,
        f'Content-Type: application/pdf; name="=?ISO-2022-JP?B?{old}?="\r\n'
        f"Content-Disposition: attachment; filename*=utf-8'ja'{quote(name)}",
    )


def _continued_name(date: datetime) -> bytes:
    """A file name in pieces, encoded and plain ones mixed (RFC 2231 §4.1)."""
    return _with_file(
        "broken/continued",
        CAST["eliska"].email,
        b"Protokol",
        date,
        "Content-Type: application/pdf\r\n"
        "Content-Disposition: attachment;\r\n"
        " filename*0*=utf-8'cs'Z%C3%A1pis%20z%20jedn%C3%A1n%C3%AD%20;\r\n"
        ' filename*1="o rozpoctu a o ";\r\n'
        " filename*2*=holubech%20%E2%80%93%20kone%C4%8Dn%C3%A1%20;\r\n"
        ' filename*3="verze (2).pdf"',
    )


def _with_file(key: str, address: str, subject: bytes, date: datetime, part_head: str) -> bytes:
    data = pdf("x.pdf", "Record", ["As agreed."]).data
    sender = Person(address.partition("@")[0], address)
    kind = b'Content-Type: multipart/mixed; boundary="=_file"'
    return (
        _head(key, sender, subject, date, b"MIME-Version: 1.0", kind)
        + b"--=_file\r\nContent-Type: text/plain\r\n\r\nPlease see the attached file.\r\n--=_file\r\n"
        + part_head.encode()
        + b"\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        + base64.encodebytes(data).replace(b"\n", b"\r\n")
        + b"--=_file--\r\n"
    )


def _empty(date: datetime) -> bytes:
    """A head and nothing else."""
    return _head("broken/empty", CAST["jonas"], b"(pocket)", date)


def _html_named_text(date: datetime) -> bytes:
    """HTML that calls itself plain text, from a coffee machine."""
    sender = Person("Coffee machine 2", "coffee2@demo.test")
    kind = b"Content-Type: text/plain; charset=us-ascii"
    return _head("broken/coffee", sender, b"[ALERT] beans < 5%", date, b"MIME-Version: 1.0", kind) + (
        b"<html><body><h1>Beans</h1><p>are <b>low</b>.</p></body></html>\r\n"
    )


def _uuencoded(date: datetime) -> bytes:
    """An attachment from before MIME."""
    sender = Person("Ruth Tideman", "ruth@tideman.example")
    return _head("broken/uuencode", sender, b"the cake tin", date) + (
        b"I found your father's old modem program, it still works!\r\n\r\nbegin 644 cake.txt\r\n"
        b">3&5M;VX@8V%K92P@,2!T:6XL(&YO(&AA<F)O=7(N\r\n`\r\nend\r\n"
    )
