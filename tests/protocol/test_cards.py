"""Invitations, contacts and reports as facts: what is odd beyond the mails of tests/corpus, and what is hostile."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webmail.protocol import bounded, cards, kinds
from webmail.protocol.calendar_card import read_calendar
from webmail.protocol.contact_card import read_contacts
from webmail.protocol.report import read_complaint, read_delivery, read_receipt, reason

EVENT = (
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTART:20261127T170000Z\r\n{}\r\nEND:VEVENT\r\n"
    "END:VCALENDAR\r\n"
)


def event(*lines: str) -> dict[str, object]:
    found: dict[str, object] = read_calendar(EVENT.format("\r\n".join(lines)).encode())["events"][0]
    return found


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("FREQ=DAILY", "every day"),
        ("FREQ=DAILY;COUNT=1", "every day, once"),
        ("FREQ=WEEKLY;BYDAY=MO,TU,FR", "every week on Monday, Tuesday and Friday"),
        ("FREQ=MONTHLY;BYMONTHDAY=1,15", "every month on day 1 and day 15"),
        ("FREQ=MONTHLY;BYMONTHDAY=-1", "every month on the last day"),
        ("FREQ=MONTHLY;BYDAY=2TU", "every month on the second Tuesday"),
        ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", "every month on the last weekday"),
        ("FREQ=YEARLY;BYMONTH=3;BYMONTHDAY=3", "every year on day 3 in March"),
        ("FREQ=YEARLY;INTERVAL=4", "every 4 years"),
        ("FREQ=DAILY;UNTIL=20270101", "every day, until 1 January 2027"),
        ("FREQ=NEVER", "at times that can't be put into words"),
    ],
)
def test_a_rule_in_words(rule: str, words: str) -> None:
    assert event(f"RRULE:{rule}")["repeats"] == words


def test_several_dates() -> None:
    assert event("RDATE:20261128T170000Z,20261129T170000Z")["repeats"] == "on several dates"


@pytest.mark.parametrize(
    "lines",
    [
        ("RRULE:FREQ=SECONDLY;INTERVAL=1;COUNT=99999999",),
        ("DTEND:nonsense", "DURATION:also", "SEQUENCE:many"),
        ('ATTENDEE;CN="a:b\nc', "ORGANIZER:"),
        tuple(f"ATTENDEE:mailto:p{n}@demo.test" for n in range(5_000)),
        tuple(f"EXDATE:2026112{n % 9}T170000Z" for n in range(3_000)),
        ("DESCRIPTION:" + "x" * 200_000,),
        ("SUMMARY:one", "SUMMARY:two", "LOCATION:a", "LOCATION:b", "UID:2"),
        ("DTSTART;TZID=" + "x" * 5_000 + ":20261127T170000",),
    ],
)
def test_a_hostile_event_is_read_or_refused_at_once(lines: tuple[str, ...]) -> None:
    begun = time.monotonic()
    try:
        found = read_calendar(EVENT.format("\r\n".join(lines)).encode())
    except Exception:  # the child answers null for whatever it raises
        found = {"events": []}
    assert time.monotonic() - begun < 3
    assert len(json.dumps(found)) < 100_000


def test_twenty_thousand_components_are_not_read() -> None:
    with pytest.raises(ValueError, match="too many"):
        read_calendar(b"BEGIN:VCALENDAR\r\n" + b"BEGIN:VEVENT\r\nEND:VEVENT\r\n" * 20_000)


@given(st.binary(max_size=500))
def test_any_bytes_in_a_report(data: bytes) -> None:
    for read in (read_delivery, read_receipt, read_complaint):
        try:
            read(data + b"\n\nFinal-Recipient: " + data)
        except ValueError:
            continue


@given(st.text(max_size=300))
def test_any_text_in_a_contact(text: str) -> None:
    try:
        found = read_contacts(f"BEGIN:VCARD\nVERSION:3.0\nFN:{text}\nTEL:{text}\n{text}\nEND:VCARD\n".encode())
    except ValueError:
        return
    assert len(json.dumps(found)) < 50_000


@pytest.mark.parametrize(
    ("status", "said", "words"),
    [
        ("5.1.1", "", "There is no such address."),
        ("5.0.0", "550 5.1.1 unknown", "There is no such address."),
        ("5.7.999", "", "The receiving server refused it for reasons of safety or policy."),
        ("5.3.4", "", "The message is too large for the receiving server."),
        ("", "554 go away", ""),
        ("4.4.7", "", "The server tried for as long as it does, and gave up."),
    ],
)
def test_why_in_words(status: str, said: str, words: str) -> None:
    assert reason(status, said) == words


def test_a_report_of_a_thousand_recipients_is_short() -> None:
    data = b"Reporting-MTA: dns; mx\r\n\r\n" + b"".join(
        b"Final-Recipient: rfc822; p%d@x.example\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n" % n for n in range(1_000)
    )
    found = read_delivery(data)
    assert (len(found["recipients"]), found["more"]) == (20, 980)


def test_one_child_reads_all_cards_and_a_broken_one_spoils_no_other() -> None:
    pieces = [
        (kinds.CALENDAR, b"nothing"),
        (kinds.CALENDAR, EVENT.format("SUMMARY:Choir").encode()),
        (kinds.CONTACT, b"BEGIN:VCARD\nVERSION:3.0\nFN:Bob\nEND:VCARD\n"),
        (cards.SIGNATURE, b"\0" * 20),
    ]
    data, argument = cards.question(pieces)
    answer = json.loads(bounded.run("webmail.protocol.cards:read_cards", data, argument=argument))
    assert [item is None for item in answer] == [True, False, False, True]
    assert answer[1]["events"][0]["title"] == "Choir"
