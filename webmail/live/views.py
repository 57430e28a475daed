"""The stream's address where no stream can be."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET


@require_GET
def stream(request: HttpRequest) -> HttpResponse:
    """What a server of pages says when the stream is asked of it: the process `live` has it (see `entrance`).

    A thread for each stream would soon leave none for pages. 204 tells the browser to stop asking (HTML §9.2.3); the
    page then looks for news by itself now and then.
    """
    return HttpResponse(status=204 if request.user.is_authenticated else 403)
