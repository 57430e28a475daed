"""What of a message is shown and what is offered for download, chosen from its structure alone.

The law of this room: nothing is lost. A part is shown, or it belongs to what is shown (an image by Content-ID, the
plain version of an HTML text), or it is in the list of attachments. What stands as a card (an invitation, an attached
message, a report) is in that list as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

from .filenames import clean_filename
from .kinds import PKCS7, card_kind, is_container, is_message, is_sealed
from .packing import pack, unpack
from .raster import RASTER_TYPES
from .types import Attachment, Content, Part

__all__ = ["choose", "has_attachment", "pack", "unpack"]

MAX_PARTS = 1_000  # looked at
MAX_LISTED = 200  # attachments
MAX_DEPTH = 50
MAX_CARDS = 5  # invitations, contacts and reports
MAX_CARD = 256 * 1024  # octets
MAX_MESSAGES = 50  # attached messages with a card of their own
MAX_OPENED = 1_440 * 1024  # octets of a container that is opened along with its message: 1 MiB in base64
_MAX_TEXTS = 20  # shown one after the other
_MAX_LATER_TEXT = 256 * 1024  # octets of a text after the first that is still shown rather than offered
_MAX_PICTURE = 10 * 2**20  # octets of an image between texts

# Text subtypes a person reads as they are. Others (csv, x-patch, …) are shown where the sender says "inline".
_READABLE = frozenset(("text/plain", "text/enriched", "text/richtext", "text/markdown"))
# Text that is code, data for a program, or a form of what another part says better.
_NEVER_SHOWN = frozenset(("text/calendar", "text/vcard", "text/x-vcard", "text/directory", "text/rtf", "text/css",
                          "text/javascript", "text/xml", "text/x-amp-html", "text/rfc822-headers",
                          "text/watch-html"))  # fmt: skip
# Alternatives that only restate the message for certain clients: neither shown nor listed.
_RESTATEMENTS = frozenset(("text/plain", "text/html", "text/enriched", "text/richtext", "text/markdown",
                           "text/x-amp-html", "text/watch-html"))  # fmt: skip
# Listed, but no reason for the mark of an attachment in a mailbox row.
_MACHINERY = frozenset(("application/pgp-signature", "application/pkcs7-signature", "application/x-pkcs7-signature",
                        "application/pgp-encrypted", "message/delivery-status", "message/global-delivery-status",
                        "message/disposition-notification", "message/feedback-report",
                        "application/applefile"))  # fmt: skip

_STEMS = {"message/rfc822": "message", "message/global": "message", "text/calendar": "invite",
          "application/ics": "invite", "text/vcard": "contact", "text/x-vcard": "contact",
          "message/disposition-notification": "receipt", "message/feedback-report": "complaint",
          "message/delivery-status": "delivery-status", "text/rfc822-headers": "headers",
          "application/pgp-signature": "signature", "application/pkcs7-signature": "smime",
          "application/x-pkcs7-signature": "smime", "application/pkcs7-mime": "smime",
          "application/x-pkcs7-mime": "smime", "application/pgp-encrypted": "version",
          "application/ms-tnef": "winmail"}  # fmt: skip

_ENCRYPTED = "This message is encrypted. It can be downloaded and read with a program that has your key."
_PKCS7_ENCRYPTED = (
    "This message is encrypted (S/MIME) and can't be opened here. It can be downloaded and read with a program that "
    "has your key."
)
_PKCS7_SEALED = "This message is signed or encrypted in a form (S/MIME) that can't be opened here."
_PARTIAL = "This is one piece of a longer message that was sent in several. The pieces can't be put together here."
_CUT = (
    "This message has more parts, or deeper ones, than are shown here. The original, to be downloaded, has all of it."
)
_EXTERNAL = "Something of this message is kept elsewhere. It was not fetched, so nobody learns that you read this."


def choose(structure: Part) -> Content:
    """Choose the body parts to show and the attachments to list.

    The best alternative that can be shown wins. Texts that are meant to be read are shown one after the other, the
    pictures between them in their places; where one of them is HTML, all of them stand in its frame. Attached messages
    are listed and not opened: each is chosen from by itself, as the `structure` it holds.

    Inline images (`Content.inline`) are those the HTML may refer to; whoever washes it lists the ones it doesn't use
    (`Washed.used`) with the attachments. An image in `attachments` may have a Content-ID and be referred to as well.

    Args:
        structure: the whole message; of more than 1,000 parts or 50 levels the rest is left out.
    """
    chooser = _Chooser()
    chooser.visit(structure, 1, is_root=True)
    return chooser.content(structure)


def has_attachment(structure: Part) -> bool:
    """Whether the message carries a file a person would call an attachment.

    Inline images, signatures, the machine-readable half of a report and nameless texts don't count.
    """
    # Nearly all mail: a text, or a text in two forms.
    leaves = structure.children if structure.type == "multipart/alternative" else (structure,)
    if all(part.type in ("text/plain", "text/html") and not part.disposition for part in leaves):
        return False
    names = {part.section: part.filename for part in structure.walk()} if structure.children else {}
    for attachment in choose(structure).attachments:
        if attachment.type in _MACHINERY:
            continue
        if attachment.type.startswith("text/") and structure.children and not names.get(attachment.section):
            continue
        return True
    return False


class _Chooser:
    """Walks the tree once, in document order, and sorts its leaves."""

    def __init__(self) -> None:
        self._seen = 0
        self._places: dict[int, int] = {}  # by id(): equal parts may stand in two places
        self._shown: list[Part] = []
        self._pictures: list[Part] = []
        self._alternative: Part | None = None
        self._inline: list[Part] = []
        self._files: list[Part] = []
        self._signed: Part | None = None
        self._is_all_signed = False
        self._note = ""
        self._is_cut = False

    def content(self, structure: Part) -> Content:
        """The result: one HTML text among the shown makes all of it HTML."""
        # Whoever read the structure kept to the same bounds: what reaches them may have been cut there.
        if self._seen > MAX_PARTS // 4:
            self._is_cut = self._is_cut or sum(1 for _ in islice(structure.walk(), MAX_PARTS)) == MAX_PARTS
        shown, rest = self._shown[:_MAX_TEXTS], self._shown[_MAX_TEXTS:]
        html = next((part for part in shown if part.type == "text/html"), None)
        # A later text with a name is a file as well as something to read.
        rest = [*rest, *(part for part in shown[1:] if part.filename)]
        pictures = self._pictures[:_MAX_TEXTS]
        inline = self._inline
        if html is None:
            rest += inline  # nothing shown can refer to them
            pictures += [part for part in inline if _is_picture(part)][: _MAX_TEXTS - len(pictures)]
            inline = []
        files = sorted((*self._files, *rest), key=self._place)
        cards = [part for part in files if part.size <= MAX_CARD and card_kind(part)]
        containers = [part for part in files if is_container(part)]
        if any(part.type in PKCS7 and part.size > MAX_OPENED for part in containers) and self._note == _PKCS7_SEALED:
            self._note = ""  # it waits to be asked for
        opened = next((part for part in containers if part.size <= MAX_OPENED), None)
        return Content(
            html=html,
            text=tuple(shown) if html is None else (),
            sequence=tuple(sorted((*shown, *pictures), key=self._place)),
            alternative=self._alternative if html is not None else None,
            inline=tuple(replace(_attachment(part), inline=True) for part in inline[:MAX_LISTED]),
            attachments=tuple(map(_attachment, files[:MAX_LISTED])),
            cards=tuple(cards[:MAX_CARDS]),
            messages=tuple(part for part in files if is_message(part))[:MAX_MESSAGES],
            opened=opened,
            closed=tuple(part for part in containers if part is not opened)[:MAX_CARDS],
            signed=self._signed,
            all_signed=self._is_all_signed,
            note=self._note or (_CUT if self._is_cut or len(files) > MAX_LISTED else ""),
        )

    def _place(self, part: Part) -> int:
        return self._places[id(part)]

    def visit(self, part: Part, depth: int, *, is_root: bool = False, related: bool = False) -> None:
        """Sort `part` and what is below it."""
        self._seen += 1
        self._is_cut = self._is_cut or (depth >= MAX_DEPTH and not part.size)
        if self._seen > MAX_PARTS or depth > MAX_DEPTH:
            return
        self._places[id(part)] = self._seen
        if part.type == "multipart/alternative":
            self._visit_alternative(part, depth)
        elif part.type == "multipart/related":
            self._visit_related(part, depth)
        elif part.type == "multipart/encrypted":
            self._note = self._note or _ENCRYPTED
            for leaf in _leaves(part):
                self._list(leaf)
        elif is_root and part.type.startswith("multipart/") and _has_nothing(part):
            self._shown.append(_as_text(part))
            self._places[id(self._shown[-1])] = self._seen
        elif part.type.startswith("multipart/"):
            if part.type == "multipart/signed" and len(part.children) == 2:
                self._signed = self._signed or part
                self._is_all_signed = self._is_all_signed or is_root
            for child in part.children:
                self.visit(child, depth + 1)
        else:
            self._visit_leaf(part, is_root=is_root, related=related)

    def _visit_alternative(self, part: Part, depth: int) -> None:
        """The last of the best is shown (RFC 2046 §5.1.4); of the others only what restates it is passed over."""
        children = part.children[:MAX_PARTS]
        ranks = [_rank(child) for child in children]
        best = max(range(len(children)), key=lambda place: (ranks[place], place), default=None)
        is_first = not self._shown
        plain: Part | None = None
        for place, child in enumerate(children):
            if place == best and ranks[place]:
                self.visit(child, depth + 1)
                continue
            for leaf in _leaves(child):
                restates = leaf.type in _RESTATEMENTS and not leaf.filename and leaf.disposition != "attachment"
                if not restates:
                    self._list(leaf)
                elif plain is None and leaf.type == "text/plain":
                    plain = leaf
        if is_first and self._shown and self._shown[0].type == "text/html":
            self._alternative = plain

    def _visit_related(self, part: Part, depth: int) -> None:
        """The root is what `start` names, where that can be shown, else the first text; the rest belongs to it."""
        start = dict(part.params).get("start", "").strip("<> ")
        able = [child for child in part.children[:MAX_PARTS] if _rank(child)]
        root = next((child for child in able if start and child.content_id.lower() == start), able[0] if able else None)
        for child in part.children:
            self.visit(child, depth + 1, related=child is not root)

    def _visit_leaf(self, part: Part, *, is_root: bool, related: bool) -> None:
        is_image = part.type.startswith("image/") and part.content_id
        if is_image and (related or part.disposition != "attachment"):
            self._inline.append(part)
        elif self._is_shown(part, is_root=is_root) and not (related and part.type == "text/html"):
            if part.size > 2 or is_root or part.filename:  # an empty line is no text
                self._shown.append(part)
        else:
            self._note = self._note or _note(part)
            if _is_picture(part) and not related:
                self._pictures.append(part)
            self._files.append(part)

    def _is_shown(self, part: Part, *, is_root: bool) -> bool:
        if not part.type.startswith("text/") or part.type in _NEVER_SHOWN:
            return False
        if part.disposition == "attachment":
            return is_root and not part.filename
        if is_root:
            return True
        is_readable = part.type in _READABLE or part.type == "text/html"
        if not self._shown:
            return is_readable or part.disposition == "inline"
        if part.size > _MAX_LATER_TEXT or (part.type == "text/html" and part.filename):
            return False
        return part.disposition == "inline" or (is_readable and not part.filename)

    def _list(self, leaf: Part) -> None:
        self._seen += 1
        if self._seen <= MAX_PARTS:
            self._places[id(leaf)] = self._seen
            self._files.append(leaf)


def _rank(part: Part) -> int:
    """2 for what holds HTML to show, 1 for other text to show, 0 for the rest."""
    best = 0
    for leaf in _leaves(part):
        if leaf.disposition == "attachment":
            continue
        if leaf.type == "text/html":
            return 2
        if leaf.type in _READABLE:
            best = 1
    return best


def _leaves(part: Part) -> Iterator[Part]:
    """The parts below (or at) `part` that hold something; an attached message is one of them. At most MAX_PARTS."""
    stack, seen = [part], 0
    while stack and seen < MAX_PARTS:
        current = stack.pop()
        seen += 1
        if current.type.startswith("multipart/"):
            stack.extend(reversed(current.children[:MAX_PARTS]))
        else:
            yield current


def _has_nothing(part: Part) -> bool:
    """Whether a multipart is without parts; Dovecot then speaks of one empty text."""
    if len(part.children) > 1:
        return False
    return all(child.type == "text/plain" and not child.size and not child.filename for child in part.children)


def _as_text(part: Part) -> Part:
    """A message that says it has parts, and has none (its boundary is missing or another): what it holds, as text."""
    prefix = part.section.removesuffix("TEXT")
    return Part(f"{prefix}TEXT", "text/plain")


def _is_picture(part: Part) -> bool:
    """An image that the sender put between texts rather than beside them."""
    return part.disposition == "inline" and part.type in RASTER_TYPES and part.size <= _MAX_PICTURE


def _note(part: Part) -> str:
    """What is to be said about a part that nothing can be shown of."""
    if part.type in PKCS7:
        return _PKCS7_ENCRYPTED if is_sealed(part) else _PKCS7_SEALED
    return {"message/partial": _PARTIAL, "message/external-body": _EXTERNAL}.get(part.type, "")


def _attachment(part: Part) -> Attachment:
    return Attachment(
        section=part.section,
        name=clean_filename(part.filename, part.type, _stem(part)),
        type=part.type,
        size=_decoded_size(part),
        encoding=part.encoding,
        content_id=part.content_id,
        full_name=part.filename,
        charset=part.charset,
        encoded_size=part.size,
    )


def _stem(part: Part) -> str:
    """What to call a part without a name, before its extension."""
    if part.type in _STEMS:
        return _STEMS[part.type]
    kind = part.type.partition("/")[0]
    number = part.section.replace(".", "-") or "1"
    return f"{kind if kind in ('image', 'audio', 'video', 'text', 'font') else 'attachment'}-{number}"


def _decoded_size(part: Part) -> int:
    """Octets after decoding: base64 in lines of 76 and CRLF carries 57 in 78; the other encodings add little."""
    return part.size * 57 // 78 if part.encoding == "base64" else part.size
