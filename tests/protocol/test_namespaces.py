"""Other people's and shared mailboxes, told apart by their namespaces (RFC 2342)."""

from __future__ import annotations

import contextlib

import pytest

from tests.protocol.scripted import CAPABILITIES, PoliteImap
from tests.protocol.verbs import dial
from webmail.protocol.errors import BadAnswer
from webmail.protocol.namespaces import Namespaces
from webmail.protocol.tokens import tokenize
from webmail.protocol.types import Role, Space

WITH_NAMESPACES = CAPABILITIES + b" NAMESPACE"
NAMESPACE = b'* NAMESPACE (("" "/")) (("Other/" "/" "X-PARAM" ("a" "b"))) (("Public/" "/")("#news." "."))\r\n'
SHARED = b'* LIST (\\Noselect) "/" Other\r\n* LIST () "/" Other/bob\r\n* LIST (\\Trash) "/" "Public/Trash"\r\n'


def answers(verb: str, answer: bytes) -> bytes:
    """What a server says that lists all it has."""
    if verb == "NAMESPACE":
        return NAMESPACE + answer
    return SHARED + answer if verb == "LIST" else answer


def test_mailboxes_are_told_apart_by_whose_they_are() -> None:
    with PoliteImap(capabilities=WITH_NAMESPACES, change=answers) as polite:
        infos = {info.name: info for info in dial(polite.server).mailboxes()}
    spaces = {name: info.space for name, info in infos.items()}
    assert spaces == {
        "INBOX": Space.OWN,
        "Sent": Space.OWN,
        "Other": Space.OTHER,
        "Other/bob": Space.OTHER,
        "Public/Trash": Space.SHARED,
    }
    assert not infos["Other"].selectable
    assert infos["Public/Trash"].role is None, "it is nobody's own trash"
    assert infos["Sent"].role is Role.SENT


def test_a_namespace_that_the_whole_list_leaves_out_is_listed_by_itself() -> None:
    def hide(verb: str, answer: bytes) -> bytes:
        if verb == "NAMESPACE":
            return NAMESPACE + answer
        apart = verb == "LIST" and b'/*"' in polite.lines[-1]
        return SHARED + answer if apart else answer

    with PoliteImap(capabilities=WITH_NAMESPACES, change=hide) as polite:
        connection = dial(polite.server)
        before = connection.round_trips
        assert "Other/bob" in {info.name for info in connection.mailboxes()}
        assert connection.round_trips - before == 3, "the whole list, what it left out, and the counts of that"
        before = connection.round_trips
        assert "Other/bob" in {info.name for info in connection.mailboxes()}
        assert connection.round_trips - before == 2


@pytest.mark.parametrize(
    "line",
    [b"", b"* NAMESPACE", b"* NAMESPACE NIL NIL NIL", b"* NAMESPACE NIL", b"* NAMESPACE ((", b"* NAMESPACE x y z"],
)
def test_nonsense_is_no_namespace(line: bytes) -> None:
    found = Namespaces()
    with contextlib.suppress(BadAnswer):
        found = Namespaces.read(tokenize([line + b"\r\n"]))
    assert found.space_of(b"INBOX") is Space.OWN
