"""What machines ask: whether the product is well, and what a browser refused to run."""

from __future__ import annotations

import json
import logging
import threading
import time
from urllib.parse import urlsplit

from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

log = logging.getLogger(__name__)

MAX_REPORT = 8 * 1024  # octets
MAX_REPORTS = 60  # logged a minute by each process; anybody can send them
_FIELDS = ("effective-directive", "violated-directive", "disposition", "source-file", "document-uri", "blocked-uri")

_lock = threading.Lock()
_minute = 0
_reports = 0


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """ "ok" while the database answers; a load balancer's and a container's check. A failure becomes a 503 page."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return HttpResponse("ok\n", content_type="text/plain")


@csrf_exempt  # the browser sends it, without a token
@require_POST
def csp_report(request: HttpRequest) -> HttpResponse:
    """Log what a Content-Security-Policy stopped: which rule and which hosts, no query strings, no samples."""
    body = request.read(MAX_REPORT + 1)
    if len(body) > MAX_REPORT:
        return HttpResponse(status=413)
    try:
        report = json.loads(body)["csp-report"]
        told = {name: _short(str(report[name])) for name in _FIELDS if name in report}
    except (ValueError, KeyError, TypeError, RecursionError):
        return HttpResponse(status=400)
    if _may_log():
        log.warning("CSP report: %s", json.dumps(told))
    return HttpResponse(status=204)


def _short(value: str) -> str:
    """A URL without user, query and fragment, where secrets would be; words as they are."""
    try:
        parts = urlsplit(value)
    except ValueError:
        return "not a URL"
    plain = f"{parts.scheme}://{parts.hostname}{parts.path}" if parts.hostname else value.partition("?")[0]
    return plain[:200]


def _may_log() -> bool:
    global _minute, _reports  # noqa: PLW0603  one count per process, by its nature
    with _lock:
        now = int(time.monotonic() // 60)
        if now != _minute:
            _minute, _reports = now, 0
        _reports += 1
        return _reports <= MAX_REPORTS
