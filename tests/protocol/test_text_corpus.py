"""Each odd message of tests/corpus, read as far as a person sees it.

The same mail the whole way through a server: tests/message/test_corpus.py. The facts: tests/corpus/README.md.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.odd_mail import CORPUS, MAILS, facts_of
from tests.protocol.message_tree import read_message
from webmail.protocol import content, text
from webmail.protocol.html import html_to_text, text_to_html, wash

# Names of messages that the standard library parses unlike a server, with the reason.
_NO_PARTS = "the library makes a text of a multipart whose parts it doesn't find, and a server an empty one"
SEEN_THROUGH_A_SERVER_ONLY: dict[str, str] = {
    "boundary-never-there": _NO_PARTS,
    "boundary-not-given": _NO_PARTS,
    "boundary-used-twice": "the library gives an inner multipart the parts behind the outer one's delimiter",
    "charset-with-language": "the library raises on a charset that has a language",
    "flowed-quotes-and-stuffing": "lines flow when they are written as HTML",
    "flowed-with-delsp": "lines flow when they are written as HTML",
    "mailbox-file-mark": "the mark goes when the text is written as HTML",
    "quoted-printable-with-raw-octets": "the library loses octets above ASCII in quoted-printable",
    "multipart-encoded-as-a-whole": "a server knows no encoding of a multipart",
    "multipart-of-multiparts-without-parts": _NO_PARTS,
    "multipart-sixty-levels-deep": "it is too deep for a row and fetched at opening",
    "multipart-three-hundred-parts": "it is too long for a row and fetched at opening",
    "multipart-without-parts": _NO_PARTS,
    "svg-as-an-inline-image": "that it is not shown is known after the wash",
    "related-image-nobody-shows": "that nobody shows it is known after the wash",
    "related-with-a-root-by-name": "the library's tree has no parameters",
    "smime-with-its-content": "a container is opened by the page",
    "smime-with-html-and-a-file": "a container is opened by the page",
    "smime-below-other-words": "a container is opened by the page",
    "smime-that-does-not-say-so": "a container is opened by the page",
    "tnef-with-files": "a container is opened by the page",
    "tnef-with-the-text": "a container is opened by the page",
    "tnef-cut-off": "a container is opened by the page",
    "tnef-with-rtf": "a container is opened by the page",
    "tnef-with-an-item-inside": "a container is opened by the page",
    "tnef-called-a-file": "a container is opened by the page",
    "tnef-with-hostile-names": "a container is opened by the page",
}


@pytest.mark.parametrize(
    "path", [path for path in MAILS if path.stem not in SEEN_THROUGH_A_SERVER_ONLY], ids=lambda path: path.stem
)
def test_odd_mail_is_read(path: Path) -> None:
    facts = facts_of(path)
    tree = read_message(path.read_bytes())
    envelope = text.envelope(tree.header, tree.structure.text_charset)
    assert envelope.subject == facts.subject
    assert [[found.name, found.address] for found in envelope.from_] == facts.senders
    assert [[found.name, found.address] for found in envelope.to] == facts.to
    assert envelope.date == facts.date

    chosen = content.choose(tree.structure)
    if chosen.html is not None:
        source = tree.text(chosen.html)
        washed = wash(source, images={image.content_id: f"/part/{image.section}" for image in chosen.inline})
        assert "pwn" not in washed.html
        shown = html_to_text(source)
    else:
        shown = "\n".join(map(tree.text, chosen.text))
        assert text_to_html(shown)
    words = " ".join(shown.split())
    assert all(" ".join(expected.split()) in words for expected in facts.text)
    assert not any(unexpected in words for unexpected in facts.absent)
    messages = {part.section for part in chosen.messages}
    files = [attachment for attachment in chosen.attachments if attachment.section not in messages]
    nameless = {part.section for part in chosen.cards if not part.filename}  # not listed where their card is shown
    listed = [[file.name for file in files], [file.name for file in files if file.section not in nameless]]
    assert facts.attachments in listed
    assert len(messages) == len(facts.messages)
    assert content.unpack(content.pack(tree.structure)) == tree.structure


def test_every_message_has_its_facts() -> None:
    messages = {path.stem for path in CORPUS.glob("*.eml")}
    assert messages == {path.stem for path in CORPUS.glob("*.json")}
    assert len(messages) >= 370
