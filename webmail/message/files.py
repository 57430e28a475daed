"""Attachments to look at: their cards, pictures of them, all of them in one archive.

The room's one law: pictures are those that `previews` drew, text is escaped by the template; an attachment's own octets
leave only as a download (T15).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_GET

from webmail import tasks
from webmail.downloads import download
from webmail.headers import attachment_policy
from webmail.protocol import text
from webmail.protocol.errors import Unreadable
from webmail.protocol.papers import MOST_PAGES
from webmail.requests import PersonRequest
from webmail.store import attachments, enclosed, previews, zipping
from webmail.store.attachments import AttachmentCard
from webmail.store.enclosed import NotThere
from webmail.store.listed import listed

from .views import look_up


@dataclass(frozen=True, slots=True)
class Place:
    """Where an attachment stands among those of its message: "2 of 5", and the sections of its neighbours or ""."""

    words: str
    previous: str
    next: str


@login_required
@require_GET
def cards(request: PersonRequest, pk: int) -> HttpResponse:
    """The cards below a message again, for a page that waits for their thumbnails."""
    message = look_up(request, pk)
    asked = _asked(request)
    files = attachments.files_of(message, listed(message), asked)
    if files.preparing and asked == 1:
        tasks.enqueue(tasks.prepare_attachments, message.pk)  # in case the first wake-up was lost
    return render(request, "message/_attachments.html", {"message_pk": message.pk, "files": files})


@login_required
@require_GET
@attachment_policy
def archive(request: PersonRequest, pk: int) -> HttpResponseBase:
    """All attachments as one zip, streamed."""
    message = look_up(request, pk)
    return download(
        text.clean_filename(f"{message.subject or 'attachments'}.zip"),
        zipping.archive(message, request.GET.get("inside", "")),
    )


@login_required
@require_GET
def preview(request: PersonRequest, pk: int, section: str) -> HttpResponse:
    """One attachment to look at: a page of its own; with htmx what a dialog shows."""
    message = look_up(request, pk)
    item = enclosed.find(message, section)
    files = attachments.files_of(message, listed(message, request.GET.get("inside", "")))
    at = next((number for number, each in enumerate(files.cards) if each.section == section), None)
    card = attachments.card(item, None) if at is None else files.cards[at]
    seen = previews.preview(message, item, card.preview)
    context = {
        "message_row": message,
        "file": card,
        "place": None if at is None else _place(files.cards, at),
        "inside": request.GET.get("inside", ""),
        "query": files.query,
        "preview": seen,
        "pages": range(1, seen.pages + 1),
    }
    return render(request, "message/_preview.html" if request.htmx else "message/preview.html", context)


@login_required
@require_GET
@attachment_policy
def thumbnail(request: PersonRequest, pk: int, section: str) -> HttpResponse:
    """The small picture on an attachment's card."""
    return _drawn(partial(previews.thumbnail, look_up(request, pk), section))


@login_required
@require_GET
@attachment_policy
def picture(request: PersonRequest, pk: int, section: str, page: int) -> HttpResponse:
    """An image attachment, or a page of a PDF, as a picture."""
    message = look_up(request, pk)
    if page > MOST_PAGES:
        raise NotThere
    return _drawn(partial(previews.picture, message, section, page))


def _drawn(draw: Callable[[], bytes]) -> HttpResponse:
    try:
        response = HttpResponse(draw(), content_type="image/webp")
    except Unreadable as error:  # its sentence is on the page that names this picture
        raise NotThere from error
    response["Content-Disposition"] = "inline"
    return response


def _place(cards: Sequence[AttachmentCard], at: int) -> Place:
    sections = ["", *(each.section for each in cards), ""]
    return Place(f"{at + 1} of {len(cards)}" if len(cards) > 1 else "", sections[at], sections[at + 2])


def _asked(request: HttpRequest) -> int:
    """How often this page has asked, from its address; as often as it may where that says nothing."""
    asked = request.GET.get("asked", "")
    return min(int(asked), attachments.TRIES) if asked.isascii() and asked.isdigit() and len(asked) < 3 else 1
