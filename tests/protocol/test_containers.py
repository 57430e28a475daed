"""Containers opened: MIME entities, TNEF, S/MIME, and how they travel from the child."""

from __future__ import annotations

import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import outlook, signing
from tests.odd_mail import MAILS
from tests.protocol.message_tree import read_message
from webmail.protocol import bounded, opened
from webmail.protocol.content import choose
from webmail.protocol.entity import read_entity
from webmail.protocol.errors import Unreadable
from webmail.protocol.opened import Opened, named_from_outside, put_in
from webmail.protocol.tnef import open_tnef
from webmail.protocol.types import Part


def run(data: bytes, kind: str) -> Opened:
    return opened.read(bounded.run("webmail.protocol.containers:open_container", data, argument=kind))


def test_an_entity_has_the_sections_that_a_server_gives() -> None:
    inner = (
        b"Subject: in\r\nContent-Type: multipart/mixed; boundary=i\r\n\r\n--i\r\n\r\none\r\n--i\r\n\r\ntwo\r\n--i--\r\n"
    )
    data = (
        b'Content-Type: multipart/mixed; boundary="o"\r\n\r\npreamble\r\n--o\r\n\r\ntext\r\n--o\r\n'
        b"Content-Type: message/rfc822\r\n\r\n" + inner + b"\r\n--o--\r\nepilogue"
    )
    found = read_entity(data)
    assert found.structure is not None
    sections = [part.section for part in found.structure.walk()]
    assert sections == ["", "1", "2", "2.TEXT", "2.1", "2.2"]
    assert (found.bodies["1"], found.bodies["2.2"]) == (b"text", b"two")
    assert found.bodies["2"] == inner
    assert found.bodies["2.HEADER"].startswith(b"Subject: in")


@pytest.mark.parametrize("path", MAILS, ids=lambda path: path.stem)
def test_no_leaf_of_odd_mail_is_lost(path) -> None:  # type: ignore[no-untyped-def]
    raw = path.read_bytes()
    found = read_entity(raw)
    assert found.structure is not None
    choose(found.structure)
    assert opened.read(opened.write(found)) == found
    count = len(list(found.structure.walk()))
    if path.stem == "content-type-with-markup":  # a type nobody can read is plain text to Python's parser
        return
    if count > 1 and count == len(list(read_message(raw).structure.walk())):
        types = [part.type for part in read_message(raw).structure.walk()]
        assert [part.type for part in found.structure.walk()] == types


@given(st.binary(max_size=400))
def test_any_bytes_are_an_entity(data: bytes) -> None:
    head = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
    for raw in (data, head + data, head + data + b"\r\n--b" + data):
        found = read_entity(raw)
        assert found.structure is not None
        assert opened.read(opened.write(found)) == found


def test_wide_and_deep_entities_are_cut_in_time() -> None:
    wide = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\nx\r\n" * 100_000
    deep = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(1_000))
    same = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n" * 1_000
    for data in (wide, deep, same, b"Content-Type: message/rfc822\r\n\r\n" * 1_000):
        begun = time.monotonic()
        found = read_entity(data)
        assert found.structure is not None
        assert len(list(found.structure.walk())) <= 1_000
        assert time.monotonic() - begun < 2


def test_a_tree_put_in_the_place_of_its_container() -> None:
    root = Part("", "multipart/mixed", children=(Part("1", "text/plain"), Part("2", "application/ms-tnef")))
    inside = Part("", "multipart/mixed", children=(Part("1", "text/html"), Part("2", "application/pdf")))
    both = put_in(root, "2", named_from_outside(inside, "2"))
    assert [part.section for part in both.walk()] == ["", "1", "2!", "2!1", "2!2"]


def test_a_container_of_outlook() -> None:
    found = run(outlook.tnef(outlook.html_body("<p>žluť</p>"), outlook.file("a.txt", b"abc")), "application/ms-tnef")
    assert found.structure is not None
    assert [(part.type, part.filename) for part in found.structure.children] == [
        ("text/html", ""),
        ("text/plain", "a.txt"),
    ]
    assert (found.bodies["1"].decode(), found.bodies["2"]) == ("<p>žluť</p>", b"abc")


def test_compressed_rtf() -> None:
    """The example of MS-OXRTFCP §4.1.1: runs of letters seen before."""
    packed = bytes.fromhex(
        "2d0000002b0000004c5a4675f1c5c7a703000a007263706731323542320af32068656c090020627705b06c647d0a800fa0"
    )
    found = open_tnef(outlook.tnef(outlook.rtf_body(packed)))
    assert found.bodies["1"] == b"{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n"


def test_hostile_containers_end() -> None:
    whole = outlook.tnef(outlook.html_body("x"), outlook.file("a.txt", b"abc" * 100))
    dice = random.Random(7)
    for _ in range(300):
        data = bytearray(whole)
        for _ in range(8):
            data[dice.randrange(6, len(data))] ^= dice.randrange(1, 256)
        try:
            open_tnef(bytes(data))
        except ValueError:
            continue
    huge = outlook.item("data", b"")[:5] + b"\xff\xff\xff\xff"
    with pytest.raises(ValueError, match="empty"):
        open_tnef(outlook.tnef(huge))


@pytest.mark.parametrize("kind", ["application/pkcs7-mime", "application/ms-tnef"])
@pytest.mark.parametrize("data", [b"\x78\x9f\x3e\x22", b"\x30\x80" * 50])
def test_nonsense_is_refused_with_one_error(kind: str, data: bytes) -> None:
    if kind == "application/ms-tnef" and data.startswith(b"\x30"):
        return
    with pytest.raises(Unreadable):
        run(data, kind)


def test_signed_content_is_taken_out() -> None:
    bob = signing.identity(signing.authority())
    found = run(signing.enveloping(signing.entity(), bob), "application/pkcs7-mime")
    assert found.facts["signature"]["result"] == "unknown"
    assert b"the ferry" in found.bodies["1"]
