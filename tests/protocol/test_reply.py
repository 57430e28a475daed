"""Who gets a reply, as whom one answers, and what is taken over: the rules that people notice when they are broken."""

from __future__ import annotations

import pytest

from tests.protocol.letters import ALICE, CAROL, WHEN, parsed
from webmail.protocol.fields import fields
from webmail.protocol.plain import lines_of, text_to_html
from webmail.protocol.recipients import field_text
from webmail.protocol.reply import Kind, Original, Own, Start, forward_subject, own_address, reply_subject, start
from webmail.protocol.resend import Resent, resend
from webmail.protocol.text import envelope
from webmail.protocol.types import Address
from webmail.protocol.written import clean

OWN = Own(["alice@demo.test", "a.moreau@work.test"])
PLAIN = "Dear Alice,\n\n> when?\nat nine.\n\n-- \nBob"


def original(*lines: str, text: str = PLAIN, html: str = "") -> Original:
    """A message from bob to alice with these fields besides."""
    given = {line.partition(":")[0].lower() for line in lines}
    usual = ("From: Bob Novak <bob@demo.test>", "To: alice@demo.test", "Subject: Ferry", "Message-ID: <one@demo.test>")
    all_lines = (*lines, *(line for line in usual if line.partition(":")[0].lower() not in given))
    head = "\r\n".join((*all_lines, "", "")).encode()
    return Original(
        envelope(head), fields(head), tuple(lines_of(text)), clean(html) if html else "", "Tuesday 3 March 2026, 14:02"
    )


def people(made: Start) -> tuple[str, str]:
    return field_text(made.to), field_text(made.cc)


@pytest.mark.parametrize(
    ("lines", "kind", "to", "cc"),
    [
        ((), Kind.REPLY, "Bob Novak <bob@demo.test>", ""),
        (("Reply-To: office@demo.test",), Kind.REPLY, "office@demo.test", ""),
        (("Reply-To: alice@demo.test",), Kind.REPLY, "Bob Novak <bob@demo.test>", ""),
        (("Reply-To: nobody",), Kind.REPLY, "Bob Novak <bob@demo.test>", ""),
        (("To: alice@demo.test, carol@demo.test", "Cc: dave@demo.test, ALICE@demo.test"), Kind.REPLY_ALL,
         "Bob Novak <bob@demo.test>, carol@demo.test", "dave@demo.test"),
        (("To: alice+shop@demo.test", "Cc: a.moreau@work.test, Bob <bob@demo.test>"), Kind.REPLY_ALL,
         "Bob Novak <bob@demo.test>", ""),
        (("Reply-To: office@demo.test", "Cc: dave@demo.test"), Kind.REPLY_ALL, "office@demo.test", "dave@demo.test"),
        (("Mail-Followup-To: list@demo.test, bob@demo.test", "Cc: dave@demo.test"), Kind.REPLY_ALL,
         "list@demo.test, bob@demo.test", ""),
        (("Mail-Followup-To: list@demo.test",), Kind.REPLY, "Bob Novak <bob@demo.test>", ""),
        (("List-Post: <mailto:list@demo.test>", "To: list@demo.test"), Kind.REPLY_LIST, "list@demo.test", ""),
        (("List-Post: NO (posting not allowed)", "To: list@demo.test"), Kind.REPLY_LIST,
         "Bob Novak <bob@demo.test>", ""),
        (("From: alice@demo.test", "To: bob@demo.test", "Cc: carol@demo.test"), Kind.REPLY, "bob@demo.test", ""),
        (("From: alice@demo.test", "To: bob@demo.test", "Cc: carol@demo.test"), Kind.REPLY_ALL,
         "bob@demo.test", "carol@demo.test"),
        (("From: alice@demo.test", "To: alice@demo.test"), Kind.REPLY, "alice@demo.test", ""),
        (("To: undisclosed-recipients:;",), Kind.REPLY_ALL, "Bob Novak <bob@demo.test>", ""),
        (("From: Bob <bob@intranet>",), Kind.REPLY, "Bob <bob@intranet>", ""),
        (("Cc: dave@demo.test",), Kind.FORWARD, "", ""),
    ],
)  # fmt: skip
def test_who_gets_it(lines: tuple[str, ...], kind: Kind, to: str, cc: str) -> None:
    assert people(start(original(*lines), kind, OWN)) == (to, cc)


@pytest.mark.parametrize(
    ("lines", "address"),
    [
        ((), "alice@demo.test"),
        (("To: bob@demo.test, A.Moreau@work.test",), "A.Moreau@work.test"),
        (("To: Alice <alice+shop@demo.test>",), "alice+shop@demo.test"),
        (("To: list@demo.test", "Delivered-To: alice+list@demo.test"), "alice+list@demo.test"),
        (("To: list@demo.test",), ""),
        (("To: alice@other.test, xalice@demo.test",), ""),
        (("From: a.moreau@work.test", "To: alice@demo.test"), "a.moreau@work.test"),
    ],
)
def test_as_whom_one_answers(lines: tuple[str, ...], address: str) -> None:
    assert own_address(original(*lines), OWN) == address


@pytest.mark.parametrize(
    ("subject", "reply", "forward"),
    [
        ("Ferry", "Re: Ferry", "Fwd: Ferry"),
        ("Re: Ferry", "Re: Ferry", "Fwd: Re: Ferry"),
        ("RE: AW: Re[2]: Ferry", "Re: Ferry", "Fwd: RE: AW: Re[2]: Ferry"),
        ("Fwd: Ferry", "Re: Fwd: Ferry", "Fwd: Ferry"),
        ("WG: FW: Ferry", "Re: WG: FW: Ferry", "Fwd: Ferry"),
        ("回复：渡船", "Re: 渡船", "Fwd: 回复：渡船"),
        ("", "Re:", "Fwd:"),
        ("Return: the ferry", "Re: Return: the ferry", "Fwd: Return: the ferry"),
    ],
)
def test_subjects_have_one_prefix(subject: str, reply: str, forward: str) -> None:
    assert (reply_subject(subject), forward_subject(subject)) == (reply, forward)


def test_the_thread() -> None:
    made = start(original("References: <a@demo.test> <b@demo.test>", "In-Reply-To: <b@demo.test>"), Kind.REPLY, OWN)
    assert made.in_reply_to == ("one@demo.test",)
    assert made.references == ("a@demo.test", "b@demo.test", "one@demo.test")
    made = start(original("In-Reply-To: <b@demo.test>"), Kind.FORWARD, OWN)
    assert (made.in_reply_to, made.references) == ((), ("b@demo.test", "one@demo.test"))
    assert start(original("Message-ID:"), Kind.REPLY, OWN).in_reply_to == ()


def test_a_plain_quote() -> None:
    made = start(original(), Kind.REPLY, OWN)
    assert made.text == ("On Tuesday 3 March 2026, 14:02, Bob Novak wrote:\n> Dear Alice,\n>\n>> when?\n> at nine.")
    shown = text_to_html(f"Thanks!\n\n{made.text}")
    assert '<div class="attribution">On Tuesday' in shown or "<summary>On Tuesday" in shown


def test_a_quote_in_html() -> None:
    made = start(original(html="<p>Dear <b>Alice</b></p><script>pwn()</script>"), Kind.REPLY, OWN)
    assert made.html == (
        "<p>On Tuesday 3 March 2026, 14:02, Bob Novak wrote:</p>"
        '<blockquote type="cite"><p>Dear <b>Alice</b></p></blockquote>'
    )
    assert clean(made.html) == made.html
    plain = start(original(text="a <b>\n  c\n> d\n>> e\nf"), Kind.REPLY, OWN).html
    assert plain.endswith(
        '<blockquote type="cite"><div>a &lt;b&gt;<br>&nbsp;&nbsp;c</div><blockquote type="cite"><div>d</div>'
        '<blockquote type="cite"><div>e</div></blockquote></blockquote><div>f</div></blockquote>'
    )


def test_a_name_is_no_markup() -> None:
    made = start(original('From: "<img src=x>" <bob@demo.test>'), Kind.REPLY, OWN)
    assert "<img" not in made.html


def test_forwarded_inline() -> None:
    made = start(original("Cc: carol@demo.test"), Kind.FORWARD, OWN)
    assert made.text.startswith(
        "---------- Forwarded message ----------\nFrom: Bob Novak <bob@demo.test>\nDate: Tuesday 3 March 2026, 14:02\n"
        "Subject: Ferry\nTo: alice@demo.test\nCc: carol@demo.test\n\nDear Alice,\n\n> when?\nat nine."
    )
    assert made.text.endswith("-- \nBob"), "what is passed on is passed on whole"
    assert "<b>From:</b> Bob Novak &lt;bob@demo.test&gt;<br>" in made.html
    assert start(original(), Kind.FORWARD_ATTACHED, OWN).text == ""


def test_edit_as_new() -> None:
    made = start(
        original("From: alice@demo.test", "To: bob@demo.test", "Bcc: eve@demo.test", "Subject: Re: Ferry"),
        Kind.EDIT_AS_NEW,
        OWN,
    )
    assert made.text == PLAIN
    assert (made.subject, made.from_address) == ("Re: Ferry", "alice@demo.test")
    assert (field_text(made.to), field_text(made.bcc)) == ("bob@demo.test", "eve@demo.test")
    assert (made.in_reply_to, made.references) == ((), ())


def test_sent_on_as_it_is() -> None:
    raw = (
        b"Return-Path: <bob@demo.test>\nDelivered-To: alice@demo.test\nReceived: from x\n\tby y\nBcc: eve@demo.test,\n"
        b"  mallory@demo.test\nFrom: bob@demo.test\nSubject: Gr\xc3\xbc\xc3\x9fe\n\nDelivered-To: stays\n.\n"
    )
    outgoing = resend(raw, Resent("abc@demo.test", WHEN, ALICE, (CAROL,), bcc=(Address("", "dave@demo.test"),)))
    mail = parsed(outgoing.message)
    assert mail.keys() == [
        "Resent-From", "Resent-To", "Resent-Date", "Resent-Message-ID", "Received", "From", "Subject",
    ]  # fmt: skip
    assert mail["From"] == "bob@demo.test"
    assert outgoing.message.endswith(b"\r\n\r\nDelivered-To: stays\r\n.\r\n")
    assert (outgoing.sender, outgoing.recipients) == ("alice@demo.test", ("carol@demo.test", "dave@demo.test"))
    assert b"dave" not in outgoing.message
    assert outgoing.is_8bit
    assert outgoing.message.count(b"\n") == outgoing.message.count(b"\r\n")


def test_sent_on_with_what_no_server_takes() -> None:
    raw = b"From: bob@demo.test\r\r\nSubject: a\rBcc: eve@demo.test\n\nA\0 line\ranother\r\r\nthe last"
    octets = resend(raw, Resent("abc@demo.test", WHEN, ALICE, (CAROL,))).message
    assert octets.endswith(b"From: bob@demo.test\r\nSubject: a Bcc: eve@demo.test\r\n\r\nA line\r\nanother\r\nthe last")
