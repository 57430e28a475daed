"""Which key does what: one table, one's own keys, and conflicts said in words."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest
from django.test import Client

from tests.cast import client_of
from tests.reader import letter
from webmail.models import Account, Message, User
from webmail.store import keys

pytestmark = pytest.mark.django_db


def test_the_usual_keys_do_not_conflict() -> None:
    assert keys.check({}) == ({}, {})
    names = [command.name for command in keys.COMMANDS]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("wanted", "word"),
    [
        ({"act:archive": "#"}, "also the key of “Delete”"),
        ({"act:archive": "g"}, "or begins it"),
        ({"act:archive": "j k"}, "or begins it"),
        ({"act:archive": "a b c"}, "too long"),
        ({"act:archive": "Tab"}, "needed by the page"),
        ({"act:archive": "Strg"}, "not a key"),
    ],
)
def test_conflicts_are_said(wanted: dict[str, str], word: str) -> None:
    _, problems = keys.check(wanted)
    assert word in problems["act:archive"]


def test_ones_own_keys(alice: User) -> None:
    client = client_of(alice)
    assert client.post("/settings/keys/", {"act:archive": "y, Enter", "act:junk": ""}).status_code == 302
    alice.refresh_from_db()
    assert alice.keys == {"act:archive": ["y", "Enter"], "act:junk": []}
    table = json.loads(keys.table_of(alice))
    assert (table["y"], table["Enter"], table["j"]) == ("act:archive", "act:archive", "next")
    assert not {"e", "!"} & set(table)
    assert "<kbd>y</kbd> or <kbd>Enter</kbd>" in client.get("/help/").content.decode()

    # Another command, and what was changed before stays.
    client.post("/settings/keys/", {"act:delete": "d"})
    alice.refresh_from_db()
    assert alice.keys["act:delete"] == ["d"]
    assert alice.keys["act:archive"] == ["y", "Enter"]

    refused = client.post("/settings/keys/", {"act:move": "d"})
    assert refused.status_code == 422
    assert "also the key of “Delete”" in refused.content.decode()
    client.post("/settings/keys/", {"reset": "1"})
    alice.refresh_from_db()
    assert alice.keys == {}


def test_they_can_be_switched_off(alice: User) -> None:
    client_of(alice).post("/settings/preferences/", {"single_keys": "False"})
    alice.refresh_from_db()
    assert keys.table_of(alice) == "{}"


def test_buttons_name_ones_own_keys(reader: Client, account: Account, received: Callable[..., Message]) -> None:
    pages = f"/mailbox/{received(letter(1)).mailbox_id}/", f"/message/{account.messages.get().pk}/"

    def titles() -> list[str]:
        return [title for path in pages for title in re.findall(r'title="([^"]*)"', reader.get(path).content.decode())]

    assert {"Archive (e)", "Move to… (v)", "Reply (r)", "Flag (s)", "Check for new mail (.)"} <= set(titles())
    reader.post(
        "/settings/keys/", {"act:archive": "y, Enter", "act:move": "", "reply": "R", "act:flag": "S", "check": "n"}
    )
    assert {"Archive (y)", "Move to…", "Reply (R)", "Check for new mail (n)"} <= set(titles())
    assert {"Archive (e)", "Move to… (v)", "Reply (r)"}.isdisjoint(titles())
    User.objects.update(single_keys=False)
    assert not [title for title in titles() if re.search(r" \(.{1,3}\)$", title)]
