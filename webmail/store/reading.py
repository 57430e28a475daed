"""What is inside a message: chosen from its structure, fetched by section in one round trip, and kept.

All of it comes through `_sections`, which asks the cache first and then the server once for everything that is missing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from webmail.models import Mailbox, Message
from webmail.protocol import content, html, text, trackers
from webmail.protocol.errors import NoSuchMessage
from webmail.protocol.raster import raster_type
from webmail.protocol.types import Attachment, Content, Envelope, Part

from . import bodies, pools
from .image_links import ImageLinks

TEXT_LIMIT = 2**20  # octets of one text part that are fetched to be shown (security §5.5)
HEADER_LIMIT = 256 * 1024
INLINE_LIMIT = 10 * 2**20  # octets of an inline image
SOURCE_LIMIT = 512 * 1024  # octets of the source that are shown; all of it can be downloaded
FRAME = "frame-3"  # the name under which a washed document is kept


class NotThere(Exception):
    """The message has no such part."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What the message frame holds.

    Args:
        document: a whole HTML document. remote: the URLs of the remote images of the message, shown or not.
        tracking: those of them that only report that it was opened, which are never shown.
        used: Content-IDs of the images that it shows. cut: whether it was too long or too deep to be shown whole.
        misleading: a sentence for each link that goes elsewhere than its words say.
    """

    document: str
    remote: tuple[str, ...]
    tracking: tuple[str, ...]
    used: tuple[str, ...] = ()
    cut: bool = False
    misleading: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Body:
    """What of a message is shown: its header, and a frame for HTML or pieces of safe HTML for plain text."""

    envelope: Envelope
    content: Content
    frame: Frame | None
    texts: tuple[str, ...]
    header: bytes = b""

    @property
    def attachments(self) -> tuple[Attachment, ...]:
        """What is listed below the message: all that is not shown in it, images that its HTML never refers to too."""
        used = self.frame.used if self.frame else ()
        listed = (*self.content.attachments, *self.content.inline)
        return tuple(item for item in listed if not item.content_id or item.content_id not in used)


def body(message: Message, inline_root: str, links: ImageLinks | None = None) -> Body:
    """Read what of the message is shown; at most one round trip, none where it was read before.

    Args:
        message: with mailbox, account and provider; found through `for_user`.
        inline_root: URL path to which a section is appended for an inline image.
        links: where its remote images are to be had, for somebody who wants to see them; None leaves them out.

    Raises:
        ProtocolError: it was not read before and can't be read now. NoSuchMessage: it is gone from its mailbox.
    """
    shown = content.choose(structure_of(message))
    sections: dict[str, int | None] = {"HEADER": HEADER_LIMIT}
    sections |= {part.section: TEXT_LIMIT for part in ([shown.html] if shown.html else shown.text)}
    frame_name = FRAME if links is None else f"{FRAME}-{links.name}"
    kept = bodies.get(message, [*sections, frame_name])
    frame = _unpack(kept[frame_name]) if frame_name in kept else None
    if frame is not None and shown.html is not None:
        del sections[shown.html.section]
    found = _sections(message, sections, kept)
    if shown.html is not None and frame is None:
        frame = _wash(shown, shown.html, found, inline_root, links)
        bodies.put(message, {frame_name: _pack(frame)})
    return Body(
        envelope=text.envelope(found["HEADER"]),
        content=shown,
        frame=frame,
        texts=tuple(_safe_text(part, found) for part in shown.text),
        header=found["HEADER"],
    )


def attachment(message: Message, section: str) -> tuple[Attachment, Iterator[bytes]]:
    """An attachment and its decoded octets as a stream with flat memory.

    Raises:
        NotThere: no part has this section. ProtocolError: it can't be read; the stream may raise it later too.
    """
    found = _find(message, section)
    return found, _decoded(message, found)


def inline_image(message: Message, section: str) -> tuple[str, bytes]:
    """The type and octets of a raster image inside the message.

    Raises:
        NotThere: no such part, not a raster image by its own first octets, or over INLINE_LIMIT.
    """
    found = _find(message, section)
    if found.size > INLINE_LIMIT:
        raise NotThere
    data = text.decode_transfer(_sections(message, {section: INLINE_LIMIT})[section], found.encoding)
    kind = raster_type(data)
    if not kind:
        raise NotThere
    return kind, data


def source(message: Message) -> tuple[str, bool]:
    """The first SOURCE_LIMIT octets of the message as text, and whether that is all of it."""
    data = _sections(message, {"": SOURCE_LIMIT})[""]
    return text.decode_text(data, ""), len(data) < SOURCE_LIMIT


def raw(message: Message) -> Iterator[bytes]:
    """The message's octets as the server keeps them, as a stream with flat memory."""
    return _streamed(message, "")


def structure_of(message: Message) -> Part:
    """The MIME tree, from the index; from the server where it was too large for a row."""
    if message.structure:
        return content.unpack(message.structure)
    mailbox = mailbox_of(message)
    with pools.lend(message.account, mailbox.name) as imap:
        structure = imap.structure(mailbox.name, mailbox.uidvalidity, message.uid).structure
    return structure or Part(section="1", type="text/plain")


def mailbox_of(message: Message) -> Mailbox:
    """The mailbox the message lies in.

    Raises:
        NoSuchMessage: it vanished from there.
    """
    if message.mailbox is None:
        raise NoSuchMessage
    return message.mailbox


def _sections(
    message: Message, sections: Mapping[str, int | None], kept: Mapping[str, bytes] | None = None
) -> dict[str, bytes]:
    """These sections, from the cache or, all that is missing in one round trip, from the server."""
    found = dict(bodies.get(message, list(sections)) if kept is None else kept)
    missing = {section: limit for section, limit in sections.items() if section not in found}
    if missing:
        mailbox = mailbox_of(message)
        with pools.lend(message.account, mailbox.name) as imap:
            fetched = imap.sections(mailbox.name, mailbox.uidvalidity, message.uid, missing)
        bodies.put(message, fetched)
        found |= fetched
    return {section: found.get(section, b"") for section in sections}


def _wash(shown: Content, part: Part, found: Mapping[str, bytes], inline_root: str, links: ImageLinks | None) -> Frame:
    # Some mailers mark the images of their HTML as attachments.
    named = (item for item in (*shown.inline, *shown.attachments) if item.content_id)
    images = {item.content_id: f"{inline_root}{item.section}/" for item in named}
    source = _decode(part, found)
    reports = trackers.find(source)
    washed = html.wash(source, images=images, proxied=None if links is None else links.but(reports))
    tracking = tuple(url for url in washed.remote if url in reports)
    return Frame(html.document(washed), washed.remote, tracking, washed.used, washed.cut, washed.misleading)


def _pack(frame: Frame) -> bytes:
    facts = json.dumps([frame.remote, frame.tracking, frame.used, frame.cut, frame.misleading])
    return f"{facts}\n{frame.document}".encode()


def _unpack(kept: bytes) -> Frame:
    facts, _, document = kept.decode().partition("\n")
    remote, tracking, used, cut, misleading = json.loads(facts)
    return Frame(document, tuple(remote), tuple(tracking), tuple(used), cut, tuple(misleading))


def _safe_text(part: Part, found: Mapping[str, bytes]) -> str:
    params = dict(part.params)
    return html.text_to_html(
        _decode(part, found),
        flowed=params.get("format", "").lower() == "flowed",
        delsp=params.get("delsp", "").lower() == "yes",
    )


def _decode(part: Part, found: Mapping[str, bytes]) -> str:
    return text.decode_text(text.decode_transfer(found[part.section], part.encoding), part.charset)


def _find(message: Message, section: str) -> Attachment:
    shown = content.choose(structure_of(message))
    for item in (*shown.attachments, *shown.inline):
        if item.section == section:
            return item
    raise NotThere


def _decoded(message: Message, item: Attachment) -> Iterator[bytes]:
    decoder = text.TransferDecoder(item.encoding)
    for chunk in _streamed(message, item.section):
        yield decoder.feed(chunk)
    yield decoder.finish()


def _streamed(message: Message, section: str) -> Iterator[bytes]:
    mailbox = mailbox_of(message)
    with pools.lend(message.account, mailbox.name) as imap:
        yield from imap.stream(mailbox.name, mailbox.uidvalidity, message.uid, section)
