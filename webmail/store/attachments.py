"""What came with a message, as cards: name, kind, size, a caution, and whether there is a picture of it.

What a file is by its content is learnt by a worker (`previews.prepare`) and kept in the body cache as facts; until then
a card says what the message declares. The room's one law: where both are known, content is believed (T15).
"""

from __future__ import annotations

import json
import mimetypes
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from urllib.parse import quote

from django.utils import timezone

from webmail.models import Job, Message
from webmail.protocol.cautions import caution
from webmail.protocol.types import Attachment

from . import bodies, words
from .listed import Listed
from .listing import title_of

FACTS = "files"  # the name under which they are kept
PICTURES = ("image/png", "image/jpeg", "image/gif", "image/webp", "image/bmp", "image/tiff", "image/avif",
            "image/x-icon")  # fmt: skip
PAPER = "application/pdf"
SHOWN_FOR = timedelta(days=1)  # how long a card says where it was saved
TRIES = 6  # times that a page asks for what the worker has made, less often each time


@dataclass(frozen=True, slots=True)
class Facts:
    """What a worker found out about one file: its type by content, its decoded octets, whether it drew a thumbnail."""

    type: str
    size: int
    thumbnail: bool = False


@dataclass(frozen=True, slots=True)
class Known:
    """The facts of a message's files by section, and whether that is all there will be."""

    files: Mapping[str, Facts]
    done: bool


@dataclass(frozen=True, slots=True)
class AttachmentCard:
    """One attachment as its card shows it.

    Attributes:
        name: safe to save under. full_name: as the sender gave it, where that differs, else "".
        icon: a lucide name. preview: "image", "paper", "text", or "" where it can only be downloaded.
        thumbnail: there is a picture of it. caution: a sentence, or "".
        saved: what became of saving it in a mailbox, a sentence or "". saved_state: "good", "wait" or "loss".
    """

    section: str
    name: str
    full_name: str
    kind: str
    icon: str
    size: str
    preview: str
    thumbnail: bool
    caution: str
    saved: str = ""
    saved_state: str = ""

    @property
    def title(self) -> str:
        return self.full_name or self.name


@dataclass(frozen=True, slots=True)
class Files:
    """All that came with a message, ready to print.

    Attributes:
        total: the size of all that came, messages too, where that is more than one thing, else "".
        preparing: a worker is still at it. again, pause: the number of the page's next question for it, and after how
            long; 0 when it should stop asking.
        query: what addresses need beside the section, for what came with a message inside the message.
    """

    cards: tuple[AttachmentCard, ...] = ()
    count: str = ""
    total: str = ""
    preparing: bool = False
    again: int = 0
    pause: str = ""
    query: str = ""


def files_of(message: Message, listed: Listed, asked: int = 0) -> Files:
    """The cards of the files that are listed, with what is known of them by now.

    Args:
        asked: how often the page has asked already.
    """
    if not listed.files:
        return Files()
    # Nothing is looked into before the message is opened that it lies in.
    known = Known({}, True) if listed.inside else known_of(message)
    saves = _saves_of(message)
    cards = tuple(card(item, known.files.get(item.section), saves.get(item.section)) for item in listed.files)
    waiting = not known.done or any(each.saved_state == "wait" for each in cards)
    sizes = (known.files[item.section].size if item.section in known.files else item.size for item in listed.everything)
    again = asked + 1 if waiting and asked < TRIES else 0
    return Files(
        cards=cards,
        count=f"{len(cards)} attachment{'s' if len(cards) > 1 else ''}",
        total=words.size(sum(sizes)) if len(listed.everything) > 1 else "",
        query=f"?inside={quote(listed.inside)}" if listed.inside else "",
        preparing=not known.done,
        again=again,
        pause=f"{500 * 2**asked}ms",
    )


def card(item: Attachment, facts: Facts | None, save: Job | None = None) -> AttachmentCard:
    """One card; `save` is the last wish to save it in a mailbox."""
    found = facts.type if facts else ""
    type_ = _believed(item, found)
    kind, icon = _KINDS.get(type_, ("", ""))
    if not kind:
        kind, icon = _FAMILIES.get(type_.partition("/")[0], ("File", "file"))
    return AttachmentCard(
        section=item.section,
        name=item.name,
        full_name=item.full_name if item.full_name != item.name else "",
        kind=kind,
        icon=icon,
        size=words.size(facts.size if facts else item.size),
        preview="" if facts and not found and preview_kind(type_) != "text" else preview_kind(type_),
        thumbnail=bool(facts and facts.thumbnail),
        caution=caution(item.name, found),
        saved=_save_sentence(save) if save else "",
        saved_state=_save_state(save) if save else "",
    )


def preview_kind(type_: str) -> str:
    """How a file of this type can be looked at: "image", "paper", "text" or ""."""
    if type_ in PICTURES:
        return "image"
    if type_ == PAPER:
        return "paper"
    return "text" if type_.startswith("text/") or type_ in _TEXTS else ""


def known_of(message: Message) -> Known:
    """What has been learnt so far; nothing where the cache was lost."""
    kept = bodies.get(message, [FACTS]).get(FACTS)
    if kept is None:
        return Known({}, False)
    done, files = json.loads(kept)
    return Known({section: Facts(**facts) for section, facts in files.items()}, done)


def keep(message: Message, known: Known) -> None:
    """Keep what has been learnt."""
    files = {section: asdict(facts) for section, facts in known.files.items()}
    bodies.put(message, {FACTS: json.dumps([known.done, files]).encode()})


def _saves_of(message: Message) -> dict[str, Job]:
    """The last job that saves each attachment of the message, of those of the last day."""
    since = timezone.now() - SHOWN_FOR
    jobs = Job.objects.filter(
        account=message.account_id, mailbox=message.mailbox_id, kind=Job.Kind.APPEND, created_at__gte=since
    )
    rows = jobs.select_related("target").order_by("sequence")
    return {job.arguments["section"]: job for job in rows if message.uid in job.uids}


def _save_state(job: Job) -> str:
    if job.state in Job.PENDING:
        return "wait"
    return "good" if job.state == Job.State.DONE else "loss"


def _save_sentence(job: Job) -> str:
    where = title_of(job.target) if job.target is not None else job.target_name
    if job.state in Job.PENDING:
        return f"Being saved to {where}…"
    if job.state == Job.State.DONE:
        return f"Saved to {where}."
    return job.error if job.state == Job.State.UNCLEAR else f"Not saved to {where}: {job.error}"


def _believed(item: Attachment, found: str) -> str:
    """The type by content, unless that says only in general what the declared one (or the name) says exactly."""
    declared = item.type
    if declared in _UNSAYING:
        declared = _TYPES.guess_type(item.name)[0] or declared
    if not found or found == declared:
        return declared
    if found in ("text/plain", "application/xml") and preview_kind(declared) == "text":
        return declared
    family = declared.partition("/")[0]
    if found in ("text/plain", "application/xml") and family == "message":
        return declared
    if found in ("application/zip", "application/x-ole-storage") and family == "application":
        return found if declared in (*_UNSAYING, PAPER) else declared
    return declared if found == "video/mp4" and family in ("audio", "video") else found


_TYPES = mimetypes.MimeTypes(filenames=())  # Python's own table, not the machine's
_UNSAYING = ("application/octet-stream", "application/x-download", "application/binary", "application/force-download")
# Text by another name. Shown as it is written: no browser of ours ever reads it as anything else.
_TEXTS = frozenset(("application/json", "application/xml", "application/javascript", "application/x-sh",
                    "application/sql", "application/x-yaml", "application/toml", "application/x-httpd-php",
                    "application/x-python-code", "message/delivery-status", "message/disposition-notification",
                    "image/svg+xml"))  # fmt: skip
_FAMILIES = {
    "image": ("Image", "image"),
    "audio": ("Sound", "music"),
    "video": ("Video", "film"),
    "text": ("Text", "file-text"),
}
_KINDS = {
    "application/pdf": ("PDF", "file-text"),
    "application/zip": ("Archive", "folder-archive"),
    "application/gzip": ("Archive", "folder-archive"),
    "application/x-7z-compressed": ("Archive", "folder-archive"),
    "application/vnd.rar": ("Archive", "folder-archive"),
    "application/x-tar": ("Archive", "folder-archive"),
    "application/x-xz": ("Archive", "folder-archive"),
    "application/msword": ("Document", "file-text"),
    "application/rtf": ("Document", "file-text"),
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ("Document", "file-text"),
    "application/vnd.oasis.opendocument.text": ("Document", "file-text"),
    "application/vnd.ms-excel": ("Spreadsheet", "sheet"),
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ("Spreadsheet", "sheet"),
    "application/vnd.oasis.opendocument.spreadsheet": ("Spreadsheet", "sheet"),
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": ("Presentation", "presentation"),
    "application/vnd.ms-powerpoint": ("Presentation", "presentation"),
    "application/vnd.oasis.opendocument.presentation": ("Presentation", "presentation"),
    "application/x-ole-storage": ("Office document", "file-text"),
    "application/x-executable": ("Program", "code"),
    "application/json": ("Data", "code"),
    "application/xml": ("Data", "code"),
    "image/svg+xml": ("Drawing", "code"),
    "text/csv": ("Spreadsheet", "sheet"),
    "text/html": ("Web page", "code"),
    "text/calendar": ("Invitation", "calendar"),
    "text/vcard": ("Contact", "contact"),
    "text/x-vcard": ("Contact", "contact"),
    "message/rfc822": ("Message", "mail"),
    "message/delivery-status": ("Delivery report", "file-text"),
    "application/pgp-signature": ("Signature", "key-round"),
    "application/pkcs7-signature": ("Signature", "key-round"),
}
