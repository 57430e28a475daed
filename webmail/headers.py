"""The security headers of every response (security §5.1), each string written once, here.

A page of the product needs nothing: the middleware gives every response `PAGE`. A view that answers with the body of
a message or with somebody else's bytes says so with `frame_policy` or `attachment_policy`. What a view sets itself is
kept. HSTS, nosniff, COOP and the pages' Referrer-Policy are Django's SecurityMiddleware, from `settings.SECURE_*`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import ParamSpec

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

_P = ParamSpec("_P")

PAGE_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types app; report-uri /csp-report"
)
# allow-same-origin only lets the page measure the frame and the frame's images carry the cookie. Never allow-scripts.
FRAME_CSP = (
    "sandbox allow-same-origin allow-popups allow-popups-to-escape-sandbox; default-src 'none'; img-src data: 'self'; "
    "style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
ATTACHMENT_CSP = "sandbox; default-src 'none'"
PERMISSIONS = (
    "camera=(), microphone=(), geolocation=(), payment=(), usb=(), serial=(), hid=(), bluetooth=(), "
    "display-capture=(), clipboard-read=()"
)
NOT_STORED = "no-store, private"
# Not "cookies": that would clear those of every site under the same registrable domain, and the mark of a known device.
CLEAR_AT_SIGN_OUT = '"cache", "storage"'

ALL: Mapping[str, str] = {
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-DNS-Prefetch-Control": "off",
    "Permissions-Policy": PERMISSIONS,
}
PAGE: Mapping[str, str] = {"Content-Security-Policy": PAGE_CSP}
FRAME: Mapping[str, str] = {"Content-Security-Policy": FRAME_CSP, "Referrer-Policy": "no-referrer"}
ATTACHMENT: Mapping[str, str] = {"Content-Security-Policy": ATTACHMENT_CSP, "Referrer-Policy": "no-referrer"}


def frame_policy(view: Callable[_P, HttpResponseBase]) -> Callable[_P, HttpResponseBase]:
    """Decorate a view that answers with the body of a message, shown in a sandboxed frame."""
    return _policy(view, FRAME)


def attachment_policy(view: Callable[_P, HttpResponseBase]) -> Callable[_P, HttpResponseBase]:
    """Decorate a view that answers with bytes out of a message, a download or a raster image: nothing in it may run."""
    return _policy(view, ATTACHMENT)


class HeadersMiddleware:
    """Gives every response the headers it doesn't have yet, and keeps all but static files out of every cache."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        for name, value in (*ALL.items(), *PAGE.items()):
            response.headers.setdefault(name, value)
        if not request.path_info.startswith(settings.STATIC_URL):
            response.headers["Cache-Control"] = NOT_STORED
        return response


def _policy(view: Callable[_P, HttpResponseBase], headers: Mapping[str, str]) -> Callable[_P, HttpResponseBase]:
    @functools.wraps(view)
    def with_policy(*args: _P.args, **kwargs: _P.kwargs) -> HttpResponseBase:
        response = view(*args, **kwargs)
        for name, value in headers.items():
            response.headers[name] = value
        return response

    return with_policy
