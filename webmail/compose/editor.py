"""The editor's page in ready-made values."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from webmail.models import Account, Draft, Template, User
from webmail.protocol.readable import readable
from webmail.requests import PersonRequest
from webmail.store import draft_room, identities, listing, words
from webmail.store.chips import chips
from webmail.store.drafts import Attached, Values, Written
from webmail.store.hints import hints
from webmail.store.identities import Sender
from webmail.store.signed import as_html

from .later import Preset, presets

_TITLES = {Draft.Kind.NEW: "New message", Draft.Kind.REPLY: "Reply", Draft.Kind.FORWARD: "Forward"}


@dataclass(frozen=True, slots=True)
class SenderChoice:
    """One line of "From": `value` names account and address; `text` and `html` are its signature, `footer` is what its
    administrator puts below."""

    value: str
    label: str
    chosen: bool
    text: str
    html: str
    footer: str


@dataclass(frozen=True, slots=True)
class Editor:
    """The page.

    Args:
        action: where the form goes. version: of the draft it shows, 0 where there is none yet.
        saved: when it was saved last, in words. room: octets that another file may have.
        problems: a sentence by the name of the field it is about; `notes` are about no field.
        hints: what is to be said before it leaves, a line each.
        templates: key and name of each.
        theirs: the draft as another window saved it, where that is not what is shown.
    """

    action: str
    title: str
    values: Values
    senders: tuple[SenderChoice, ...]
    version: int
    form_key: str
    send_key: str
    files: tuple[Attached, ...]
    saved: str
    room: int
    back: str
    at: str = ""
    problems: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    theirs: Written | None = None
    presets: tuple[Preset, ...] = ()
    hints: tuple[str, ...] = ()
    templates: tuple[tuple[int, str], ...] = ()

    @property
    def has_more_fields(self) -> bool:
        """Whether one of the fields that few need holds something."""
        return bool(self.values.cc or self.values.bcc or self.values.reply_to) or bool(
            self.problems.keys() & {"cc", "bcc", "reply_to"}
        )

    @property
    def people(self) -> dict[str, str]:
        """The recipients of each field as JSON, for the chips that a script shows of them."""
        fields = {name: getattr(self.values, name) for name in ("to", "cc", "bcc", "reply_to")}
        return {name: json.dumps(chips(text), ensure_ascii=False) if text else "[]" for name, text in fields.items()}

    @property
    def plain(self) -> str:
        """The words for the field of plain text."""
        return readable(self.values.html) if self.values.is_html else self.values.text

    @property
    def is_blank(self) -> bool:
        """Whether whom it is for is what comes first."""
        return not self.values.to

    @property
    def footer(self) -> str:
        """What stands below as the administrator wants it; of the sender that is chosen."""
        return next((each.footer for each in self.senders if each.chosen), "")

    @property
    def has_footers(self) -> bool:
        return any(each.footer for each in self.senders)

    @property
    def priorities(self) -> list[tuple[str, str]]:
        return [(str(value), label) for value, label in Draft.Priority.choices]


def editor(
    user: User,
    values: Values,
    *,
    draft: Written | None = None,
    account: int = 0,
    form_key: str = "",
    back: str = "/",
    at: str = "",
    problems: Iterable[tuple[str, str]] = (),
    notes: Sequence[str] = (),
    theirs: Written | None = None,
    action: str = "",
    version: int = 0,
) -> Editor:
    """The page of these values.

    Args:
        account: that sends; 0 for that of the draft, or the first one.
        action, version: of a draft that is not read for it.
    """
    senders = identities.senders(user)
    account = account or (draft.account if draft else senders[0].account if senders else 0)
    named: dict[str, str] = {}
    said = list(notes)
    for name, sentence in problems:
        if not name:
            said.append(sentence)
        else:
            named[name] = f"{named[name]} {sentence}" if name in named else sentence
    return Editor(
        action=reverse("draft", args=[draft.id]) if draft else action or reverse("write"),
        title=values.subject.strip() or (_TITLES[Draft.Kind(draft.kind)] if draft else "New message"),
        values=values,
        senders=_choices(senders, account, values.from_address),
        version=draft.version if draft else version,
        form_key=form_key or uuid.uuid4().hex,
        send_key=uuid.uuid4().hex,
        files=draft.files if draft else (),
        saved=_saved(user, draft) if draft else "",
        room=_room(user, draft, account),
        back=back,
        at=at,
        problems=named,
        notes=tuple(said),
        theirs=theirs,
        hints=(*hints(user, replace(draft, values=values)), *filter(None, [draft.said])) if draft else (),
        templates=tuple(Template.objects.for_user(user).values_list("pk", "name")),
        presets=presets(timezone.now().astimezone(listing.zone_of(user))),
    )


def show(request: PersonRequest, page: Editor, status: int = 200) -> HttpResponse:
    """Draw it: as a page, or as the panel over the mail that a script asks for."""
    template = "compose/_form.html" if request.htmx else "compose/page.html"
    return render(request, template, {"editor": page, "is_panel": bool(request.htmx)}, status=status)


def leave(request: PersonRequest, href: str) -> HttpResponse:
    """Go on to `href`; the panel, which stays where it is, gets what there is to say."""
    return render(request, "compose/_left.html") if request.htmx else redirect(href)


def _choices(senders: Sequence[Sender], account: int, address: str) -> tuple[SenderChoice, ...]:
    mine = [each for each in senders if each.account == account]
    chosen = next((each for each in mine if each.address == address), None)
    if chosen is None and address:  # an address with a "+" that the mail came to, or one that was taken away since
        written = Sender(
            account,
            None,
            address,
            mine[0].name if mine else "",
            is_default=False,
            footer=mine[0].footer if mine else "",
        )
        senders, chosen = [*senders, written], written
    chosen = chosen or (mine[0] if mine else None)
    return tuple(
        SenderChoice(
            f"{each.account} {each.address}",
            _label(each),
            each is chosen,
            each.signature_text.strip(),
            as_html(each),
            each.footer,
        )
        for each in senders
    )


def _label(sender: Sender) -> str:
    return f"{sender.name} <{sender.address}>" if sender.name else sender.address


def _saved(user: User, draft: Written) -> str:
    when = words.clock(draft.saved_at, listing.zone_of(user))
    today = timezone.localdate(draft.saved_at) == timezone.localdate()
    return f"Saved {when}" if today else f"Saved {words.full_date(timezone.localtime(draft.saved_at))}"


def _room(user: User, draft: Written | None, account: int) -> int:
    if draft is not None:
        return draft_room.room_for(user, draft.id)
    row = Account.objects.for_user(user).select_related("provider").filter(pk=account).first()
    return draft_room.room(uuid.UUID(int=0), row) if row else 0
