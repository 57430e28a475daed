"""Submission: every way it can end is told apart, and nothing but one message for those it was meant for goes out."""

from __future__ import annotations

import base64
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.injection import PAYLOADS
from tests.protocol.letters import BOB, CAROL, letter
from tests.protocol.scripted_smtp import CUTS, PoliteSmtp
from tests.protocol.test_compose import FIELDS
from tests.servers import MailUser
from webmail.demo.certificates import ensure_certificates
from webmail.demo.smtp_server import SmtpServer
from webmail.protocol import smtp, smtp_session
from webmail.protocol.compose import File, Outgoing, write
from webmail.protocol.errors import BadAnswer, ConnectionLost, Forbidden, LoginNeeded, Refused, TryAgain, Untrusted
from webmail.protocol.smtp import size_limit, submit
from webmail.protocol.smtp_outcome import (
    Delivered,
    Fate,
    RecipientsDeferred,
    RecipientsRefused,
    TooLarge,
    Unclear,
    Unsupported,
)
from webmail.protocol.types import Address, Login, Security, Server
from webmail.protocol.wire import Wire

LOGIN = Login("alice@demo.test", "s3cret")
OUTGOING = write(letter(to=(BOB, CAROL)))


def bent(verb: bytes, answer: bytes) -> Callable[[bytes, bytes], bytes]:
    """Answer so to every line that begins with `verb`."""
    return lambda line, usual: answer + b"\r\n" if line.startswith(verb) else usual


def send(server: PoliteSmtp, outgoing: Outgoing = OUTGOING, **more: object) -> Delivered:
    return submit(server.server, LOGIN, outgoing, **more)  # type: ignore[arg-type]


def test_a_message_is_handed_over() -> None:
    with PoliteSmtp() as server:
        delivered = send(server, envelope_id="abc123")
    assert server.messages == [OUTGOING.message + b".\r\n"]
    assert [each.fate for each in delivered.answers] == [Fate.ACCEPTED, Fate.ACCEPTED]
    assert (delivered.words, delivered.size_limit) == ("250 2.0.0 taken", 1_000_000)
    assert server.lines[0] == b"EHLO [127.0.0.1]\r\n"
    assert server.lines[1] == b"AUTH PLAIN " + base64.b64encode(b"\0alice@demo.test\0s3cret") + b"\r\n"
    assert server.lines[2] == b"MAIL FROM:<alice@demo.test> SIZE=%d RET=HDRS ENVID=abc123\r\n" % len(OUTGOING.message)
    assert server.lines[3:] == [
        b"RCPT TO:<bob@demo.test>\r\n", b"RCPT TO:<carol@demo.test>\r\n", b"DATA\r\n", b"QUIT\r\n",
    ]  # fmt: skip


def test_the_least_of_servers() -> None:
    with PoliteSmtp(offers=("AUTH=LOGIN",)) as server:
        delivered = send(server, wants_report=True)
    assert delivered.size_limit == 0
    assert server.lines[1:5] == [
        b"AUTH LOGIN\r\n", b"MAIL FROM:<alice@demo.test>\r\n", b"RCPT TO:<bob@demo.test>\r\n",
        b"RCPT TO:<carol@demo.test>\r\n",
    ]  # fmt: skip


def test_log_in_word_by_word() -> None:
    with PoliteSmtp(offers=("AUTH LOGIN",)) as server:
        server.change = lambda line, usual: (
            b"334 VXNlcm5hbWU6\r\n" if line in (b"AUTH LOGIN\r\n", b"YWxpY2VAZGVtby50ZXN0\r\n") else usual
        )
        send(server)
    assert server.lines[1:4] == [b"AUTH LOGIN\r\n", b"YWxpY2VAZGVtby50ZXN0\r\n", b"czNjcmV0\r\n"]


def test_log_in_with_a_token() -> None:
    with PoliteSmtp() as server:
        submit(server.server, Login("alice@demo.test", "t0ken", is_token=True), OUTGOING)
    assert base64.b64decode(server.lines[1].split()[2]) == b"user=alice@demo.test\x01auth=Bearer t0ken\x01\x01"
    with PoliteSmtp(offers=("AUTH PLAIN",)) as server, pytest.raises(Refused, match="token"):
        submit(server.server, Login("alice@demo.test", "t0ken", is_token=True), OUTGOING)


@pytest.mark.parametrize("answer", [b"535 5.7.8 wrong", b"534 5.7.9 app password", b"550 no"])
def test_a_wrong_password(answer: bytes) -> None:
    with PoliteSmtp(change=bent(b"AUTH", answer)) as server, pytest.raises(LoginNeeded) as caught:
        send(server)
    assert "s3cret" not in str(caught.value)
    with PoliteSmtp(change=bent(b"AUTH", b"454 4.7.0 later")) as server, pytest.raises(TryAgain):
        send(server)


@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize("offers", [("PIPELINING", "AUTH PLAIN"), ("AUTH PLAIN",), ("CHUNKING", "AUTH PLAIN")])
def test_cut_at_each_point(cut: str, offers: tuple[str, ...]) -> None:
    """Only what was cut after the last piece went out is unclear; nothing else was delivered."""
    reached = []
    if "CHUNKING" in offers and cut == "DATA":
        cut = "RCPT"
    with PoliteSmtp(cut=cut, offers=offers) as server:
        big = write(letter(text="The ferry leaves at nine. " * 20_000))
        with pytest.raises((Unclear, TryAgain)) as caught:
            send(server, big, on_wire=lambda: reached.append(len(server.messages)))
    assert len(server.messages) == (cut == "END")
    assert isinstance(caught.value, Unclear) == bool(reached)
    if cut == "END":
        assert reached == [0]
        assert [each.fate for each in caught.value.answers] == [Fate.ACCEPTED]
    elif cut != "MIDDLE":  # what the network still holds may be all of it
        assert reached == []


def test_a_server_that_refuses_in_the_middle() -> None:
    early = bent(b"DATA", b"354 go on\r\n552 5.3.4 that is too much")
    with PoliteSmtp(change=early) as server, pytest.raises(TooLarge):
        send(server, on_wire=lambda: pytest.fail("it would be unclear"))
    assert server.messages == []


def test_what_tls_says_to_itself_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Wire, "pending", lambda _wire: True)
    monkeypatch.setattr(smtp_session, "UNASKED_SECONDS", 0.05)
    with PoliteSmtp() as server:
        assert send(server).words == "250 2.0.0 taken"


def test_a_connection_that_goes_after_the_answer_does_no_harm() -> None:
    with PoliteSmtp(cut="QUIT") as server:
        assert send(server).words == "250 2.0.0 taken"


def test_silence_after_the_last_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smtp, "FINAL_SECONDS", 0.2)
    with PoliteSmtp(change=bent(b"END", b"")) as server:
        server.change = lambda line, usual: b"" if line == b"END" else usual
        with pytest.raises(Unclear):
            send(server)


@pytest.mark.parametrize("answer", [b"hello", b"354 more?", b"250-taken\r\n451 not"])
def test_nonsense_after_the_last_piece(answer: bytes) -> None:
    with PoliteSmtp(change=bent(b"END", answer)) as server, pytest.raises(Unclear):
        send(server)


@pytest.mark.parametrize(
    ("verb", "answer", "error"),
    [
        (b"GREETING", b"421 too many connections", TryAgain),
        (b"GREETING", b"554 go away", Refused),
        (b"EHLO", b"421 later", TryAgain),
        (b"EHLO", b"500 what?", Refused),
        (b"MAIL", b"451 later", TryAgain),
        (b"MAIL", b"550 5.7.1 not you", Refused),
        (b"MAIL", b"530 5.7.0 log in", LoginNeeded),
        (b"MAIL", b"552 5.3.4 too large", TooLarge),
        (b"DATA", b"451 later", TryAgain),
        (b"DATA", b"554 no", Refused),
        (b"DATA", b"250 what?", Refused),
        (b"END", b"451 4.3.0 later", TryAgain),
        (b"END", b"421 closing", TryAgain),
        (b"END", b"554 5.7.1 spam", Refused),
        (b"END", b"552 5.2.3 too large", TooLarge),
        (b"EHLO", b"999 what?", BadAnswer),
        (b"EHLO", b"250-" + b"x" * 2_000_000, BadAnswer),
        (b"EHLO", b"250-x\r\n" * 20_000, BadAnswer),
    ],
)
def test_refusals_are_sorted(verb: bytes, answer: bytes, error: type[Exception]) -> None:
    with PoliteSmtp(change=bent(verb, answer)) as server, pytest.raises(error) as caught:
        send(server)
    assert not isinstance(caught.value, Unclear)
    assert caught.value.sentence.endswith(".")  # type: ignore[attr-defined]


def test_some_recipients_are_refused() -> None:
    with PoliteSmtp(change=bent(b"RCPT TO:<bob", b"550 5.1.1 nobody here")) as server:
        delivered = send(server)
    assert [(each.address, each.fate, each.words) for each in delivered.answers] == [
        ("bob@demo.test", Fate.REFUSED, "550 5.1.1 nobody here"),
        ("carol@demo.test", Fate.ACCEPTED, "250 2.0.0 ok"),
    ]
    assert len(server.messages) == 1


def test_all_recipients_are_refused() -> None:
    with PoliteSmtp(change=bent(b"RCPT", b"550 5.1.1 nobody here")) as server:
        with pytest.raises(RecipientsRefused) as refused:
            send(server)
        assert len(refused.value.answers) == 2
        server.change = lambda line, usual: (
            b"451 later\r\n" if b"bob" in line else b"550 no\r\n" if b"RCPT" in line else usual
        )
        with pytest.raises(RecipientsDeferred) as deferred:
            send(server)
        assert [each.fate for each in deferred.value.answers] == [Fate.DEFERRED, Fate.REFUSED]
        assert "DATA" not in server.verbs()


def test_who_may_not_send_any_more_sends_nothing() -> None:
    def stop() -> None:
        raise RuntimeError

    with PoliteSmtp() as server, pytest.raises(RuntimeError):
        send(server, on_wire=stop)
    assert server.messages == []


def test_size_is_known_before_the_upload() -> None:
    with PoliteSmtp() as server:
        assert size_limit(server.server, LOGIN) == 1_000_000
        big = write(letter(files=(File("a", "application/pdf", b"x" * 900_000),)))
        with pytest.raises(TooLarge, match=r"up to 1\.0 MB"):
            send(server, big)
    assert "MAIL" not in server.verbs()


def test_what_the_server_cannot_take_is_known_before_too() -> None:
    with PoliteSmtp(offers=("AUTH PLAIN",)) as server:
        with pytest.raises(Unsupported, match="letters"):
            send(server, write(letter(to=(Address("", "ünï@demo.test"),))))
        attached = File("x.eml", "message/rfc822", b"Subject: x\r\n\r\n\xc3\xa9\r\n")
        with pytest.raises(Unsupported, match="attached or sent on"):
            send(server, write(letter(files=(attached,))))
    assert "MAIL" not in server.verbs()
    with PoliteSmtp() as server:
        send(server, write(letter(to=(Address("", "ünï@demo.test"),), files=(attached,))))
    assert server.lines[2].split()[3:5] == [b"BODY=8BITMIME", b"SMTPUTF8"]
    assert server.lines[3] == "RCPT TO:<ünï@demo.test>\r\n".encode()


def test_dots_are_doubled_and_no_second_message_hides() -> None:
    text = ".\n..\n.x\nMAIL FROM:<eve@demo.test>\n"
    outgoing = write(letter(text=text))
    with PoliteSmtp() as server:
        send(server, outgoing)
    assert server.messages == [outgoing.message.replace(b"\r\n.", b"\r\n..") + b".\r\n"]
    assert server.verbs().count("MAIL") == 1


def test_a_dot_where_two_pieces_meet(monkeypatch: pytest.MonkeyPatch) -> None:
    message = b"A: b\r\n\r\n.x\r\n..\r\nend"
    for size in range(1, 12):
        monkeypatch.setattr(smtp, "_CHUNK", size)
        assert b"".join(smtp._stuffed(message)) == b"A: b\r\n\r\n..x\r\n...\r\nend\r\n"
    monkeypatch.setattr(smtp, "_CHUNK_COUNTED", 10)
    assert smtp._counted(message) == [b"BDAT 10\r\nA: b\r\n\r\n.x", b"BDAT 10\r\n\r\n..\r\nend\r", b"BDAT 1 LAST\r\n\n"]


def test_counted_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smtp, "_CHUNK_COUNTED", 100)
    with PoliteSmtp(offers=("CHUNKING", "AUTH PLAIN")) as server:
        send(server)
    assert server.messages == [OUTGOING.message]
    assert "DATA" not in server.verbs()
    refusing = PoliteSmtp(offers=("CHUNKING", "AUTH PLAIN"), change=bent(b"BDAT", b"554 no"))
    with refusing as server, pytest.raises(Refused):
        send(server)
    assert server.messages == []


@pytest.mark.parametrize(
    "outgoing",
    [
        Outgoing(b"A: b\r\n\r\nx\n.\nMAIL FROM:<eve@demo.test>\r\n", "a@b.test", ("c@d.test",)),
        Outgoing(b"A: b\r\n\r\nx\r.\r\n", "a@b.test", ("c@d.test",)),
        Outgoing(b"A: b\r\n\r\n\0\r\n", "a@b.test", ("c@d.test",)),
        Outgoing(b"A: b\r\n\r\n", "a@b.test>\r\nRCPT TO:<eve@demo.test", ("c@d.test",)),
        Outgoing(b"A: b\r\n\r\n", "a@b.test", ("c@d.test> NOTIFY=SUCCESS",)),
        Outgoing(b"A: b\r\n\r\n", "a@b.test", ("c@d.test\r\nDATA",)),
        Outgoing(b"A: b\r\n\r\n", "a@b.test", ()),
    ],
)
def test_what_must_not_go_out(outgoing: Outgoing) -> None:
    with PoliteSmtp() as server:
        with pytest.raises(Forbidden):
            send(server, outgoing)
        with pytest.raises(Forbidden):
            submit(server.server, Login("a\r\nb", "c"), OUTGOING)
    assert "MAIL" not in server.verbs()


def test_nothing_that_is_typed_adds_a_message_or_a_recipient() -> None:
    """T8 at the sink: 12 fields × 25 payloads, as `test_compose` has them."""
    sent = []
    with PoliteSmtp() as server:
        for build in FIELDS.values():
            for payload in PAYLOADS:
                try:
                    outgoing = write(build(payload))
                except Forbidden:
                    continue
                send(server, outgoing)
                sent.append(outgoing)
    assert len(sent) > 100
    assert [message.removesuffix(b".\r\n").replace(b"\r\n..", b"\r\n.") for message in server.messages] == [
        outgoing.message for outgoing in sent
    ]
    told = [line for line in server.lines if line.startswith((b"MAIL", b"RCPT"))]
    assert len(told) == sum(1 + len(outgoing.recipients) for outgoing in sent)
    assert not any(b"eve" in line for line in told)
    for message in server.messages:
        assert message.count(b"\r\n") == message.count(b"\n") == message.count(b"\r")


@pytest.fixture(scope="module")
def tls(worker_dir: Path) -> tuple[ssl.SSLContext, str]:
    """A certificate for 127.0.0.1 and its authority."""
    path = worker_dir / "scripted-smtp"
    path.mkdir(exist_ok=True)
    certificates = ensure_certificates(path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificates.certificate, certificates.key)
    return context, certificates.ca.read_text()


@pytest.mark.parametrize("starttls", [True, False])
def test_tls(tls: tuple[ssl.SSLContext, str], starttls: bool) -> None:
    context, ca_pem = tls
    with PoliteSmtp(tls=context, ca_pem=ca_pem, starttls=starttls) as server:
        assert send(server).words
        if starttls:
            assert server.verbs()[:3] == ["EHLO", "STARTTLS", "EHLO"]
        server.ca_pem = ""
        with pytest.raises(Untrusted):
            send(server)
    assert len(server.messages) == 1


def test_no_starttls_nothing_is_said(tls: tuple[ssl.SSLContext, str]) -> None:
    with PoliteSmtp() as server:
        at = Server("127.0.0.1", server.port, Security.STARTTLS, tls[1], allow_private=True)
        with pytest.raises(Untrusted, match="no STARTTLS"):
            submit(at, LOGIN, OUTGOING)
    assert server.verbs() == ["EHLO"]


def test_what_is_slipped_in_before_tls(tls: tuple[ssl.SSLContext, str]) -> None:
    context, ca_pem = tls
    with PoliteSmtp(tls=context, ca_pem=ca_pem, starttls=True) as server:
        server.tls = None
        server.change = bent(b"STARTTLS", b"220 go\r\n250 slipped in")
        at = Server("127.0.0.1", server.port, Security.STARTTLS, ca_pem, allow_private=True)
        with pytest.raises((Untrusted, ConnectionLost)):
            submit(at, LOGIN, OUTGOING)
    assert "AUTH" not in server.verbs()


def test_through_a_real_server(smtp_server: SmtpServer, mailbox_user: Callable[..., MailUser]) -> None:
    sender, friend = mailbox_user(), mailbox_user()
    outgoing = write(
        letter(from_=Address("", sender.address), to=(Address("Bob", friend.address),), text=".\nFrom me\n.")
    )
    for port, security in ((smtp_server.tls_port, Security.TLS), (smtp_server.port, Security.STARTTLS)):
        at = Server("127.0.0.1", port, security, smtp_server.ca_pem, allow_private=True)
        assert submit(at, Login(sender.address, sender.password), outgoing).words.startswith("250")
    with friend.imap() as client:
        client.select("INBOX", readonly=True)
        _, answer = client.fetch("1:*", "(BODY.PEEK[])")
    received = [piece[1] for piece in answer if isinstance(piece, tuple)]
    assert len(received) == 2
    assert all(each.endswith(b"\r\n" + outgoing.message) for each in received)
    with pytest.raises(LoginNeeded):
        submit(at, Login(sender.address, "wrong"), outgoing)
    with pytest.raises(Refused, match="takes no mail from"):
        submit(at, Login(friend.address, friend.password), outgoing)
