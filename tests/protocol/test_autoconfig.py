"""Autoconfig files: what they may say, and what a hostile one or its server can't do."""

from __future__ import annotations

import contextlib
import http.server
import socket
import ssl
import threading
import time

import pytest

from webmail.demo.certificates import ensure_certificates
from webmail.protocol import autoconfig, guard
from webmail.protocol.autoconfig import parse
from webmail.protocol.errors import Forbidden, ProtocolError
from webmail.protocol.types import Security, Server

ADDRESS = "carol@found.test"


def config(*servers, header=b""):
    return header + b"<clientConfig><emailProvider>" + b"".join(servers) + b"</emailProvider></clientConfig>"


def imap(host="imap.found.test", port="993", socket_type="SSL", username="%EMAILADDRESS%", auth="password-cleartext"):
    return (
        f'<incomingServer type="imap"><hostname>{host}</hostname><port>{port}</port>'
        f"<socketType>{socket_type}</socketType>"
        f"<username>{username}</username><authentication>{auth}</authentication></incomingServer>"
    ).encode()


def test_host_port_and_user_name():
    found = parse(config(imap()), ADDRESS)
    assert found.imap == (Server("imap.found.test", 993),)
    assert found.login_format == "address"


def test_starttls_and_the_domain_in_the_host():
    found = parse(config(imap("mail.%EMAILDOMAIN%", "143", "STARTTLS")), ADDRESS)
    assert found.imap == (Server("mail.found.test", 143, Security.STARTTLS),)


@pytest.mark.parametrize(
    "server",
    [
        imap(socket_type="plain"),
        imap(auth="OAuth2"),
        imap(host=""),
        imap(port="-1"),
        imap(port="１２"),
        imap(port="999999"),
        b'<incomingServer type="pop3"><hostname>x.test</hostname></incomingServer>',
        b"",
    ],
)
def test_what_is_of_no_use(server):
    assert parse(config(server), ADDRESS) is None


def test_a_password_beside_oauth_is_enough():
    both = imap().replace(b"<authentication>", b"<authentication>OAuth2</authentication><authentication>")
    assert parse(config(both), ADDRESS) is not None


def test_a_user_name_of_some_other_form_is_left_open():
    assert parse(config(imap(username="%EMAILLOCALPART%.%EMAILDOMAIN%")), ADDRESS).login_format == ""


def test_no_more_servers_than_anybody_has():
    assert len(parse(config(*[imap(f"imap{number}.found.test") for number in range(50)]), ADDRESS).imap) == 4


@pytest.mark.parametrize(
    "xml",
    [
        b"",
        b"not xml",
        b"<a>" * 10_000,
        b"\xff\xfe\x00",
        b'<?xml version="1.0" encoding="no-such"?><a/>',
        b"<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>",
        b"<!DOCTYPE a SYSTEM 'http://127.0.0.1/'><a/>",
        b"<!DOCTYPE a [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;&a;'>]><a>&b;</a>",
        b"<a>" + b"x" * autoconfig.MAX_BYTES + b"</a>",
    ],
)
def test_hostile_files_are_no_files(xml):
    with pytest.raises(ValueError):
        parse(xml, ADDRESS)
    assert autoconfig.read("https://x.test/", ADDRESS, lambda url, seconds: xml, 1.0) is None


def test_addresses_are_quoted_in_the_url():
    assert autoconfig.urls("a&b=c#d@found.test")[0].endswith("?emailaddress=a%26b%3Dc%23d%40found.test")


@pytest.fixture
def web(tmp_path, monkeypatch):
    """An HTTPS server on this machine that the guard lets us reach as any host, on any port."""
    certificates = ensure_certificates(tmp_path)
    answers, asked = {}, []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            status, headers, body = answers.get(self.path.partition("?")[0], (404, {}, b""))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            for piece in body if isinstance(body, list) else [body]:
                if isinstance(piece, float):
                    time.sleep(piece)
                else:
                    self.wfile.write(piece)

        def log_message(self, *args):
            """Quietly."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificates.certificate, certificates.key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()

    ours = ssl.create_default_context(cafile=str(certificates.ca))
    monkeypatch.setattr(guard, "tls_context", lambda pem: ours)
    hosts = []

    def open_socket(host, port, *, allow_private, ports, timeout):
        hosts.append((host, port, allow_private))
        if host not in {"localhost", "127.0.0.1"}:
            raise Forbidden
        return socket.create_connection(server.server_address, timeout)

    monkeypatch.setattr(guard, "open_socket", open_socket)
    yield answers, asked, hosts
    server.shutdown()
    server.server_close()


def test_fetching(web):
    answers, asked, hosts = web
    answers["/mail"] = (200, {}, b"<a/>")
    assert autoconfig.fetch("https://localhost/mail?x=1", 3.0) == b"<a/>"
    assert asked == ["/mail?x=1"]
    assert hosts == [("localhost", 443, False)]


def test_a_redirect_passes_the_guard_again(web):
    answers, _, hosts = web
    answers["/1"] = (302, {"Location": "/2"}, b"")
    answers["/2"] = (301, {"Location": "https://inside.test/3"}, b"")
    with pytest.raises(ProtocolError):
        autoconfig.fetch("https://localhost/1", 3.0)
    assert [host for host, *_ in hosts] == ["localhost", "localhost", "inside.test"]


@pytest.mark.parametrize(
    "where", ["http://localhost/2", "https://localhost:8443/2", "file:///etc/passwd", "", "https://"]
)
def test_a_redirect_to_something_else_ends_there(web, where):
    answers, asked, _ = web
    answers["/1"] = (302, {"Location": where}, b"")
    with pytest.raises((ValueError, OSError)):
        autoconfig.fetch("https://localhost/1", 3.0)
    assert "/2" not in asked


def test_a_circle_of_redirects_ends(web):
    answers, asked, _ = web
    answers["/1"] = (302, {"Location": "/1"}, b"")
    with pytest.raises(ValueError, match="redirects"):
        autoconfig.fetch("https://localhost/1", 3.0)
    assert len(asked) == 4


def test_a_long_file_is_not_read_to_its_end(web):
    answers, _, _ = web
    answers["/1"] = (200, {}, b"x" * (autoconfig.MAX_BYTES + 1))
    with pytest.raises(ValueError, match="too long"):
        autoconfig.fetch("https://localhost/1", 3.0)


def test_a_slow_drip_ends_in_time(web):
    answers, _, _ = web
    answers["/1"] = (200, {}, [piece for _ in range(40) for piece in (b"x", 0.1)])
    start = time.monotonic()
    with contextlib.suppress(OSError, ValueError):
        autoconfig.fetch("https://localhost/1", 0.5)
    assert time.monotonic() - start < 2.0


def test_a_certificate_for_another_name(web, monkeypatch):
    answers, asked, _ = web
    answers["/1"] = (200, {}, b"<a/>")
    here = guard.open_socket
    monkeypatch.setattr(guard, "open_socket", lambda host, port, **more: here("localhost", port, **more))
    with pytest.raises(ssl.SSLCertVerificationError):
        autoconfig.fetch("https://other.test/1", 3.0)
    assert asked == []
