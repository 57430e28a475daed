"""Flags and what changed, on Dovecot and on pymap: a server that knows less is asked otherwise."""

from __future__ import annotations

import pytest

from tests.protocol.people import MESSAGE, dial, expunge
from tests.servers import MailUser
from webmail.protocol import flagging
from webmail.protocol.connection import Connection
from webmail.protocol.errors import (
    Refused,
)
from webmail.protocol.types import Delta, Flag


def test_store_sets_and_clears(imap: Connection) -> None:
    selected, messages = imap.newest("INBOX", 6)
    uids = sorted(message.uid for message in messages)
    imap.select("INBOX", read_only=False)
    before = imap.round_trips
    changes = imap.store("INBOX", selected.uidvalidity, uids[:3], add=[Flag.FLAGGED, Flag.SEEN])
    assert imap.round_trips - before == 1
    assert [change.uid for change in changes] == uids[:3]
    assert all({Flag.FLAGGED, Flag.SEEN} <= change.flags.set for change in changes)
    changes = imap.store("INBOX", selected.uidvalidity, uids[:1], add=[Flag.ANSWERED], remove=[Flag.SEEN])
    assert changes[0].flags.set == {Flag.FLAGGED, Flag.ANSWERED}
    again = imap.store("INBOX", selected.uidvalidity, uids[:1], add=[Flag.ANSWERED], remove=[Flag.SEEN])
    assert again[0].flags == changes[0].flags, "twice is once"
    assert imap.flags("INBOX", selected.uidvalidity, uids[0], uids[0])[0].flags == changes[0].flags


def test_very_many_piece_by_piece(imap: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a view of this moment; and no further than it is told to go."""
    selected, messages = imap.newest("INBOX", 6)
    uids = sorted(message.uid for message in messages)
    monkeypatch.setattr(flagging, "FIRST_PIECE", 2)
    monkeypatch.setattr(flagging, "PIECE_SECONDS", 0.0)
    before = imap.round_trips
    assert imap.store_silently("INBOX", selected.uidvalidity, uids, add=[Flag.FLAGGED]) == 6
    assert imap.round_trips - before == 4, "SELECT, and three pieces"
    answers = iter([True, False])
    done = imap.store_silently("INBOX", selected.uidvalidity, uids, remove=[Flag.FLAGGED], go_on=lambda: next(answers))
    assert done == 4
    left = {change.uid for change in imap.flags("INBOX", selected.uidvalidity) if Flag.FLAGGED in change.flags}
    assert left == set(uids[4:])
    monkeypatch.setattr(flagging, "PIECE_SECONDS", 60.0)
    before = imap.round_trips
    assert imap.store_silently("INBOX", selected.uidvalidity, uids, remove=[Flag.FLAGGED]) == 6
    assert imap.round_trips - before == 3, "the second piece is as large as the first one was fast"


def test_keywords(rich: MailUser) -> None:
    connection = dial(rich)
    selected, messages = connection.newest("INBOX", 1)
    uid = messages[0].uid
    [change] = connection.store("INBOX", selected.uidvalidity, [uid], add=[Flag.FORWARDED, "Work", "$label1"])
    assert Flag.FORWARDED in change.flags
    assert change.flags.keywords == {"Work", "$label1"}
    with rich.imap() as other:
        other.select("INBOX", readonly=True)
        _, data = other.uid("FETCH", str(uid), "(FLAGS)")
        assert b"$Forwarded" in data[0]  # type: ignore[operator]


def test_a_mailbox_that_can_only_be_read(rich: MailUser, monkeypatch: pytest.MonkeyPatch) -> None:
    connection = dial(rich)
    selected, messages = connection.newest("INBOX", 1)
    real = connection._select_command

    monkeypatch.setattr(connection, "_select_command", lambda name, *, read_only: real(name, read_only=True))
    with pytest.raises(Refused, match="only be read"):
        connection.store("INBOX", selected.uidvalidity, [messages[0].uid], add=[Flag.SEEN])


def test_uids_and_flags_of_all(imap: Connection) -> None:
    selected, messages = imap.newest("INBOX", 6)
    uids = sorted(message.uid for message in messages)
    assert imap.uids("INBOX", selected.uidvalidity) == uids
    assert [change.uid for change in imap.flags("INBOX", selected.uidvalidity)] == uids
    assert [change.uid for change in imap.flags("INBOX", selected.uidvalidity, uids[2], uids[3])] == uids[2:4]
    assert imap.flags("INBOX", selected.uidvalidity, uids[-1] + 1) == []


def test_delta_tells_changed_and_vanished(rich: MailUser) -> None:
    connection = dial(rich)
    selected, messages = connection.newest("INBOX", 6)
    uids = sorted(message.uid for message in messages)
    quiet = connection.delta("INBOX", selected.uidvalidity, selected.highestmodseq)
    assert (quiet.changed, quiet.vanished, quiet.highestmodseq) == ((), (), selected.highestmodseq)
    with rich.imap() as other:
        other.select("INBOX")
        other.uid("STORE", str(uids[1]), "+FLAGS", "(\\Flagged)")
    expunge(rich, uids[3])
    arrived = rich.append("INBOX", MESSAGE % (7, 7))
    connection.select("INBOX", fresh=True)
    before = connection.round_trips
    delta = connection.delta("INBOX", selected.uidvalidity, selected.highestmodseq)
    assert connection.round_trips - before == 1
    assert {change.uid for change in delta.changed} == {uids[1], arrived}
    assert delta.vanished == (uids[3],)
    assert delta.highestmodseq > selected.highestmodseq
    later = connection.delta("INBOX", selected.uidvalidity, delta.highestmodseq)
    assert (later.changed, later.vanished) == ((), ())


@pytest.mark.parametrize("lacking", ["QRESYNC", "CONDSTORE"])
def test_delta_of_a_server_that_knows_less(lacking: str, rich: MailUser) -> None:
    connection = dial(rich)
    selected, messages = connection.newest("INBOX", 6)
    connection.capabilities -= {lacking, "QRESYNC"}
    uids = sorted(message.uid for message in messages)
    expunge(rich, uids[3])
    connection.select("INBOX", fresh=True)
    blind = connection.delta("INBOX", selected.uidvalidity, selected.highestmodseq)
    assert blind.vanished is None
    delta = connection.delta("INBOX", selected.uidvalidity, selected.highestmodseq, uids)
    assert delta.vanished == (uids[3],)
    everything = {uid for uid in uids if uid != uids[3]}
    assert {change.uid for change in delta.changed} == (everything if lacking == "CONDSTORE" else set())


def test_delta_on_both(imap: Connection, person: MailUser) -> None:
    """Whatever a server knows, changed and vanished cover what happened."""
    selected, messages = imap.newest("INBOX", 6)
    uids = sorted(message.uid for message in messages)
    with person.imap() as other:
        other.select("INBOX")
        other.uid("STORE", str(uids[1]), "+FLAGS", "(\\Flagged)")
    expunge(person, uids[3])
    imap.select("INBOX", fresh=True)
    delta = imap.delta("INBOX", selected.uidvalidity, selected.highestmodseq, uids)
    flagged = {change.uid for change in delta.changed if Flag.FLAGGED in change.flags}
    assert flagged == {uids[1]}
    assert delta.vanished == (uids[3],)


def test_a_modseq_from_the_future_means_compare(rich: MailUser) -> None:
    """The server lost its index and counts from one again: nothing has a MODSEQ above ours; all may have changed."""
    connection = dial(rich)
    selected, messages = connection.newest("INBOX", 6)
    delta = connection.delta("INBOX", selected.uidvalidity, selected.highestmodseq + 1_000_000)
    assert len(delta.changed) == 6
    assert delta.highestmodseq == selected.highestmodseq
    assert len(messages) == 6


@pytest.mark.parametrize("lacking", ["", "QRESYNC", "CONDSTORE"])
def test_resync_says_in_one_round_trip_what_is_so_and_what_changed(lacking: str, rich: MailUser) -> None:
    connection = dial(rich)
    connection.capabilities -= {lacking}
    known, messages = connection.newest("INBOX", 6, read_only=False)
    uids = sorted(message.uid for message in messages)
    with rich.imap() as other:
        other.select("INBOX")
        other.uid("STORE", str(uids[1]), "+FLAGS", "(\\Flagged)")
    expunge(rich, uids[3])
    before = connection.round_trips
    selected, delta = connection.resync("INBOX", known.uidvalidity, known.highestmodseq)
    assert connection.round_trips - before == 1
    assert (selected.exists, selected.read_only) == (5, False)
    if lacking == "CONDSTORE":
        assert delta is None
        return
    assert delta is not None
    assert [(change.uid, change.flags.set) for change in delta.changed] == [(uids[1], {Flag.SEEN, Flag.FLAGGED})]
    assert delta.vanished == (None if lacking else (uids[3],))
    assert delta.highestmodseq == selected.highestmodseq > known.highestmodseq
    assert connection.resync("INBOX", known.uidvalidity, delta.highestmodseq)[1] == Delta(
        (), None if lacking else (), delta.highestmodseq
    )


def test_resync_of_what_the_server_does_not_remember_is_no_delta(rich: MailUser) -> None:
    connection = dial(rich)
    known = connection.select("INBOX")
    for uidvalidity, modseq in ((0, 0), (known.uidvalidity, 0), (known.uidvalidity + 1, 1), (known.uidvalidity, 2**40)):
        selected, delta = connection.resync("INBOX", uidvalidity, modseq)
        assert selected.uidvalidity == known.uidvalidity
        assert delta is None


def test_the_count_follows_other_clients(imap: Connection, person: MailUser) -> None:
    selected = imap.select("INBOX")
    person.append("INBOX", MESSAGE % (7, 7))
    imap.noop()
    assert imap.selected is not None
    assert imap.selected.exists == selected.exists + 1
    expunge(person, imap.uids("INBOX", selected.uidvalidity)[0])
    imap.noop()
    assert imap.selected.exists == selected.exists
