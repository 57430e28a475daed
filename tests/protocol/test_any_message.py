"""Whatever a message is made of: its structure, what is chosen of it and its text are found, and nothing is lost."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from tests.damage import KINDS, damage
from tests.protocol.message_tree import read_message
from webmail.protocol import content, text
from webmail.protocol.html import document, html_to_text, text_to_html, wash
from webmail.protocol.types import Part

TYPES = st.sampled_from(
    ["text/plain", "text/html", "text/plain; format=flowed", "text/html; charset=utf-7", "text/calendar", "image/png",
     "application/ms-tnef", "application/pdf; name*=utf-8''a%00b", "message/delivery-status", "", "x", "text/x-odd"]
)  # fmt: skip
DISPOSITIONS = st.sampled_from(["", "inline", "attachment", 'attachment; filename="../a\x00.txt"', "odd; x"])
KINDS_OF_MULTIPART = st.sampled_from(
    ["mixed", "alternative", "related", "signed", "encrypted", "digest", "report", "x"]
)
BODIES = st.sampled_from(
    ["", "\r\n", "Hello", "<p>Hello<script>pwn()</script>", "> a\r\n>> b", "=3D=", "begin 644 a\r\n"]
)
ENCODINGS = st.sampled_from(["7bit", "base64", "quoted-printable", "x-uuencode", "odd"])


def leaf(kind: str, disposition: str, encoding: str, body: str) -> str:
    return (
        f"Content-Type: {kind}\r\nContent-Disposition: {disposition}\r\nContent-Transfer-Encoding: {encoding}\r\n"
        f"Content-ID: <{len(body)}@demo.test>\r\n\r\n{body}\r\n"
    )


def multipart(kind: str, parts: list[str]) -> str:
    mark = f"=_{sum(map(len, parts))}"
    inside = "".join(f"--{mark}\r\n{part}" for part in parts)
    return f'Content-Type: multipart/{kind}; boundary="{mark}"\r\n\r\n{inside}--{mark}--\r\n'


def attached(message: str) -> str:
    return f"Content-Type: message/rfc822\r\n\r\nSubject: Inside\r\n{message}"


MESSAGES = st.recursive(
    st.builds(leaf, TYPES, DISPOSITIONS, ENCODINGS, BODIES),
    lambda parts: st.builds(multipart, KINDS_OF_MULTIPART, st.lists(parts, max_size=4)) | st.builds(attached, parts),
    max_leaves=12,
)


@given(MESSAGES)
def test_any_structure(message: str) -> None:
    tree = read(f"Subject: Any\r\nFrom: bob@demo.test\r\n{message}".encode())
    packed = content.pack(tree)
    assert not packed or content.pack(content.unpack(packed)) == packed


@given(st.integers(0, 100_000))
def test_any_damage(number: int) -> None:
    read(damage(number)[1])


@given(MESSAGES, st.sampled_from(KINDS), st.integers(0, 1000))
def test_any_structure_damaged(message: str, kind: object, seed: int) -> None:
    assert callable(kind)
    read(kind(random.Random(seed), message.encode())[:200_000] or b"x")


def read(raw: bytes) -> Part:
    """From octets to what a person reads; gives the tree."""
    tree = read_message(raw)
    text.envelope(tree.header)
    chosen = content.choose(tree.structure)
    shown = [chosen.html] if chosen.html else list(chosen.text)
    for part in shown:
        # The library has no body where a multipart has no parts.
        octets = text.decode_transfer(tree.bodies.get(part.section, b""), part.encoding)
        words = text.decode_body(octets, part.type, part.charset)
        if part.type == "text/html":
            washed = wash(words, images={})
            assert "<script" not in document(washed)
            html_to_text(words)
        else:
            assert "<script" not in text_to_html(words)
    listed = {item.section for item in (*chosen.attachments, *chosen.inline)}
    for attachment in chosen.attachments:
        assert attachment.name.isprintable()
        assert "/" not in attachment.name
    for part in tree.structure.walk() if sum(1 for _ in tree.structure.walk()) < 150 else ():
        is_file = part.disposition == "attachment" and part.filename and not part.type.startswith("multipart/")
        if is_file and part.section.count(".") < 2 and part not in shown:
            assert part.section in listed or _below_a_message(tree.structure, part.section)
    return tree.structure


def _below_a_message(root: Part, section: str) -> bool:
    """Whether the part is inside a message that is listed as a whole."""
    return any(
        part.type == "message/rfc822" and section.startswith(f"{part.section}.") and part.section != section
        for part in root.walk()
    )
