"""What is written is a message that others read: checked with the standard library's parser and with our own reader."""

from __future__ import annotations

from datetime import datetime
from email.message import EmailMessage

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bench.injection import PAYLOADS
from tests.protocol.letters import ALICE, BOB, CAROL, PNG, WHEN, letter, parsed, picture
from tests.protocol.strict import check
from webmail.protocol.compose import File, Letter, Priority, write
from webmail.protocol.errors import Forbidden
from webmail.protocol.fields import fields
from webmail.protocol.text import clean_filename, decode_params, envelope
from webmail.protocol.types import Address
from webmail.protocol.words import one_line

WORDS = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Zl", "Zp", "Cf", "Cs")), max_size=300)


def types_of(mail: EmailMessage) -> object:
    """The tree of media types."""
    if not mail.is_multipart() or mail.get_content_type() == "message/rfc822":
        return mail.get_content_type()
    return (mail.get_content_type(), [types_of(part) for part in mail.iter_parts()])  # type: ignore[arg-type]


def test_the_head_of_a_letter() -> None:
    outgoing = write(
        letter(
            to=(BOB, CAROL), cc=(Address("", "dave@demo.test"),), bcc=(Address("Eve", "eve@demo.test"),),
            reply_to=(Address("The office", "office@demo.test"),), subject="Plán na léto 🚢",
            in_reply_to=("first@demo.test",), references=("root@demo.test", "first@demo.test"),
            priority=Priority.HIGH, wants_receipt=True,
        )
    )  # fmt: skip
    mail = parsed(outgoing.message)
    assert mail.keys() == [
        "From", "Reply-To", "To", "Cc", "Subject", "Date", "Message-ID", "In-Reply-To", "References", "X-Priority",
        "Importance", "Disposition-Notification-To", "MIME-Version", "Content-Type", "Content-Transfer-Encoding",
    ]  # fmt: skip
    assert mail["From"] == "Alice Moreau <alice@demo.test>"
    assert mail["To"].addresses[0].display_name == "Bob Novák"
    assert [each.addr_spec for each in mail["To"].addresses] == ["bob@demo.test", "carol@demo.test"]
    assert mail["Subject"] == "Plán na léto 🚢"
    assert mail["Date"].datetime == WHEN
    assert mail["Date"].endswith("+0100")
    assert mail["Message-ID"] == "<0123456789abcdef@demo.test>"
    assert mail["References"] == "<root@demo.test> <first@demo.test>"
    assert mail["Disposition-Notification-To"] == "alice@demo.test"
    check(outgoing.message)
    assert outgoing.sender == "alice@demo.test"
    assert outgoing.recipients == ("bob@demo.test", "carol@demo.test", "dave@demo.test", "eve@demo.test")
    assert b"eve" not in outgoing.message.lower(), "Bcc stands in the envelope alone"
    assert not outgoing.needs_utf8
    assert not outgoing.is_8bit


def test_the_same_values_give_the_same_octets() -> None:
    values = {"html": "<p>Hello</p>", "files": (picture(), File("a.txt", "text/plain", b"x"))}
    assert write(letter(**values)) == write(letter(**values))


def test_nothing_tells_about_the_program_or_the_computer() -> None:
    message = write(letter(html="<p>x</p>")).message.lower()
    for word in (b"user-agent", b"x-mailer", b"received", b"originating", b"python", b"127.0.0.1", b"localhost"):
        assert word not in message


def test_only_blind_recipients() -> None:
    outgoing = write(letter(to=(), bcc=(BOB,)))
    mail = parsed(outgoing.message)
    assert mail["To"] == "undisclosed-recipients:;"
    assert outgoing.recipients == ("bob@demo.test",)


def test_nobody_gets_it_twice() -> None:
    outgoing = write(letter(to=(BOB, Address("Bob", "BOB@DEMO.test")), cc=(BOB,)))
    assert outgoing.recipients == ("bob@demo.test",)


@pytest.mark.parametrize(
    ("html", "files", "expected"),
    [
        ("", (), "text/plain"),
        ("", ("png",), ("multipart/mixed", ["text/plain", "image/png"])),
        ("<p>x</p>", (), ("multipart/alternative", ["text/plain", "text/html"])),
        (
            '<p>x<img src="cid:one@demo.test"></p>',
            ("shown",),
            (
                "multipart/alternative",
                ["text/plain", ("multipart/related", ["text/html", "image/png"])],
            ),
        ),
        (
            '<p>x<img src="cid:one@demo.test"></p>',
            ("shown", "png"),
            (
                "multipart/mixed",
                [
                    ("multipart/alternative", ["text/plain", ("multipart/related", ["text/html", "image/png"])]),
                    "image/png",
                ],
            ),
        ),
        (
            "<p>its picture was deleted</p>",
            ("shown",),
            ("multipart/mixed", [("multipart/alternative", ["text/plain", "text/html"]), "image/png"]),
        ),
    ],
)
def test_the_parts_are_nested_as_they_should_be(html: str, files: tuple[str, ...], expected: object) -> None:
    kinds = {"png": File("other.png", "image/png", PNG), "shown": picture()}
    outgoing = write(letter(html=html, files=tuple(kinds[name] for name in files)))
    check(outgoing.message)
    mail = parsed(outgoing.message)
    assert types_of(mail) == expected
    for part in mail.walk():
        if part.get_content_type() == "image/png":
            assert part.get_content() == PNG  # type: ignore[attr-defined]


def test_a_picture_is_found_by_its_content_id() -> None:
    mail = parsed(write(letter(html='<img src="cid:one@demo.test">', files=(picture(),))).message)
    [part] = [part for part in mail.walk() if part.get_content_type() == "image/png"]
    assert part["Content-ID"] == "<one@demo.test>"
    assert part.get_content_disposition() == "inline"
    related = next(part for part in mail.walk() if part.get_content_type() == "multipart/related")
    assert related.get_param("type") == "text/html"


def test_a_picture_is_shown_only_by_its_whole_name() -> None:
    files = (picture("one"), picture("one.more"))
    mail = parsed(write(letter(html='<img src="cid:one.more"><p>cid:one</p>', files=files)).message)
    [shown] = [part["Content-ID"] for part in mail.walk() if part.get_content_disposition() == "inline"]
    assert shown == "<one.more>"


def test_html_comes_with_a_text_that_can_be_read() -> None:
    html = '<p>Dear Bob,</p><ul><li>one</li></ul><blockquote type="cite"><p>Nine?</p></blockquote>'
    mail = parsed(write(letter(html=html)).message)
    body = mail.get_body(("plain",))
    assert body is not None
    assert body.get_param("format") == "flowed"
    text = body.get_content()
    assert "Dear Bob," in text
    assert "> Nine?" in text
    assert "<p>" not in text
    page = mail.get_body(("html",))
    assert page is not None
    assert html in page.get_content()


@pytest.mark.parametrize(
    "text", ["plain", "Grüße\n", "日本語" * 500, "x" * 5000, ".\n..\n", "From me\nFrom you é\n", ""]
)
def test_the_text_arrives(text: str) -> None:
    outgoing = write(letter(text=text))
    check(outgoing.message)
    content = parsed(outgoing.message).get_content()
    unwrapped = content.replace("\r\n", "\n").removesuffix("\n")
    if text.startswith("From"):
        assert "\nFrom " not in outgoing.message.decode("ascii").replace("\r", "")
        unwrapped = unwrapped.replace(" From", "From")
    if len(text) > 1000:  # broken inside a word
        unwrapped = unwrapped.replace(" \n", "")
    assert unwrapped == text.rstrip("\n")


@given(WORDS)
@example("=?utf-8?q?not=20one?=")
@example("x" * 2000)
@example("👨‍👩‍👧‍👦" * 50)
@example("שלום עולם " * 20)
@example("a  b\tc")
def test_any_subject_comes_back(subject: str) -> None:
    message = write(letter(subject=subject)).message
    check(message)
    mail = parsed(message)
    assert mail["Subject"].split() == subject.split()
    if len(subject) < 400:
        ours = envelope(message.partition(b"\r\n\r\n")[0] + b"\r\n\r\n")
        assert ours.from_ == (ALICE,)
        assert ours.message_id == "0123456789abcdef@demo.test"


@given(WORDS)
@example('The "best", of <all>: (us); \\')
@example("Nováková, Jana")
@example("bob@demo.test")
@example("=?utf-8?b?eA==?=")
def test_any_name_comes_back(name: str) -> None:
    message = write(letter(to=(Address(name, "bob@demo.test"), CAROL))).message
    check(message)
    mail = parsed(message)
    assert [each.addr_spec for each in mail["To"].addresses] == ["bob@demo.test", "carol@demo.test"]
    # The standard library puts blanks between encoded words, where none belong (RFC 2047 §6.2).
    assert "".join(mail["To"].addresses[0].display_name.split()) == "".join(name.split())
    to = envelope(message.partition(b"\r\n\r\n")[0] + b"\r\n\r\n").to
    assert [each.address for each in to] == ["bob@demo.test", "carol@demo.test"]
    if name.isprintable() and name.strip("'\" ") == name and "=?" not in name and "@" not in name:
        assert to[0].name.split() == one_line(name).split()


@given(WORDS.filter(lambda name: name.strip(" ._")))
@example("plán cesty 2026 — finální verze (opravená) " * 3 + ".pdf")
@example("a" * 150 + ".txt")
@example('say "hi".txt')
def test_any_file_name_comes_back(name: str) -> None:
    message = write(letter(files=(File(name, "application/pdf", b"%PDF-"),))).message
    check(message)
    [part] = list(parsed(message).iter_attachments())
    expected = clean_filename(name, "application/pdf")
    assert part.get_filename() == expected
    # Ours, from the field as it stands on the wire.
    raw = next(field.raw for field in fields(_part_head(message)) if field.name == "Content-Disposition")
    parameters = [tuple(piece.strip().split("=", 1)) for piece in raw.split(";")[1:]] if ";" not in expected else None
    if parameters is not None:
        unquoted = [(key, value.strip('"').replace('\\"', '"')) for key, value in parameters]
        assert decode_params(unquoted)["filename"] == expected


def _part_head(message: bytes) -> bytes:
    return message[message.index(b"Content-Type: application/pdf") :].partition(b"\r\n\r\n")[0] + b"\r\n\r\n"


def test_old_outlooks_find_the_name_too() -> None:
    message = write(letter(files=(File("plán.pdf", "application/pdf", b"x"),))).message
    assert b'name="=?utf-8?b?cGzDoW4ucGRm?="' in message
    assert b"filename*=utf-8''pl%C3%A1n.pdf" in message


def test_international_addresses() -> None:
    outgoing = write(letter(to=(Address("", "bob@münchen.test"),)))
    assert parsed(outgoing.message)["To"] == "bob@xn--mnchen-3ya.test"
    assert not outgoing.needs_utf8
    outgoing = write(letter(to=(Address("Ünï", "ünï@münchen.test"),)))
    assert outgoing.needs_utf8
    assert "<ünï@xn--mnchen-3ya.test>".encode() in outgoing.message
    assert outgoing.recipients == ("ünï@xn--mnchen-3ya.test",)


def test_a_message_that_is_attached_goes_as_it_is() -> None:
    inner = b"Subject: x\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nGr\xc3\xbc\xc3\x9fe\n"
    outgoing = write(letter(files=(File("x.eml", "message/rfc822", inner),)))
    check(outgoing.message)
    assert outgoing.is_8bit
    [part] = list(parsed(outgoing.message).iter_attachments())
    assert part["Content-Transfer-Encoding"] == "8bit"
    assert inner.replace(b"e\n", b"e\r\n") in outgoing.message


def test_one_that_no_server_would_take_goes_as_a_file() -> None:
    inner = b"Subject: x\r\n\r\n" + b"y" * 2000
    outgoing = write(letter(files=(File("x.eml", "message/rfc822", inner),)))
    check(outgoing.message)
    [part] = list(parsed(outgoing.message).iter_attachments())
    assert (part.get_content_type(), part.get_filename()) == ("application/octet-stream", "x.eml")
    assert part.get_content() == inner


def test_a_long_thread_is_cut_in_the_middle() -> None:
    ids = tuple(f"{number}@demo.test" for number in range(500))
    references = parsed(write(letter(references=ids)).message)["References"].split()
    assert len(references) == 40
    assert (references[0], references[-1]) == ("<0@demo.test>", "<499@demo.test>")


def test_identifiers_of_strangers_are_taken_only_if_they_are_some() -> None:
    message = write(letter(in_reply_to=("a b", "x>\r\nBcc: <eve@demo.test", "é", "y" * 2000, "ok@demo.test"))).message
    assert parsed(message)["In-Reply-To"] == "<ok@demo.test>"


def test_what_is_refused() -> None:
    with pytest.raises(Forbidden):
        write(letter(to=(Address("", "bob"),)))
    with pytest.raises(Forbidden):
        write(letter(message_id="a b"))
    with pytest.raises(Forbidden):
        write(letter(subject="x" * 9000))
    with pytest.raises(ValueError, match="zone"):
        write(letter(date=datetime(2026, 1, 1)))


FIELDS = {
    "subject": lambda text: letter(subject=text),
    "from name": lambda text: letter(from_=Address(text, "alice@demo.test")),
    "from address": lambda text: letter(from_=Address("", text)),
    "to name": lambda text: letter(to=(Address(text, "bob@demo.test"),)),
    "to address": lambda text: letter(to=(Address("", text),)),
    "cc name": lambda text: letter(cc=(Address(text, "carol@demo.test"),)),
    "bcc address": lambda text: letter(bcc=(Address("", text),)),
    "reply-to name": lambda text: letter(reply_to=(Address(text, "office@demo.test"),)),
    "message-id": lambda text: letter(message_id=text),
    "references": lambda text: letter(references=(text, "ok@demo.test")),
    "file name": lambda text: letter(files=(File(text, "text/plain", b"x"),)),
    "file type and content-id": lambda text: letter(
        html=f"<img src='cid:{text}'>", files=(File("a", text, b"x", text),)
    ),
}
KNOWN = {
    "From", "Reply-To", "To", "Cc", "Subject", "Date", "Message-ID", "References", "MIME-Version", "Content-Type",
    "Content-Transfer-Encoding", "Content-Disposition", "Content-ID",
}  # fmt: skip


@pytest.mark.parametrize("field", FIELDS)
def test_nothing_that_is_typed_becomes_a_field_or_a_recipient(field: str) -> None:
    assert (len(FIELDS), len(PAYLOADS)) == (12, 25)
    for payload in PAYLOADS:
        built: Letter = FIELDS[field](payload)
        try:
            outgoing = write(built)
        except Forbidden:
            continue
        check(outgoing.message, is_utf8=outgoing.needs_utf8)
        assert not any("eve" in address for address in outgoing.recipients)
        mail = parsed(outgoing.message)
        assert {name for part in mail.walk() for name in part} <= KNOWN
        for name in ("From", "To", "Cc", "Reply-To"):
            assert not any("eve" in each.addr_spec for each in (mail[name].addresses if mail[name] else ()))


LONG = "Ferry " * 334
AWKWARD = {
    "nothing": letter(subject="", text=""),
    "a subject of 2,000 characters": letter(subject=LONG),
    "the same without blanks": letter(subject=LONG.replace(" ", "")),
    "of other letters": letter(subject="Ünï " * 500),
    "from right to left": letter(subject="שלום " * 30, text="שלום עולם\u202e מה\n", html="<p dir=rtl>שלום</p>"),
    "emoji": letter(subject="👩‍👩‍👧 " * 90, to=(Address("👩‍👩‍👧 " * 30, "bob@demo.test"),), text="👩‍👩‍👧" * 999),
    "a line of 5,000 characters": letter(text="x" * 5000),
    "the same formatted": letter(html=f"<p>{'x' * 5000}</p>"),
    "many of them in other letters": letter(html=f"<p>{'ü' * 5000}</p>"),
    "controls": letter(text="a\0b\rc\x0bd\x1be\r\nf\x85g\u2028h", html="<p>a\0b\rc\x0bd\x1be\r\nf\u2028</p>"),
    "dots": letter(text=".\n..\n.x\n", html="<p>.</p>\n.\n.x"),
    "blanks at line ends": letter(text="a \nb\t\n \n\t\n", html="<p>ü</p> \n\t\n"),
    "mbox": letter(text="From me\n>From you\n", html="From me\nFrom ü\n"),
    "a hundred people": letter(to=tuple(Address(f"Person {n}, the", f"p{n}@demo.test") for n in range(100))),
    "long addresses": letter(to=(Address("", f"{'a' * 64}@{'b' * 60}.{'c' * 60}.test"),) * 3),
    "a long name in quotes": letter(from_=Address('Dr. "A\\B" (of ' + "the quay " * 9, "alice@demo.test")),
    "file names": letter(
        files=tuple(
            File(name, "application/pdf", b"x")
            for name in ('a "b".pdf', "a\r\nBcc: eve@x", "ž" * 200, "a\\b/c.pdf", "x" * 300, "=?utf-8?q?x?=", "")
        )
    ),
    "pictures and files": letter(
        html='<img src="cid:one@demo.test"><img src="cid:two@demo.test">',
        files=(picture(), picture("two@demo.test"), File("plán.pdf", "application/pdf", b"x" * 3000)),
    ),
    "a message in 7 bits": letter(files=(File("a.eml", "message/rfc822", b"Subject: x\n\nx\n"),)),
    "one in 8 bits": letter(html="<p>x</p>", files=(File("a.eml", "message/rfc822", "Subject: x\n\nü\n".encode()),)),
    "one with a lone CR": letter(files=(File("a.eml", "message/rfc822", b"Subject: x\r\n\r\nx\ry\r\n"),)),
    "everything asked for": letter(
        reply_to=(CAROL,), cc=(CAROL,), bcc=(CAROL,), priority=Priority.HIGH, wants_receipt=True,
        in_reply_to=("a@b.test",), references=tuple(f"{'r' * 60}{n}@demo.test" for n in range(60)),
    ),
    "an address in other letters": letter(to=(Address("Ünï", "ünï@münchen.test"),)),
}  # fmt: skip


@pytest.mark.parametrize("which", AWKWARD)
def test_an_awkward_one_breaks_no_rule(which: str) -> None:
    outgoing = write(AWKWARD[which])
    whole = check(outgoing.message, is_utf8=outgoing.needs_utf8)
    assert outgoing.needs_utf8 == (which == "an address in other letters")
    assert outgoing.is_8bit == (not outgoing.message.partition(b"\r\n\r\n")[2].isascii()) == (whole.encoding == "8bit")
    for part in whole.walk():
        assert part.type != "message/rfc822" or part.encoding != "base64", "RFC 2046 §5.2.1"
    if not outgoing.needs_utf8:  # which the standard library calls a defect
        parsed(outgoing.message)
