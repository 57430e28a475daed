"""Looking at attachments: what they are, small pictures for their cards, large ones and pages and text to look at.

The room's one law: not one octet of an attachment reaches a page. Pictures are drawn anew in a child process
(`protocol.bounded`) and kept, sealed, in the body cache; text leaves as `str`, which the template escapes.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from webmail.models import Message
from webmail.protocol import bounded, papers, sniffing, text
from webmail.protocol.errors import Busy, Unreadable
from webmail.protocol.opened import MARK
from webmail.protocol.raster import raster_type
from webmail.protocol.types import Attachment

from . import attachments, bodies, enclosed, pools, reading
from .attachments import Facts, Known
from .fetching import NotThere, mailbox_of
from .listed import listed

MOST_FILES = 60  # of a message that are looked into
MOST_THUMBNAILS = 24
LARGEST = 25 * 2**20  # encoded octets of what is fetched to be drawn (security §5.5)
TEXT_OCTETS = 200_000  # decoded octets of a text that are shown

_HEAD = sniffing.HEAD * 3 // 2  # encoded octets that hold the decoded head
_WAIT = 20.0  # seconds for a turn
# A picture on its way to the child is in memory twice, so few are at once.
_turns = threading.BoundedSemaphore(bounded.AT_ONCE)


@dataclass(frozen=True, slots=True)
class Preview:
    """One attachment to look at: `pages` pictures of it, or its text; or a sentence why there is neither.

    Attributes:
        kind: "image", "paper", "text" or "". more: pages beyond those that are shown.
        cut: the text goes on.
    """

    kind: str
    pages: int = 0
    more: int = 0
    text: str = ""
    cut: bool = False
    problem: str = ""


def prepare(message: Message) -> None:
    """Learn what the attachments of a message are and draw their thumbnails; what is there already is left.

    For a worker: it takes as long as it takes. What was found is kept step by step, so a page shows it as it comes.

    Raises:
        ProtocolError: the server can't be asked now.
    """
    if attachments.known_of(message).done:
        return
    items = listed(message).files[:MOST_FILES]
    files = _facts(message, items)
    attachments.keep(message, Known(files, False))
    drawn = 0
    for item in items:
        facts = files.get(item.section)
        if facts is None or not _thumbnail_work(facts.type) or drawn >= MOST_THUMBNAILS:
            continue
        with _turn(), suppress(Unreadable, NotThere):
            data = _whole(message, item)
            files[item.section] = Facts(facts.type, len(data))
            _keep_picture(message, _thumbnail_name(item.section), _small(data, facts.type))
            files[item.section] = Facts(facts.type, len(data), thumbnail=True)
            drawn += 1
        attachments.keep(message, Known(files, False))
    attachments.keep(message, Known(files, True))


def thumbnail(message: Message, section: str) -> bytes:
    """The small picture of an attachment; drawn now where it isn't kept any more.

    Raises:
        NotThere: no such attachment, or none that can be drawn. ProtocolError: it can't be read.
    """
    return _picture(message, section, _thumbnail_name(section), _small)


def picture(message: Message, section: str, page: int) -> bytes:
    """An image attachment to look at (page 1), or a page of a PDF.

    Raises:
        NotThere: no such attachment or page. Unreadable: with a sentence. ProtocolError: it can't be read.
    """

    def draw(data: bytes, type_: str) -> bytes:
        if attachments.preview_kind(type_) == "image":
            if page != 1:
                raise NotThere
            return bounded.run("webmail.protocol.pictures:large", data)
        return _draw_pages(message, section, data, page)

    if not 1 <= page <= papers.MOST_PAGES:
        raise NotThere
    return _picture(message, section, _page_name(section, page), draw)


def preview(message: Message, item: Attachment, kind: str) -> Preview:
    """Everything that the page of one attachment shows, drawn as far as it must be known whether it can be.

    Args:
        kind: of its card.

    Raises:
        ProtocolError: it can't be read.
    """
    try:
        if kind == "text":
            words, cut = _text(message, item)
            return Preview(kind, text=words, cut=cut)
        if kind == "image":
            picture(message, item.section, 1)
            return Preview(kind, pages=1)
        if kind == "paper":
            picture(message, item.section, 1)
            count = _count(message, item.section)
            return Preview(kind, pages=min(count, papers.MOST_PAGES), more=max(0, count - papers.MOST_PAGES))
    except Unreadable as error:
        return Preview("", problem=error.sentence)
    except NotThere:
        return Preview("", problem="This file is too large to be looked at here. It can be downloaded.")
    return Preview("", problem="There is no preview for this kind of file. It can be downloaded.")


def _facts(message: Message, items: Sequence[Attachment]) -> dict[str, Facts]:
    """Type by content and size of each, from their first octets, all in one round trip."""
    heads = _beginnings(message, {item.section: _HEAD for item in items})
    return {item.section: _fact(item, heads[item.section]) for item in items}


def _beginnings(message: Message, wanted: Mapping[str, int | None]) -> dict[str, bytes]:
    """The first octets of parts, still encoded. They aren't kept: under their sections whole parts are."""
    found = {}
    outside = {section: octets for section, octets in wanted.items() if MARK not in section}
    if outside:
        mailbox = mailbox_of(message)
        with pools.lend(message.account, mailbox.name) as imap:
            found = imap.sections(mailbox.name, mailbox.uidvalidity, message.server_uid, outside)
    return found | enclosed.read_sections(message, {each: wanted[each] for each in wanted if MARK in each})


def _fact(item: Attachment, head: bytes) -> Facts:
    decoded = text.decode_transfer(head, item.encoding)
    is_whole = len(head) < _HEAD
    return Facts(sniffing.media_type(decoded), len(decoded) if is_whole else _size(item, head))


def _size(item: Attachment, head: bytes) -> int:
    """Decoded octets. The length of its lines, which base64 has all alike, makes the estimate exact to two octets."""
    line = head.find(b"\n") + 1
    if item.encoding != "base64" or not 4 < line <= 1000:
        return item.size
    end = 2 if head[line - 2 : line] == b"\r\n" else 1
    lines = item.encoded_size // line
    return (item.encoded_size - lines * end) // 4 * 3


def _thumbnail_work(type_: str) -> str:
    kind = attachments.preview_kind(type_)
    if kind == "image":
        return "webmail.protocol.pictures:thumbnail"
    return "webmail.protocol.papers:first_page" if kind == "paper" else ""


def _small(data: bytes, type_: str) -> bytes:
    return bounded.run(_thumbnail_work(type_), data)


def _picture(message: Message, section: str, name: str, draw: Callable[[bytes, str], bytes]) -> bytes:
    """A kept picture; else the attachment is fetched and drawn, and the result kept."""
    kept = bodies.get(message, [name]).get(name)
    if kept is not None:
        return kept
    item = enclosed.find(message, section)
    with _turn():
        kept = bodies.get(message, [name]).get(name)  # drawn meanwhile?
        if kept is not None:
            return kept
        data = _whole(message, item)
        type_ = sniffing.media_type(data[: sniffing.HEAD])
        if not _thumbnail_work(type_):
            raise Unreadable("This file is not what its name says, so it isn't drawn here. It can be downloaded.")
        return _keep_picture(message, name, draw(data, type_))


def _draw_pages(message: Message, section: str, data: bytes, page: int) -> bytes:
    """Draw `page` and some after it: the paper is here now, and they will be wanted next."""
    answer = bounded.run("webmail.protocol.papers:pages", data, argument=str(page))
    try:
        count, drawn = papers.read_pages(answer)
    except ValueError as error:
        raise Unreadable from error
    for number, each in enumerate(drawn, page):
        _keep_picture(message, _page_name(section, number), each)
    bodies.put(message, {_count_name(section): str(count).encode()})
    return drawn[0]


def _count(message: Message, section: str) -> int:
    """Pages of a paper of which some were drawn."""
    kept = bodies.get(message, [_count_name(section)]).get(_count_name(section), b"")
    if kept.isdigit():
        return int(kept)
    data = _whole(message, enclosed.find(message, section))  # there is no cache
    count, _ = papers.read_pages(bounded.run("webmail.protocol.papers:pages", data, argument="1"))
    return count


def _keep_picture(message: Message, name: str, drawn: bytes) -> bytes:
    """Keep and return a picture. What came from the child is as untrusted as what went in."""
    if raster_type(drawn) != "image/webp":
        raise Unreadable
    bodies.put(message, {name: drawn})
    return drawn


def _whole(message: Message, item: Attachment) -> bytes:
    """All of an attachment, decoded.

    Raises:
        NotThere: it is larger than LARGEST.
    """
    if item.encoded_size > LARGEST:
        raise NotThere
    pieces, octets = [], 0
    _, chunks = reading.attachment(message, item.section)
    for chunk in chunks:
        octets += len(chunk)
        if octets > LARGEST:
            raise NotThere
        pieces.append(chunk)
    return b"".join(pieces)


def _text(message: Message, item: Attachment) -> tuple[str, bool]:
    """The beginning of a text attachment, and whether it goes on."""
    octets = _beginnings(message, {item.section: TEXT_OCTETS * 3 // 2})[item.section]
    data = text.decode_transfer(octets, item.encoding)
    return text.decode_text(data[:TEXT_OCTETS], item.charset), len(data) > TEXT_OCTETS


@contextmanager
def _turn() -> Iterator[None]:
    if not _turns.acquire(timeout=_WAIT):
        raise Busy("The server is busy with other pictures. Try again in a moment.")
    try:
        yield
    finally:
        _turns.release()


def _thumbnail_name(section: str) -> str:
    return f"thumbnail:{section}"


def _page_name(section: str, page: int) -> str:
    return f"page:{section}:{page}"


def _count_name(section: str) -> str:
    return f"pages:{section}"
