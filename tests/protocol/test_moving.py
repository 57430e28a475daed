"""Messages copied, moved and removed: on Dovecot with each set of capabilities it may lack, and on pymap."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.protocol.people import dial, expunge, uidvalidity
from tests.protocol.scripted import CAPABILITIES, PoliteImap
from tests.protocol.verbs import dial as dial_polite
from tests.servers import MailUser
from webmail.protocol.connection import Connection
from webmail.protocol.errors import ConnectionLost, NoSuchMailbox, ProtocolError, Refused, UidValidityChanged
from webmail.protocol.moving import Copied

LACKING = {"move-uidplus": set(), "uidplus": {"MOVE"}, "neither": {"MOVE", "UIDPLUS"}}


@pytest.fixture(params=LACKING)
def poor(request: pytest.FixtureRequest, rich: MailUser) -> Iterator[Connection]:
    """A connection to Dovecot that knows of fewer capabilities. Its COPYUID comes all the same."""
    connection = dial(rich)
    connection.capabilities -= LACKING[request.param]
    yield connection
    connection.close()


def ids(person: MailUser, mailbox: str) -> list[str]:
    """The Message-IDs there, as another client sees them."""
    with person.imap() as other:
        other.select(mailbox, readonly=True)
        _, data = other.fetch("1:*", "(BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])")
        return [item[1].decode().split("<")[1].split("@")[0] for item in data if isinstance(item, tuple)]


def test_moved(poor: Connection, rich: MailUser) -> None:
    uids = poor.uids("INBOX", uidvalidity(poor))
    heard: list[Copied] = []
    done = poor.move("INBOX", uidvalidity(poor), [uids[1], uids[2], uids[4]], "Archive", copied=heard.append)
    assert not done.left
    assert heard
    assert ids(rich, "Archive") == ["ferry1", "ferry2", "ferry4"]
    assert ids(rich, "INBOX") == ["ferry0", "ferry3", "ferry5"]
    assert done.uidvalidity == poor.select("Archive").uidvalidity
    assert [done.uids[uid] for uid in (uids[1], uids[2], uids[4])] == poor.uids("Archive", done.uidvalidity)


def test_copied(imap: Connection, person: MailUser) -> None:
    with person.imap() as other:
        other.create("Kept")
    uids = imap.uids("INBOX", uidvalidity(imap))
    done = imap.copy("INBOX", uidvalidity(imap), uids[:2], "Kept")
    assert ids(person, "Kept") == ["ferry0", "ferry1"]
    assert len(ids(person, "INBOX")) == 6
    assert sorted(done.uids) == uids[:2]


def test_moved_on_both(imap: Connection, person: MailUser) -> None:
    with person.imap() as other:
        other.create("Kept")
    uids = imap.uids("INBOX", uidvalidity(imap))
    imap.move("INBOX", uidvalidity(imap), uids[:2], "Kept")
    assert ids(person, "Kept") == ["ferry0", "ferry1"]
    assert ids(person, "INBOX") == ["ferry2", "ferry3", "ferry4", "ferry5"]


def test_one_that_is_gone_is_left_out(poor: Connection, rich: MailUser) -> None:
    uids = poor.uids("INBOX", uidvalidity(poor))
    expunge(rich, uids[0])
    done = poor.move("INBOX", uidvalidity(poor), uids[:2], "Archive")
    assert set(done.uids) == {uids[1]}
    assert ids(rich, "Archive") == ["ferry1"]


def test_no_mailbox_is_made(poor: Connection, rich: MailUser) -> None:
    validity = uidvalidity(poor)
    uids = poor.uids("INBOX", validity)
    for verb in (poor.move, poor.copy):
        with pytest.raises(NoSuchMailbox) as caught:
            verb("INBOX", validity, uids, "Nowhere at all")
        assert caught.value.code == "TRYCREATE"
    assert len(ids(rich, "INBOX")) == 6
    assert poor.usable


def test_a_renumbered_mailbox_is_left_alone(poor: Connection, rich: MailUser) -> None:
    uids = poor.uids("INBOX", uidvalidity(poor))
    for act in (
        lambda: poor.move("INBOX", 1, uids, "Archive"),
        lambda: poor.copy("INBOX", 1, uids, "Archive"),
        lambda: poor.expunge("INBOX", 1, uids),
    ):
        with pytest.raises(UidValidityChanged):
            act()
    assert len(ids(rich, "INBOX")) == 6


def test_expunged(poor: Connection, rich: MailUser) -> None:
    uids = poor.uids("INBOX", uidvalidity(poor))
    assert poor.expunge("INBOX", uidvalidity(poor), uids[:2]) is True
    assert ids(rich, "INBOX") == ["ferry2", "ferry3", "ferry4", "ferry5"]
    assert poor.expunge("INBOX", uidvalidity(poor), uids[:2]) is True, "twice is once"
    assert len(ids(rich, "INBOX")) == 4


def test_what_another_client_marked_stays(poor: Connection, rich: MailUser) -> None:
    uids = poor.uids("INBOX", uidvalidity(poor))
    with rich.imap() as other:
        other.select("INBOX")
        other.uid("STORE", str(uids[5]), "+FLAGS", "(\\Deleted)")
    gone = poor.expunge("INBOX", uidvalidity(poor), uids[:1])
    assert gone is poor.has("UIDPLUS")
    assert "ferry5" in ids(rich, "INBOX")
    moved = poor.move("INBOX", uidvalidity(poor), uids[1:2], "Archive")
    assert moved.left is not poor.has("UIDPLUS")
    assert "ferry5" in ids(rich, "INBOX")
    assert ids(rich, "Archive") == ["ferry1"]
    assert poor.search("INBOX", uidvalidity(poor), 1, uids[-1], "DELETED") == (
        [uids[5]] if gone else [uids[0], uids[1], uids[5]]
    )
    with rich.imap() as other:
        other.select("INBOX")
        other.uid("STORE", str(uids[5]), "-FLAGS", "(\\Deleted)")
    assert poor.expunge("INBOX", uidvalidity(poor), uids[2:3], also=uids[:2]) is True
    assert ids(rich, "INBOX") == ["ferry3", "ferry4", "ferry5"]


def test_present_and_search(imap: Connection, person: MailUser) -> None:
    validity = uidvalidity(imap)
    uids = imap.uids("INBOX", validity)
    expunge(person, uids[3])
    assert imap.present("INBOX", validity, [*uids[2:], uids[-1] + 7]) == [uids[2], uids[4], uids[5]]
    assert imap.search("INBOX", validity, uids[1], uids[4], "UNSEEN") == [uids[2], uids[4]]
    assert imap.search("INBOX", validity, 1, uids[-1]) == [uid for uid in uids if uid != uids[3]]


def test_ten_thousand_scattered_uids_go_in_pieces() -> None:
    """Sets stay short, each command waits for the answer to the one before, and each is told at once."""
    with PoliteImap(capabilities=CAPABILITIES + b" MOVE") as server:
        imap = dial_polite(server.server)
        heard: list[Copied] = []
        imap.move("INBOX", 77, range(1, 20_001, 2), "Sent", copied=heard.append)
        sent = [line for line in server.lines if b"UID MOVE" in line]
        assert len(sent) == len(heard) > 20
        assert all(len(line) < 2_000 for line in sent)
        imap.discard()


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (b"* OK [COPYUID 9 11:12,15 7:8,3] moved\r\n%b OK done\r\n", {11: 7, 12: 8, 15: 3}),
        (b"%b OK [COPYUID 9 15,11 3:4] done\r\n", {15: 3, 11: 4}),
        (b"%b OK [copyuid 9 11 4] done\r\n", {11: 4}),
        (b"%b OK done\r\n", {}),
        (b"%b OK [COPYUID 9 11:12 7] done\r\n", {}),
        (b"%b OK [COPYUID 0 11 7] done\r\n", {}),
        (b"%b OK [COPYUID 9 a b] done\r\n", {}),
        (b"%b OK [COPYUID 9 11] done\r\n", {}),
        (b"* OK [COPYUID 9 1:4294967295 1:2] x\r\n%b OK done\r\n", {}),
    ],
)
def test_what_copyuid_says(answer: bytes, expected: dict[int, int]) -> None:
    def change(verb: str, said: bytes) -> bytes:
        return answer % said.split()[0] if verb == "UID MOVE" else said

    with PoliteImap(capabilities=CAPABILITIES + b" MOVE", change=change) as server:
        imap = dial_polite(server.server)
        done = imap.move("INBOX", 77, [11, 12, 15], "Sent")
        assert done.uids == expected
        assert done.uidvalidity == (9 if expected else 0)
        imap.discard()


@pytest.mark.parametrize(
    ("said", "kind", "words"),
    [
        (b"NO [OVERQUOTA] quota exceeded", Refused, "account is full"),
        (b"NO [TRYCREATE] no such mailbox", NoSuchMailbox, "no longer exists"),
        (b"NO permission denied", Refused, "refused"),
        (b"BAD what", Refused, "did not understand"),
    ],
)
def test_a_refusal_is_told_in_words(said: bytes, kind: type[ProtocolError], words: str) -> None:
    def change(verb: str, answer: bytes) -> bytes:
        return answer.split()[0] + b" " + said + b"\r\n" if verb == "UID MOVE" else answer

    with PoliteImap(capabilities=CAPABILITIES + b" MOVE", change=change) as server:
        imap = dial_polite(server.server)
        with pytest.raises(kind, match=words):
            imap.move("INBOX", 77, [11], "Sent")
        assert imap.usable
        imap.discard()


def test_a_move_is_never_sent_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection dies under it: a reading verb would open another and ask again, this one must not."""
    with PoliteImap(capabilities=CAPABILITIES + b" MOVE") as server:
        hang_up: Callable[[], None] = server.hang_up

        def change(verb: str, answer: bytes) -> bytes:
            if verb == "UID MOVE":
                hang_up()
            return answer

        server.change = change
        imap = dial_polite(server.server)
        imap.select("INBOX", read_only=False)
        imap.last_used -= 60  # it has lain idle
        with pytest.raises(ConnectionLost):
            imap.move("INBOX", 77, [11], "Sent")
        assert len([verb for verb in server.verbs() if verb == "UID MOVE"]) == 1
