"""What is inside a message, each under its own headers: the HTML frame, attachments, inline images, the raw octets.

The room's one law: nothing here is ever served as something a browser would run (T1, T15).
"""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.views.decorators.http import require_GET

from webmail.downloads import download
from webmail.headers import attachment_policy, frame_policy
from webmail.protocol import text
from webmail.requests import PersonRequest
from webmail.store import reading, remote

from .views import look_up


@login_required
@require_GET
@frame_policy
def frame(request: PersonRequest, pk: int, section: str = "") -> HttpResponse:
    """The washed HTML of the message, or of the one inside it at `section`.

    Only ever inside our frame: opened by itself it leads to the message's page.
    """
    message = look_up(request, pk)
    if request.headers.get("Sec-Fetch-Dest", "iframe") not in ("iframe", "frame"):
        return redirect("message-inside", pk=pk, section=section) if section else redirect("message", pk=pk)
    person, to_print = request.user, request.GET.get("paper") == "white"
    body = remote.read(person, message, section, to_print=to_print)
    if body.frame is None:
        raise reading.NotThere
    return HttpResponse(body.frame.document("light" if to_print else person.theme))


@login_required
@require_GET
@attachment_policy
def part(request: PersonRequest, pk: int, section: str) -> HttpResponseBase:
    """An attachment as a download, streamed."""
    found, chunks = reading.attachment(look_up(request, pk), section)
    return download(found.name, chunks)


@login_required
@require_GET
@attachment_policy
def inline(request: PersonRequest, pk: int, section: str) -> HttpResponse:
    """A raster image inside a message, by the type that its own octets show."""
    kind, data = reading.inline_image(look_up(request, pk), section)
    response = HttpResponse(data, content_type=kind)
    response["Content-Disposition"] = "inline"
    return response


@login_required
@require_GET
@attachment_policy
def raw(request: PersonRequest, pk: int) -> HttpResponseBase:
    """The whole message as a file."""
    message = look_up(request, pk)
    return download(text.clean_filename(f"{message.subject or 'message'}.eml"), reading.raw(message))
