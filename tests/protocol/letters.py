"""Letters for the tests of writing, and what an independent parser and our own reader make of one."""

from __future__ import annotations

import email
from datetime import datetime, timedelta, timezone
from email.message import EmailMessage
from email.policy import default

from webmail.protocol.compose import File, Letter
from webmail.protocol.types import Address

ALICE = Address("Alice Moreau", "alice@demo.test")
BOB = Address("Bob Novák", "bob@demo.test")
CAROL = Address("", "carol@demo.test")
WHEN = datetime(2026, 11, 26, 9, 30, 15, tzinfo=timezone(timedelta(hours=1)))
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4


def letter(**changes: object) -> Letter:
    """A letter from alice to bob, changed as told."""
    values: dict[str, object] = {
        "message_id": "0123456789abcdef@demo.test",
        "date": WHEN,
        "from_": ALICE,
        "to": (BOB,),
        "subject": "Ferry",
        "text": "Dear Bob,\n\nit leaves at nine.\n\nAlice",
    }
    return Letter(**(values | changes))  # type: ignore[arg-type]


def parsed(message: bytes) -> EmailMessage:
    """The message as the standard library reads it; a defect anywhere fails the test."""
    mail = email.message_from_bytes(message, policy=default)
    assert isinstance(mail, EmailMessage)
    for part in mail.walk():
        assert not part.defects, part.defects
        for name, value in part.items():
            defects = [str(defect) for defect in getattr(value, "defects", ())]
            if name == "Content-Type" and "encoded word inside quoted string" in defects:
                continue  # for old Outlooks; the same name stands as RFC 2231 has it in Content-Disposition
            assert not defects, (name, value, defects)
    return mail


def picture(content_id: str = "one@demo.test") -> File:
    return File("quay.png", "image/png", PNG, content_id)
