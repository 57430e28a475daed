"""What is inside a message: chosen from its structure, fetched by section in one round trip, and kept.

All of it comes through `enclosed.read_sections`, which asks the cache first and then the server once for everything
that is missing. A message inside a message is read in the same way, by the section it lies at.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from urllib.parse import quote

from webmail.models import Message
from webmail.protocol import content, html, text, trackers
from webmail.protocol.joined import html_piece, joined, picture_piece, plain_piece
from webmail.protocol.raster import raster_type
from webmail.protocol.types import Attachment, Content, Envelope, Part
from webmail.protocol.visible import visible
from webmail.protocol.washed import Washed

from . import bodies, enclosures, pools, texts
from .enclosed import HEADER_LIMIT, Scope, decoded, find, read_sections, scope_of
from .enclosures import Enclosures
from .fetching import NotThere, mailbox_of, sections, structure_of
from .frames import Frame
from .image_links import ImageLinks
from .listed import Listed, among, used_name

__all__ = ["Body", "Frame", "NotThere", "attachment", "body", "inline_image", "raw", "source", "structure_of"]

INLINE_LIMIT = 10 * 2**20  # octets of an inline image
SOURCE_LIMIT = 512 * 1024  # octets of the source that are shown; all of it can be downloaded

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Body:
    """What of a message is shown: its header, and a frame for HTML or pieces of safe HTML for plain text."""

    envelope: Envelope
    content: Content
    frame: Frame | None
    texts: tuple[str, ...]
    header: bytes = b""
    enclosures: Enclosures = field(default_factory=Enclosures)
    inside: str = ""
    cut: bool = False  # there is more than is shown

    @property
    def listed(self) -> Listed:
        """What is listed below the message: all that is not shown in it, images that its HTML never refers to too."""
        used = self.frame.used if self.frame else ()
        return among(self.content, used, self.inside, self.enclosures.replaced)


def body(
    message: Message, inline_root: str, links: ImageLinks | None = None, *, inside: str = "", darken: bool = False
) -> Body:
    """Read what of the message is shown; at most one round trip, none where it was read before.

    Args:
        message: with mailbox, account and provider; found through `for_user`.
        inline_root: URL path to which a section is appended for an inline image.
        links: where its remote images are to be had, for somebody who wants to see them; None leaves them out.
        inside: the section of a message, or of a container, inside this message that is read in its place.

    Raises:
        ProtocolError: it was not read before and can't be read now. NoSuchMessage: it is gone from its mailbox.
        NotThere: nothing that can be read lies at `inside`.
    """
    scope = scope_of(message, inside)
    shown = content.choose(scope.root)
    frame_name = Frame.name_of(message.pk, links.name if links else "", inside, darken=darken)
    wanted = _wanted(scope, shown)
    kept = bodies.get(message, [*wanted, frame_name, enclosures.name_of(inside), *enclosures.headers_of(shown)])
    opened = None
    if shown.opened is not None:
        opened = enclosures.open_along(message, inside, scope, shown, wanted, kept)
        shown = opened.content
        wanted = _wanted(scope, shown)
    frame = Frame.unpack(kept[frame_name]) if frame_name in kept else None
    if frame is not None and shown.html is not None:
        wanted = {scope.header: HEADER_LIMIT}
    wanted |= enclosures.sections_for(shown, inside, kept)
    found = read_sections(message, wanted, kept, opened.containers if opened else None)
    if shown.html is not None and frame is None:
        frame = _wash(shown, found, inline_root, links, darken=darken)
        if not frame.failed:
            bodies.put(message, {frame_name: frame.pack(), used_name(inside): json.dumps(frame.used).encode()})
    pieces = () if shown.html is not None else tuple(_piece(part, found, inline_root) for part in shown.sequence)
    return Body(
        envelope=text.envelope(found[scope.header], scope.root.text_charset),
        content=shown,
        frame=frame,
        texts=tuple(piece for piece, _ in pieces),
        cut=any(cut for _, cut in pieces) if frame is None else frame.cut,
        header=found[scope.header],
        enclosures=enclosures.read(message, inside, scope, shown, found, kept, opened),
        inside=inside,
    )


def shown_sections(message: Message) -> dict[str, int | None]:
    """The sections that are asked for when a message is opened, with the octets of each that are wanted.

    Args:
        message: whose structure is in its row. One that is a container is left out: what is shown is inside.
    """
    scope = scope_of(message, "")
    shown = content.choose(scope.root)
    return {} if shown.opened is not None else _wanted(scope, shown) | enclosures.sections_for(shown, "", {})


def attachment(message: Message, section: str) -> tuple[Attachment, Iterator[bytes]]:
    """An attachment and its decoded octets as a stream with flat memory.

    Raises:
        NotThere: no part has this section. ProtocolError: it can't be read; the stream may raise it later too.
    """
    found = find(message, section)
    return found, decoded(message, found, partial(_streamed, message))


def inline_image(message: Message, section: str) -> tuple[str, bytes]:
    """The type and octets of a raster image inside the message.

    Raises:
        NotThere: no such part, not a raster image by its own first octets, or over INLINE_LIMIT.
    """
    found = find(message, section)
    if found.size > INLINE_LIMIT:
        raise NotThere
    data = text.decode_transfer(read_sections(message, {section: INLINE_LIMIT})[section], found.encoding)
    kind = raster_type(data)
    if not kind:
        raise NotThere
    return kind, data


def source(message: Message) -> tuple[str, bool]:
    """The first SOURCE_LIMIT octets of the message as text, and whether that is all of it."""
    data = sections(message, {"": SOURCE_LIMIT})[""]
    return visible(text.decode_text(data, "")), len(data) < SOURCE_LIMIT


def raw(message: Message) -> Iterator[bytes]:
    """The message's octets as the server keeps them, as a stream with flat memory."""
    return _streamed(message, "")


def _wanted(scope: Scope, shown: Content) -> dict[str, int | None]:
    """The sections that a page shows as they are."""
    return {
        scope.header: HEADER_LIMIT,
        **texts.limits(part for part in shown.sequence if part.type.startswith("text/")),
    }


def _wash(
    shown: Content, found: Mapping[str, bytes], inline_root: str, links: ImageLinks | None, *, darken: bool
) -> Frame:
    # Some mailers mark the images of their HTML as attachments.
    # What is never shown as an image, SVG, is not put in, and so stays in the list.
    named = (item for item in (*shown.inline, *shown.attachments) if item.content_id and item.type != "image/svg+xml")
    images = {item.content_id: _inline_path(inline_root, item.section) for item in named}
    images |= {_picture_id(part): _inline_path(inline_root, part.section) for part in shown.sequence}
    source, cut = _frame_source(shown, found)
    try:
        reports = trackers.find(source)
        washed = html.wash(source, images=images, proxied=None if links is None else links.but(reports), darken=darken)
    except Exception:  # a mistake of ours may cost a mail its looks, not its words
        _log.exception("a message could not be washed")
        return Frame(Washed(""), failed=True)
    return Frame(replace(washed, cut=washed.cut or cut), tuple(url for url in washed.remote if url in reports))


def _frame_source(shown: Content, found: Mapping[str, bytes]) -> texts.Text:
    """The HTML to be washed: one text as it is, several one after the other."""
    if shown.sequence == (shown.html,):
        return texts.decoded(shown.sequence[0], found)
    pieces, is_cut = [], False
    for part in shown.sequence:
        if part.type.startswith("image/"):
            pieces.append(picture_piece(_picture_id(part), part.filename))
            continue
        words, cut = texts.decoded(part, found)
        is_cut = is_cut or cut
        pieces.append(html_piece(words) if part.type == "text/html" else plain_piece(texts.safe(part, words)))
    return texts.Text(joined(pieces), is_cut)


def _picture_id(part: Part) -> str:
    return f"picture-{part.section}"


def _inline_path(inline_root: str, section: str) -> str:
    return f"{inline_root}{quote(section)}/"


def _piece(part: Part, found: Mapping[str, bytes], inline_root: str) -> tuple[str, bool]:
    """A piece of safe HTML, and whether there is more than it shows."""
    if part.type.startswith("image/"):
        return html.picture(_inline_path(inline_root, part.section), part.filename), False
    words, cut = texts.decoded(part, found)
    return texts.safe(part, words), cut


def _streamed(message: Message, section: str) -> Iterator[bytes]:
    mailbox = mailbox_of(message)
    with pools.lend(message.account, mailbox.name) as imap:
        yield from imap.stream(mailbox.name, mailbox.uidvalidity, message.server_uid, section)
