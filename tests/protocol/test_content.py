"""What is shown of a message and what is listed, by the shape of its structure."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webmail.protocol.content import choose, has_attachment, pack, unpack
from webmail.protocol.types import Content, Part


def part(type_: str, *children: Part, size: int = 100, **more: str) -> Part:
    """A part; sections are filled in by `numbered`."""
    size = 0 if type_.startswith("multipart/") else size
    return replace(Part("", type_, size=size, children=children), **more)


def numbered(root: Part) -> Part:
    """The tree with the sections a server gives it."""
    return unpack(pack(root))


PLAIN = part("text/plain", charset="utf-8")
HTML = part("text/html", encoding="quoted-printable")
PDF = part("application/pdf", encoding="base64", disposition="attachment", filename="plan.pdf", size=7_800)
LOGO = part("image/png", encoding="base64", content_id="logo@demo.test", disposition="inline")
PHOTO = part("image/jpeg", encoding="base64", disposition="attachment", filename="ship.jpg")
SIGNATURE = part("application/pgp-signature", filename="signature.asc")
BOTH = part("multipart/alternative", PLAIN, HTML)


def shown(content: Content) -> str:
    """Sections of what is shown."""
    return content.html.section if content.html else "+".join(part.section for part in content.text)


@pytest.mark.parametrize(
    ("root", "expected_type", "sections", "files", "marked"),
    [
        (PLAIN, "plain", "1", [], False),
        (HTML, "html", "1", [], False),
        (BOTH, "html", "2", [], False),
        (part("multipart/alternative", HTML, PLAIN), "html", "1", [], False),
        (part("multipart/mixed", PLAIN, PDF), "plain", "1", ["plan.pdf"], True),
        (part("multipart/mixed", BOTH, PDF, PHOTO), "html", "1.2", ["plan.pdf", "ship.jpg"], True),
        (part("multipart/related", HTML, LOGO), "html", "1", [], False),
        (part("multipart/related", LOGO, HTML), "html", "2", [], False),
        (part("multipart/alternative", PLAIN, part("multipart/related", HTML, LOGO)), "html", "2.1", [], False),
        (part("multipart/related", BOTH, LOGO, PDF), "html", "1.2", ["plan.pdf"], True),
        (part("multipart/alternative", PLAIN, part("multipart/mixed", HTML, PDF, HTML)), "html", "2.1",
         ["plan.pdf"], True),
        (part("multipart/alternative", part("multipart/mixed", PLAIN, PDF), HTML), "html", "2", ["plan.pdf"], True),
        (part("multipart/mixed", PLAIN, PLAIN), "plain", "1+2", [], False),
        (part("multipart/mixed", PLAIN, PDF, PLAIN), "plain", "1+3", ["plan.pdf"], True),
        (part("multipart/mixed", HTML, PLAIN), "html", "1", [], False),
        (part("multipart/mixed", PLAIN, part("text/x-patch", disposition="inline", filename="fix.patch")), "plain",
         "1+2", ["fix.patch"], True),
        (part("multipart/mixed", PLAIN, part("text/csv", filename="data.csv")), "plain", "1", ["data.csv"], True),
        (part("multipart/mixed", PLAIN, part("text/plain", disposition="attachment", filename="log.txt")), "plain", "1",
         ["log.txt"], True),
        (part("multipart/mixed", PLAIN, part("text/plain", disposition="inline", size=1_000_000)), "plain", "1",
         ["text-2.txt"], False),
        (part("multipart/mixed", part("text/plain", size=2), HTML), "html", "2", [], False),
        (part("multipart/signed", PLAIN, SIGNATURE), "plain", "1", ["signature.asc"], False),
        (part("multipart/signed", part("multipart/mixed", BOTH, PDF), SIGNATURE), "html", "1.1.2",
         ["plan.pdf", "signature.asc"], True),
        (part("multipart/mixed", PLAIN, part("message/rfc822", BOTH)), "plain", "1", ["message.eml"], True),
        (part("message/rfc822", PLAIN), "none", "", ["message.eml"], True),
        (part("multipart/digest", part("message/rfc822", PLAIN), part("message/rfc822", PLAIN)), "none", "",
         ["message.eml", "message.eml"], True),
        (part("multipart/report", PLAIN, part("message/delivery-status"), part("text/rfc822-headers")), "plain", "1",
         ["delivery-status.txt", "headers.txt"], False),
        (part("multipart/alternative", PLAIN, HTML, part("text/calendar")), "html", "2", ["invite.ics"], False),
        (part("multipart/mixed", BOTH, part("text/calendar", filename="a.ics", disposition="attachment")), "html",
         "1.2", ["a.ics"], True),
        (part("multipart/alternative", PLAIN, part("text/x-amp-html"), HTML), "html", "3", [], False),
        (part("multipart/alternative", PLAIN, PDF), "plain", "1", ["plan.pdf"], True),
        (part("multipart/mixed", PLAIN, part("application/ms-tnef", filename="winmail.dat")), "plain", "1",
         ["winmail.dat"], True),
        (part("multipart/mixed", PLAIN, LOGO), "plain", "1", ["image-2.png"], True),
        (part("multipart/mixed", HTML, LOGO), "html", "1", [], False),
        (part("multipart/mixed", HTML, part("image/png", content_id="f_1", disposition="attachment", filename="a.png")),
         "html", "1", ["a.png"], True),
        (PDF, "none", "", ["plan.pdf"], True),
        (part("text/plain", disposition="attachment"), "plain", "1", [], False),
        (part("text/plain", disposition="attachment", filename="log.txt"), "none", "", ["log.txt"], True),
        (part("text/csv"), "plain", "1", [], False),
        (part("multipart/mixed"), "plain", "TEXT", [], False),
        (part("multipart/mixed", part("text/plain", size=0)), "plain", "TEXT", [], False),
        (part("multipart/mixed", part("multipart/mixed"), PLAIN), "plain", "2", [], False),
        (part("multipart/x-unknown", PLAIN, PDF), "plain", "1", ["plan.pdf"], True),
        (part("multipart/mixed", part("application/octet-stream", filename="../../x\u202e.exe")), "none", "", ["x.exe"],
         True),
    ],
)  # fmt: skip
def test_shapes(root: Part, expected_type: str, sections: str, files: list[str], marked: bool) -> None:
    structure = numbered(root)
    content = choose(structure)
    kind = "html" if content.html else "plain" if content.text else "none"
    assert (kind, shown(content)) == (expected_type, sections)
    assert [attachment.name for attachment in content.attachments] == files
    assert has_attachment(structure) is marked


PICTURE = part("image/jpeg", encoding="base64", disposition="inline", filename="ship.jpg")


@pytest.mark.parametrize(
    ("root", "sequence"),
    [
        (part("multipart/mixed", HTML, PLAIN), "1+2"),
        (part("multipart/mixed", BOTH, PLAIN), "1.2+2"),
        (part("multipart/mixed", PLAIN, HTML), "1+2"),
        (part("multipart/mixed", PLAIN, PICTURE, PLAIN), "1+2+3"),
        (part("multipart/mixed", PLAIN, PHOTO, PLAIN), "1+3"),
        (part("multipart/mixed", HTML, PICTURE, HTML), "1+2+3"),
        (part("multipart/related", HTML, PICTURE), "1"),
        (part("multipart/mixed", HTML, LOGO, HTML), "1+3"),
        (part("multipart/mixed", PLAIN, LOGO, PLAIN), "1+2+3"),
        (part("multipart/mixed", *([PLAIN] * 30)), "+".join(map(str, range(1, 21)))),
        (part("multipart/mixed", HTML, part("text/html", filename="report.html", disposition="inline")), "1"),
    ],
)
def test_texts_and_pictures_stand_in_their_order(root: Part, sequence: str) -> None:
    content = choose(numbered(root))
    assert "+".join(found.section for found in content.sequence) == sequence
    listed = {item.section for item in (*content.attachments, *content.inline)}
    leaves = {leaf.section for leaf in numbered(root).walk() if not leaf.children}
    shown_there = {found.section for found in content.sequence}
    alternative = {content.alternative.section} if content.alternative else set()
    assert leaves == listed | shown_there | alternative  # nothing is lost


def test_a_related_root_is_found_by_its_name() -> None:
    other = part("text/html", content_id="other@x")
    root = part("text/html", content_id="Root@x")
    content = choose(numbered(part("multipart/related", other, root, params=(("start", "<root@x>"),))))
    assert content.sequence[0].section == "2"


def test_what_stands_as_a_card_is_listed_too() -> None:
    invite = part("text/calendar")
    forwarded = part("message/rfc822", PLAIN)
    encoded = part("message/rfc822", encoding="base64")
    content = choose(numbered(part("multipart/mixed", PLAIN, invite, forwarded, encoded)))
    assert [found.section for found in content.cards] == ["2"]
    assert [found.section for found in content.messages] == ["3", "4"]
    assert [found.section for found in content.attachments] == ["2", "3", "4"]
    huge = part("text/calendar", size=1_000_000)
    assert choose(numbered(part("multipart/mixed", huge))).cards == ()


def test_containers() -> None:
    tnef = part("application/ms-tnef", filename="winmail.dat")
    content = choose(numbered(part("multipart/mixed", PLAIN, tnef, tnef)))
    assert content.opened is not None
    assert (content.opened.section, [found.section for found in content.closed]) == ("2", ["3"])
    large = choose(numbered(part("multipart/mixed", PLAIN, replace(tnef, size=3_000_000))))
    assert (large.opened, [found.section for found in large.closed]) == (None, ["2"])
    sealed = part("application/pkcs7-mime", params=(("smime-type", "enveloped-data"),))
    assert choose(numbered(sealed)).opened is None
    assert "encrypted" in choose(numbered(sealed)).note


def test_the_plain_version_stays_at_hand() -> None:
    content = choose(numbered(part("multipart/mixed", BOTH, PDF)))
    assert content.alternative is not None
    assert content.alternative.section == "1.1"
    assert choose(numbered(part("multipart/mixed", HTML, BOTH))).alternative is None
    assert choose(numbered(PLAIN)).alternative is None


def test_inline_images_are_named_by_their_content_id() -> None:
    content = choose(numbered(part("multipart/related", HTML, LOGO, PDF)))
    (logo,) = content.inline
    assert (logo.content_id, logo.section, logo.inline, logo.name) == ("logo@demo.test", "2", True, "image-2.png")
    assert content.attachments[0].size == 7_800 * 57 // 78


def test_what_cannot_be_shown_is_said() -> None:
    sealed = part("multipart/encrypted", part("application/pgp-encrypted"), part("application/octet-stream"))
    content = choose(numbered(sealed))
    assert "encrypted" in content.note
    assert len(content.attachments) == 2
    assert "S/MIME" in choose(numbered(part("application/pkcs7-mime", filename="smime.p7m"))).note
    assert choose(numbered(BOTH)).note == ""


def test_huge_structures_are_bounded() -> None:
    wide = part("multipart/mixed", *([PDF] * 100_000))
    assert len(choose(wide).attachments) == 200
    assert pack(wide) == ""
    deep = PLAIN
    for _ in range(1_000):
        deep = part("multipart/mixed", deep)
    assert choose(deep) == Content(note=choose(wide).note)
    assert "more parts" in choose(deep).note
    assert pack(deep) == ""
    nested = PLAIN
    for _ in range(40):
        nested = part("multipart/alternative", nested, HTML)
    assert choose(nested).html is not None


@pytest.mark.parametrize(
    ("root", "packed"),
    [
        (part("text/plain", size=1234, encoding="quoted-printable", charset="utf-8"), '["p","q",1234,"u"]'),
        (part("text/plain", size=5), '["p","7",5]'),
        (BOTH, '["A",["p","7",100,"u"],["h","q",100]]'),
        (PDF, '["f","b",7800,"",{"d":"a","f":"plan.pdf"}]'),
        (part("message/rfc822", PLAIN), '["m","7",100,"",{"c":["p","7",100,"u"]}]'),
    ],
)
def test_packing(root: Part, packed: str) -> None:
    assert pack(root) == packed
    assert pack(unpack(packed)) == packed


def test_sections_are_numbered_as_fetch_wants_them() -> None:
    forwarded = part("message/rfc822", part("multipart/mixed", PLAIN, part("message/rfc822", PLAIN)))
    sections = [found.section for found in numbered(part("multipart/mixed", BOTH, forwarded)).walk()]
    assert sections == ["", "1", "1.1", "1.2", "2", "2.TEXT", "2.1", "2.2", "2.2.1"]
    assert [found.section for found in numbered(part("message/rfc822", BOTH)).walk()] == ["1", "1.TEXT", "1.1", "1.2"]
    assert numbered(PLAIN).section == "1"


NOT_PACKED = [
    "", "x", "{}", "[]", "null", "1", '"text"', "[[]]", '["M","x"]', '["p",1,2,3,4,5,6]', "[" * 100_000,
    '["p","7",0,"",{"c":5}]',
]  # fmt: skip


@pytest.mark.parametrize("packed", NOT_PACKED)
def test_what_was_not_packed_is_refused(packed: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        unpack(packed)


LEAVES = st.builds(
    Part,
    section=st.just(""),
    type=st.sampled_from(["text/plain", "text/html", "image/png", "application/x-thing", "text/calendar"]),
    encoding=st.sampled_from(["7bit", "base64", "x-odd"]),
    size=st.integers(0, 1 << 40),
    charset=st.sampled_from(["", "utf-8", "koi8-r"]),
    disposition=st.sampled_from(["", "inline", "attachment"]),
    filename=st.text(max_size=20),
    content_id=st.sampled_from(["", "a@b"]),
    params=st.sampled_from([(), (("format", "flowed"),)]),
)
TREES = st.recursive(
    LEAVES,
    lambda children: st.builds(
        lambda type_, found: Part("", type_, children=tuple(found)),
        st.sampled_from(["multipart/mixed", "multipart/alternative", "multipart/related", "multipart/x-odd"]),
        st.lists(children, max_size=4),
    ) | st.builds(lambda child: Part("", "message/rfc822", size=9, children=(child,)), children),
    max_leaves=12,
)  # fmt: skip


@given(TREES)
def test_packing_loses_nothing_and_choosing_neither(root: Part) -> None:
    packed = pack(root)
    if not packed:
        return
    structure = unpack(packed)
    assert pack(structure) == packed
    assert unpack(pack(structure)) == structure
    content = choose(structure)
    sections = [found.section for found in (*content.text, *content.inline, *content.attachments)]
    assert len(set(sections)) >= len(sections) - len(content.text)  # a named text is shown and listed
    has_attachment(structure)
