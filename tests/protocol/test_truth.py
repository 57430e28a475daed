"""What answers mean: another UIDVALIDITY, a mailbox or message that is gone, news that nobody asked for."""

from __future__ import annotations

import base64
import logging
import re
import time
import traceback

import pytest

from tests.protocol.scripted import BODY, UIDS, UIDVALIDITY, PoliteImap
from tests.protocol.verbs import PATIENCE, SLACK, VERBS, dial, tagged
from webmail.protocol.connection import connect
from webmail.protocol.errors import (
    ConnectionLost,
    LoginNeeded,
    NoSuchMailbox,
    NoSuchMessage,
    Refused,
    UidValidityChanged,
)
from webmail.protocol.types import Flag, Login


def test_another_uidvalidity_is_told_and_its_data_dropped() -> None:
    def renumber(verb: str, answer: bytes) -> bytes:
        return answer.replace(b"UIDVALIDITY 77", b"UIDVALIDITY 78")

    with PoliteImap(change=renumber) as imap:
        connection = dial(imap.server)
        for name in (
            "fetch",
            "flags",
            "uids",
            "delta",
            "sections",
            "structure",
            "stream",
            "store",
            "peek",
            "fetch_range",
        ):
            with pytest.raises(UidValidityChanged):
                VERBS[name](connection)
        assert not connection.broken
        assert "UID STORE" not in imap.verbs()


def test_a_refused_select_is_a_mailbox_that_is_gone_only_if_list_agrees() -> None:
    there = False

    def refuse(verb: str, answer: bytes) -> bytes:
        tag = tagged(answer)[1].split(b" ")[0]
        if verb in ("SELECT", "EXAMINE"):
            return tag + b" NO sorry\r\n"
        return answer if verb != "LIST" or there else tag + b" OK done\r\n"

    with PoliteImap(change=refuse) as imap:
        connection = dial(imap.server)
        with pytest.raises(NoSuchMailbox):
            connection.newest("INBOX", 5)
        there = True
        with pytest.raises(Refused) as caught:
            connection.newest("INBOX", 5)
        assert not isinstance(caught.value, NoSuchMailbox)


def test_a_server_that_offers_more_than_it_can_do_is_asked_more_simply() -> None:
    def puzzled(verb: str, answer: bytes) -> bytes:
        if verb == "LIST" and b"RETURN" in imap.lines[-1]:
            return tagged(answer)[1].split()[0] + b" BAD RETURN?\r\n"
        return answer

    with PoliteImap(change=puzzled) as imap:
        connection = dial(imap.server)
        assert [info.name for info in connection.mailboxes()] == ["INBOX", "Sent"]


def test_many_slow_answers_do_not_add_up(monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(verb: str, answer: bytes) -> bytes:
        if verb == "UID FETCH":
            time.sleep(PATIENCE * 0.8)
        return answer

    monkeypatch.setattr("webmail.protocol.fetching.CHUNK", 1)
    monkeypatch.setattr("webmail.protocol.exchange.WINDOW", 2)
    with PoliteImap(change=slow) as imap:
        connection = dial(imap.server)
        started = time.monotonic()
        with pytest.raises(ConnectionLost):
            connection.fetch("INBOX", UIDVALIDITY, range(1, 200, 2))
        assert time.monotonic() - started < 3 * PATIENCE + SLACK


def test_data_of_the_mailbox_that_was_selected_before_is_not_taken_for_this_one() -> None:
    def confuse(verb: str, answer: bytes) -> bytes:
        if verb == "EXAMINE":
            return b"* 9 FETCH (UID 11 BODY[1]<0> {5}\r\nwrong)\r\n" + answer
        return answer

    with PoliteImap(change=confuse) as imap:
        connection = dial(imap.server)
        assert connection.sections("INBOX", UIDVALIDITY, 11, {"1": 1000}) == {"1": BODY}


def test_a_message_that_is_gone() -> None:
    with PoliteImap() as imap:
        connection = dial(imap.server)
        for call in (
            lambda: connection.sections("INBOX", UIDVALIDITY, 13, {"1": None}),
            lambda: connection.structure("INBOX", UIDVALIDITY, 13),
            lambda: list(connection.stream("INBOX", UIDVALIDITY, 13, "1")),
        ):
            with pytest.raises(NoSuchMessage):
                call()
        assert connection.fetch("INBOX", UIDVALIDITY, [13]) == []
        assert connection.store("INBOX", UIDVALIDITY, [13], add=[Flag.SEEN]) == []


def test_unasked_news_keep_the_count_right() -> None:
    def tell(verb: str, answer: bytes) -> bytes:
        if verb == "NOOP":
            return (
                b"* 9 EXISTS\r\n* 2 EXPUNGE\r\n* VANISHED 15\r\n* VANISHED (EARLIER) 3:5\r\n* 1 FETCH (FLAGS ())\r\n"
                + answer
            )
        return answer

    with PoliteImap(change=tell) as imap:
        connection = dial(imap.server)
        connection.select("INBOX")
        connection.noop()
        assert connection.selected is not None
        assert connection.selected.exists == 7


def test_a_server_that_sends_all_of_a_part_though_asked_for_a_piece() -> None:
    def whole(verb: str, answer: bytes) -> bytes:
        if verb != "UID FETCH":
            return answer
        return re.sub(rb"BODY\[1\]<0> \{\d+\}\r\n[^)]*\)", b"BODY[1] {%d}\r\n%b)" % (len(BODY), BODY), answer)

    with PoliteImap(change=whole) as imap:
        connection = dial(imap.server)
        assert b"".join(connection.stream("INBOX", UIDVALIDITY, 11, "1", chunk=10)) == BODY
        assert connection.sections("INBOX", UIDVALIDITY, 11, {"1": 10}) == {"1": BODY[:10]}


def test_a_stream_left_early_leaves_no_connection_behind() -> None:
    with PoliteImap() as imap:
        connection = dial(imap.server)
        stream = connection.stream("INBOX", UIDVALIDITY, 11, "1", chunk=5)
        next(stream)
        with pytest.raises(RuntimeError):
            connection.noop()
        stream.close()  # type: ignore[attr-defined]
        assert connection.broken


def test_the_password_is_nowhere_to_be_seen(caplog: pytest.LogCaptureFixture) -> None:
    secret = Login("alice@demo.test", "correct horse")
    assert "horse" not in repr(secret)

    def refuse(verb: str, answer: bytes) -> bytes:
        return answer.replace(b"OK [CAPABILITY", b"NO [CAPABILITY") if verb == "AUTHENTICATE" else answer

    with PoliteImap(change=refuse) as imap, caplog.at_level(logging.DEBUG):
        with pytest.raises(LoginNeeded) as caught:
            connect(imap.server, secret)
        assert "horse" not in "".join(traceback.format_exception(caught.value)) + caplog.text
        token = imap.lines[0].split()[-1].decode()
        assert b"horse" in base64.b64decode(token)
        assert token not in "".join(traceback.format_exception(caught.value)) + caplog.text


def test_a_mailbox_without_modseqs_is_compared() -> None:
    def without(verb: str, answer: bytes) -> bytes:
        if verb == "UID FETCH" and b"CHANGEDSINCE" in imap.lines[-1]:
            return tagged(answer)[1].split()[0] + b" BAD no MODSEQ in this mailbox\r\n"
        return answer.replace(b"* OK [HIGHESTMODSEQ 9] ok", b"* OK [NOMODSEQ] none")

    with PoliteImap(change=without) as imap:
        delta = dial(imap.server).delta("INBOX", UIDVALIDITY, 5, (*UIDS, 99))
        assert [change.uid for change in delta.changed] == list(UIDS)
        assert (delta.vanished, delta.highestmodseq) == ((99,), 0)
