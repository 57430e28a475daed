"""What of messages is read ahead by workers: the first words for lists, and the texts of the newest unread, so that
opening one waits for no server.

Nothing is marked as read by it (BODY.PEEK). Texts go into the sealed body cache, as if the message had been opened.
"""

from __future__ import annotations

import logging
from datetime import date

import redis
from django.conf import settings
from django.utils import timezone

from webmail.models import Mailbox, Message
from webmail.protocol import content, html, kinds, text
from webmail.protocol.sets import MAX_UID

from . import bodies, index, pools, reading, reports
from .enclosed import HEADER_LIMIT

PREVIEW_BYTES = 2048
NEWEST = 20  # unread messages whose texts are read ahead
TEXT_BYTES = 64 * 1024  # of one part; larger ones wait until they are asked for
_HEADER = "HEADER"  # kept with every message that was read
_DAY = 24 * 3600

_log = logging.getLogger(__name__)


def read_previews(mailbox: Mailbox, limit: int) -> int:
    """Read the first words of the newest `limit` messages that have none yet. Return how many were read.

    Whatever of them is a report about mail that was sent is read whole, and kept beside that mail.
    """
    wanted: dict[tuple[str, str, str, str], list[int]] = {}
    report_keys: list[int] = []
    newest = mailbox.messages.filter(preview=None).exclude(structure="").order_by("-date", "-uid")
    for message in newest.only("mailbox", "uid", "structure")[:limit]:
        chosen = content.choose(content.unpack(message.structure))
        if any(kinds.card_kind(each) in (kinds.DELIVERY, kinds.RECEIPT) for each in chosen.cards):
            report_keys.append(message.pk)
        part = chosen.alternative or (chosen.text[0] if chosen.text else chosen.html)
        if part is not None:
            key = (part.section, part.type, part.encoding, part.charset)
            wanted.setdefault(key, []).append(message.uid)
    if report_keys:
        reports.learn(mailbox, report_keys)
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


def read_texts(mailbox: Mailbox) -> int:
    """Read what opening the newest unread messages will show, each part of TEXT_BYTES at most. Return how many.

    An account gets PREFETCH_BYTES a day, which may be passed by one batch.

    Raises:
        ProtocolError: the server can't be asked now.
    """
    if not settings.PREFETCH_BYTES or mailbox.role in ("junk", "trash"):
        return 0
    unread = mailbox.messages.filter(seen=False, deleted=False, origin=None, uid__lte=MAX_UID).exclude(structure="")
    rows = list(unread.order_by("-date", "-uid")[:NEWEST])
    for row in rows:
        row.mailbox, row.account = mailbox, mailbox.account
    rows = bodies.lacking(rows, _HEADER)
    wanted = {row.uid: shown for row in rows if (shown := _small_sections(row))}
    if not wanted or _spend(mailbox, 0) >= settings.PREFETCH_BYTES:
        return 0
    found = _peek(mailbox, wanted)
    for row in rows:
        # All of a message or nothing: a part that its structure made out to be smaller is not cut.
        if row.uid in wanted and found.get(row.uid, {}).keys() == wanted[row.uid].keys():
            bodies.put(row, found[row.uid])
    _spend(mailbox, sum(len(data) for parts in found.values() for data in parts.values()))
    return len(found)


def _small_sections(message: Message) -> dict[str, int]:
    """The sections of a message with their limits; none where one of them is large."""
    shown = reading.shown_sections(message)
    sizes = {part.section: part.size for part in content.unpack(message.structure).walk()}
    if any(sizes.get(section, 0) > TEXT_BYTES for section in shown):
        return {}
    return {section: HEADER_LIMIT if section == _HEADER else TEXT_BYTES for section in shown}


def _peek(mailbox: Mailbox, wanted: dict[int, dict[str, int]]) -> dict[int, dict[str, bytes]]:
    """These sections by UID: one command for all messages that have a section of this name."""
    by_section: dict[tuple[str, int], list[int]] = {}
    for uid, sections in wanted.items():
        for section, limit in sections.items():
            by_section.setdefault((section, limit), []).append(uid)
    found: dict[int, dict[str, bytes]] = {}
    with pools.lend(mailbox.account, mailbox.name) as imap:
        for (section, limit), uids in by_section.items():
            for uid, data in imap.peek(mailbox.name, mailbox.uidvalidity, uids, section, limit + 1).items():
                if len(data) <= limit or section == _HEADER:
                    found.setdefault(uid, {})[section] = data[:limit]
    return found


def _spend(mailbox: Mailbox, octets: int) -> int:
    """Count octets read ahead for the account; all of today. With Redis away there is no cache to fill."""
    today: date = timezone.now().date()
    key = f"prefetched:{mailbox.account_id}:{today}"
    try:
        with bodies.client.pipeline(transaction=False) as pipe:
            pipe.incrby(key, octets)
            pipe.expire(key, _DAY)
            return int(pipe.execute()[0])
    except redis.RedisError as error:
        _log.warning("what was read ahead could not be counted: %s", error)
        return int(settings.PREFETCH_BYTES)
