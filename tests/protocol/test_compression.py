"""Compressed connections: verbs work as on any other, a bomb hits the same limits, near servers are spared it."""

from __future__ import annotations

import io
import socket
import zlib

import pytest

from tests.protocol import people
from tests.protocol.scripted import CAPABILITIES, LOGIN, PoliteImap
from tests.protocol.verbs import dial
from tests.servers import MailUser
from webmail.protocol import compression
from webmail.protocol.connection import connect
from webmail.protocol.errors import BadAnswer, ConnectionLost
from webmail.protocol.types import Flag, Security

OFFERED = CAPABILITIES + b" COMPRESS=DEFLATE"


@pytest.fixture
def far(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every server is far away."""
    monkeypatch.setattr(compression, "FROM_SECONDS", 0.0)


@pytest.mark.parametrize("security", [Security.NONE, Security.TLS])
def test_everything_works_compressed(far: None, rich: MailUser, security: Security) -> None:
    connection = people.dial(rich, security)
    assert connection.has("COMPRESS=DEFLATE")
    assert connection._wire._inflater is not None
    selected, messages = connection.newest("INBOX", 6)
    uids = sorted(message.uid for message in messages)
    assert len(uids) == 6
    assert not connection.pending()
    connection.store("INBOX", selected.uidvalidity, uids[:2], add=[Flag.FLAGGED])
    found = connection.sections("INBOX", selected.uidvalidity, uids[0], {"2": None})
    assert found["2"].replace(b"\r\n", b"") == people.PNG
    connection.append("INBOX", io.BytesIO(b"Subject: Far\r\n\r\n" + b"x" * 300_000))
    assert connection.select("INBOX", fresh=True).exists == 7
    streamed = b"".join(connection.stream("INBOX", selected.uidvalidity, uids[0], "2", chunk=10_000))
    assert streamed == found["2"]
    assert not connection.pending()
    connection.close()


def test_a_near_server_is_spared_it(rich: MailUser) -> None:
    assert people.dial(rich)._wire._inflater is None


def test_a_refusal_is_no_error(far: None) -> None:
    def refuse(verb: str, answer: bytes) -> bytes:
        return answer.replace(b" OK ", b" NO ") if verb == "COMPRESS" else answer

    with PoliteImap(capabilities=OFFERED, change=refuse) as polite:
        assert dial(polite.server).select("INBOX").exists == 3


def after_the_ok(octets: bytes) -> PoliteImap:
    """A server that sends these once compression has begun, whatever it is asked."""

    def behave(sock: socket.socket) -> None:
        with sock.makefile("rb") as file:
            sock.sendall(b"* OK [CAPABILITY %b] hello\r\n" % OFFERED)
            sock.sendall(b"%b OK [CAPABILITY %b] in\r\n" % (file.readline().split()[0], OFFERED))
            file.readline()
            sock.sendall(b"Z1 OK go\r\n" + octets)
            file.read()

    return PoliteImap(behave=behave)


def deflated(octets: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(octets) + packer.flush(zlib.Z_SYNC_FLUSH)


@pytest.mark.parametrize(
    "bomb", [b"* " + b"a" * (20 << 20), b"* OK %b\r\n" % (b"x" * 1000) * 60_000], ids=["one line", "many lines"]
)
def test_a_bomb_hits_the_limits_of_any_answer(far: None, bomb: bytes) -> None:
    with after_the_ok(deflated(bomb)) as polite:
        connection = connect(polite.server, LOGIN, command_timeout=30)
        with pytest.raises(BadAnswer):
            connection.select("INBOX")
        assert connection.broken


def test_nonsense_and_the_end_of_the_stream(far: None) -> None:
    whole = zlib.compressobj(wbits=-15)
    ended = whole.compress(b"* OK\r\n") + whole.flush()
    for octets, error in ((b"\xff\xff\xff\xff", BadAnswer), (ended, ConnectionLost)):
        with after_the_ok(octets) as polite, pytest.raises(error):
            dial(polite.server).select("INBOX")
