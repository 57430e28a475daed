"""Each odd message of tests/corpus, read as far as a person sees it.

The facts beside each message: subject, senders, recipients, date, something its text contains, and the names of what is
attached. A new oddity is a new pair of files, named after it.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.protocol.message_tree import read_message
from webmail.protocol import content, text
from webmail.protocol.html import html_to_text, text_to_html, wash

CORPUS = Path(__file__).parent.parent / "corpus"


@pytest.mark.parametrize("path", sorted(CORPUS.glob("*.eml")), ids=lambda path: path.stem)
def test_odd_mail_is_read(path: Path) -> None:
    facts = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    tree = read_message(path.read_bytes())
    envelope = text.envelope(tree.header)
    assert envelope.subject == facts["subject"]
    assert [[found.name, found.address] for found in envelope.from_] == facts["from"]
    assert [[found.name, found.address] for found in envelope.to] == facts["to"]
    assert (envelope.date.isoformat() if envelope.date else None) == facts["date"]

    chosen = content.choose(tree.structure)
    if chosen.html is not None:
        source = tree.text(chosen.html)
        washed = wash(source, images={image.content_id: f"/part/{image.section}" for image in chosen.inline})
        assert "pwn" not in washed.html
        shown = html_to_text(source)
    else:
        shown = "\n".join(map(tree.text, chosen.text))
        assert text_to_html(shown)
    assert facts["text"] in shown
    assert [attachment.name for attachment in chosen.attachments] == facts["attachments"]
    assert content.unpack(content.pack(tree.structure)) == tree.structure


def test_every_message_has_its_facts() -> None:
    messages = {path.stem for path in CORPUS.glob("*.eml")}
    assert messages == {path.stem for path in CORPUS.glob("*.json")}
    assert len(messages) >= 60
