"""The security headers, each string exactly, on every kind of answer (security §5.1), and what is kept from caches."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from django.http import HttpResponse

from tests.cast import client_of
from webmail import headers

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types app; report-uri /csp-report"
)
PAGE = {
    "Content-Security-Policy": CSP,
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-DNS-Prefetch-Control": "off",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=(), serial=(), hid=(), "
    "bluetooth=(), display-capture=(), clipboard-read=()",
    "Cache-Control": "no-store, private",
}


def told(response):
    return {name: response.headers.get(name) for name in PAGE}


@pytest.mark.parametrize(
    "path", ["/sign-in/", "/help/", "/nothing/here", "/healthz", "/settings/", "/sign-out/", "/csp-report"]
)
def test_a_stranger_gets_them_on_every_answer(client, db, path):
    assert told(client.get(path)) == PAGE


@pytest.mark.parametrize("path", ["/settings/", "/help/", "/settings/accounts/add/", "/message/1/", "/mailbox/1/"])
def test_a_person_gets_them_on_every_answer(alice, path):
    assert told(client_of(alice).get(path)) == PAGE


def test_an_administrator_gets_them_too(admin):
    assert told(client_of(admin).get("/admin/")) == PAGE


def test_a_page_that_broke_has_them(client, db, monkeypatch):
    monkeypatch.setattr("webmail.accounts.views.machine.connection", None)
    client.raise_request_exception = False
    response = client.get("/healthz")
    assert response.status_code == 500
    assert told(response) == PAGE
    assert "Something went wrong on our side" in response.content.decode()


def test_a_frame_has_its_own(rf):
    middleware = headers.HeadersMiddleware(headers.frame_policy(lambda request: HttpResponse("<p>")))
    response = middleware(rf.get("/message/1/frame/"))
    assert response["Content-Security-Policy"] == (
        "sandbox allow-same-origin allow-popups allow-popups-to-escape-sandbox; default-src 'none'; "
        "img-src data: 'self'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
    )
    assert response["Referrer-Policy"] == "no-referrer"
    assert response["Cache-Control"] == "no-store, private"


def test_bytes_out_of_a_message_have_their_own(rf):
    middleware = headers.HeadersMiddleware(headers.attachment_policy(lambda request: HttpResponse(b"MZ")))
    response = middleware(rf.get("/message/1/part/2/"))
    assert response["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert response["Cross-Origin-Resource-Policy"] == "same-origin"
    assert response["Cache-Control"] == "no-store, private"


def test_static_files_may_be_cached(rf):
    def static(request):
        response = HttpResponse("")
        response["Cache-Control"] = "max-age=315360000, public, immutable"
        return response

    response = headers.HeadersMiddleware(static)(rf.get("/static/js/app.js"))
    assert response["Cache-Control"] == "max-age=315360000, public, immutable"


def test_https_adds_hsts_and_host_cookies():
    """The settings as in production; the tests themselves run over plain HTTP on this machine."""
    code = (
        "from webmail import settings as s; "
        "print(s.SECURE_HSTS_SECONDS, s.SECURE_HSTS_INCLUDE_SUBDOMAINS, s.SESSION_COOKIE_NAME, s.SESSION_COOKIE_SECURE)"
    )
    told = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"INSECURE_HTTP": "0"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.split() == ["63072000", "True", "__Host-session", "True"]


def test_the_session_cookie_is_out_of_reach_of_scripts_and_other_sites(alice):
    client = client_of(alice)
    client.post("/sign-in/", {"username": "alice@demo.test", "password": "demo"})
    cookie = client.cookies["session"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert cookie["path"] == "/"
    assert not cookie["domain"]
