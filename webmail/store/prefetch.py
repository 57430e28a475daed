"""What of messages is read ahead: the first words for lists, so that nobody waits for them."""

from __future__ import annotations

from webmail.models import Mailbox
from webmail.protocol import content, html, text

from . import index, pools

PREVIEW_BYTES = 2048


def read_previews(mailbox: Mailbox, limit: int) -> int:
    """Read the first words of the newest `limit` messages that have none yet. Return how many were read."""
    wanted: dict[tuple[str, str, str, str], list[int]] = {}
    newest = mailbox.messages.filter(preview="").exclude(structure="").order_by("-date", "-uid")
    for message in newest.only("mailbox", "uid", "structure")[:limit]:
        chosen = content.choose(content.unpack(message.structure))
        part = chosen.alternative or (chosen.text[0] if chosen.text else chosen.html)
        if part is not None:
            key = (part.section, part.type, part.encoding, part.charset)
            wanted.setdefault(key, []).append(message.uid)
    if not wanted:
        return 0
    previews = {}
    with pools.lend(mailbox.account, mailbox.name) as imap:
        for (section, kind, encoding, charset), uids in wanted.items():
            found = imap.peek(mailbox.name, mailbox.uidvalidity, uids, section, PREVIEW_BYTES)
            for uid, data in found.items():
                words = text.decode_body(text.decode_transfer(data, encoding), kind, charset)
                previews[uid] = text.preview(html.html_to_text(words) if kind == "text/html" else words)
    index.apply_previews(mailbox, previews)
    return len(previews)
