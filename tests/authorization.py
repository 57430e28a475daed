"""A mail provider's authorization server on loopback, after the RFCs: codes, tokens, and whose a token is.

The far end of OAuth, and all of it that is replaced. `/authorize`, `/token` and `/revoke` answer by https, with a
certificate of `ensure_certificates`; `/introspect` by plain HTTP, for Dovecot.
"""

from __future__ import annotations

import base64
import hashlib
import http.server
import json
import secrets
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

from webmail.demo.certificates import ensure_certificates
from webmail.protocol.oauth import Client

CLIENT_ID, CLIENT_SECRET, SCOPES = "webmail", "client-secret-5d1", "mail offline_access"


@dataclass
class Authorization:
    """The server. What a test may change stands first.

    Args:
        person: who is signed in at the provider and allows it; "" for whoever the hint names.
        denies: the error that the person's answer comes to, "" where they allow it.
        rotates: each refresh gives a new refresh token and ends the old one.
        seconds: that an access token lives.
        answer: what the token endpoint, and that for revoking, answers to everything, if not None: status and body.
        pause: seconds that the token endpoint takes.
    """

    person: str = ""
    denies: str = ""
    rotates: bool = False
    seconds: int = 3600
    answer: tuple[int, bytes] | None = None
    pause: float = 0.0
    redirect_uris: set[str] = field(default_factory=lambda: {"http://testserver/sign-in/return/"})
    asked: list[dict[str, str]] = field(default_factory=list)  # the forms that came to the token endpoint
    revoked: list[dict[str, str]] = field(default_factory=list)  # and to that for revoking
    handed_out: list[str] = field(default_factory=list)  # codes and tokens, and the verifiers that came
    introspected: int = 0
    ca_pem: str = ""
    port: int = 0
    introspection_port: int = 0
    _codes: dict[str, dict[str, str]] = field(default_factory=dict)
    _access: dict[str, tuple[str, float]] = field(default_factory=dict)
    _refresh: dict[str, str] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def client(self) -> Client:
        here = f"https://127.0.0.1:{self.port}"
        return Client(
            f"{here}/authorize?access_type=offline",
            f"{here}/token",
            CLIENT_ID,
            CLIENT_SECRET,
            SCOPES,
            self.ca_pem,
            True,
            f"{here}/revoke",
        )

    @property
    def introspection_url(self) -> str:
        return f"http://127.0.0.1:{self.introspection_port}/introspect"

    def reset(self) -> None:
        """As it was at first; tokens stay good."""
        fresh = Authorization()
        for name in ("person", "denies", "rotates", "seconds", "answer", "pause"):
            setattr(self, name, getattr(fresh, name))
        self.asked.clear()
        self.revoked.clear()
        self.handed_out.clear()

    def grant(self, person: str) -> dict[str, object]:
        """Tokens for somebody, as the token endpoint words them."""
        access, refresh = f"access-{secrets.token_urlsafe(24)}", f"refresh-{secrets.token_urlsafe(24)}"
        self._access[access] = person, time.time() + self.seconds
        self._refresh[refresh] = person
        self.handed_out += [access, refresh]
        return {"access_token": access, "token_type": "Bearer", "expires_in": self.seconds, "refresh_token": refresh}

    def end_access(self) -> None:
        """Every access token is worth nothing from now on."""
        self._access.clear()

    def end_grants(self) -> None:
        """Every refresh token too."""
        self._access.clear()
        self._refresh.clear()

    def authorize(self, query: dict[str, str]) -> str:
        """Where the browser goes back to.

        Raises:
            ValueError: a request that is not answered with a redirect (RFC 6749 §4.1.2.1).
        """
        if query.get("client_id") != CLIENT_ID or query.get("redirect_uri") not in self.redirect_uris:
            raise ValueError("no such client, or a redirect URI that isn't its own")
        answer = {"state": query["state"]}
        if self.denies:
            answer["error"] = self.denies
        elif query["response_type"] != "code" or query["code_challenge_method"] != "S256" or query["scope"] != SCOPES:
            answer["error"] = "invalid_request"
        else:
            answer["code"] = code = f"code-{secrets.token_urlsafe(24)}"
            self.handed_out.append(code)
            self._codes[code] = {
                "person": self.person or query["login_hint"],
                "challenge": query["code_challenge"],
                "redirect_uri": query["redirect_uri"],
            }
        return f"{query['redirect_uri']}?{urlencode(answer)}"

    def token(self, form: dict[str, str]) -> tuple[int, dict[str, object]]:
        """The token endpoint (RFC 6749 §5)."""
        if form.get("client_id") != CLIENT_ID or form.get("client_secret") != CLIENT_SECRET:
            return 401, {"error": "invalid_client"}
        with self._lock:
            if form["grant_type"] == "refresh_token":
                person = self._refresh.get(form["refresh_token"])
                if person is None:
                    return 400, {"error": "invalid_grant", "error_description": f"{form['refresh_token']} has ended"}
                granted = self.grant(person)
                if self.rotates:
                    del self._refresh[form["refresh_token"]]
                else:
                    self._refresh.pop(str(granted.pop("refresh_token")))
                return 200, granted
            flow = self._codes.pop(form["code"], None)
            self.handed_out.append(form["code_verifier"])
            verifier = hashlib.sha256(form["code_verifier"].encode()).digest()
            challenge = base64.urlsafe_b64encode(verifier).decode().rstrip("=")
            if flow is None or flow["redirect_uri"] != form["redirect_uri"] or flow["challenge"] != challenge:
                return 400, {"error": "invalid_grant"}
            return 200, self.grant(flow["person"])

    def revoke(self, form: dict[str, str]) -> tuple[int, dict[str, object]]:
        """The revocation endpoint (RFC 7009 §2)."""
        if form.get("client_id") != CLIENT_ID or form.get("client_secret") != CLIENT_SECRET:
            return 401, {"error": "invalid_client"}
        self._refresh.pop(form["token"], None)
        return 200, {}

    def introspect(self, token: str) -> dict[str, object]:
        """Whose a token is (RFC 7662 §2.2)."""
        self.introspected += 1
        person, until = self._access.get(token, ("", 0.0))
        return {"active": True, "username": person} if until > time.time() else {"active": False}


@contextmanager
def authorization_server(directory: Path) -> Iterator[Authorization]:
    """The server, while it lasts."""
    files = ensure_certificates(directory)
    server = Authorization(ca_pem=files.ca.read_text())
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(files.certificate, files.key)
    listeners = [http.server.ThreadingHTTPServer(("127.0.0.1", 0), _handler(server)) for _ in range(2)]
    listeners[0].socket = context.wrap_socket(listeners[0].socket, server_side=True, do_handshake_on_connect=False)
    server.port, server.introspection_port = (each.server_address[1] for each in listeners)
    for each in listeners:
        each.daemon_threads = True
        each.handle_error = lambda *_: None  # type: ignore[method-assign]  # handshakes that were refused
        threading.Thread(target=each.serve_forever, args=(0.05,), daemon=True).start()
    yield server
    for each in listeners:
        each.shutdown()
        each.server_close()


def _handler(server: Authorization) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            try:
                where = server.authorize({name: values[0] for name, values in parse_qs(parts.query).items()})
            except (ValueError, KeyError) as error:
                self._say(400, str(error).encode())
                return
            self._say(302, b"", ("Location", where))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode()
            form = {name: values[0] for name, values in parse_qs(body).items()}
            if self.path == "/introspect":
                self._say(200, json.dumps(server.introspect(form.get("token", ""))).encode())
                return
            is_revoking = self.path == "/revoke"
            (server.revoked if is_revoking else server.asked).append(form)
            time.sleep(server.pause)
            if server.answer is not None:
                self._say(*server.answer)
                return
            status, data = server.revoke(form) if is_revoking else server.token(form)
            self._say(status, json.dumps(data).encode())

        def _say(self, status: int, body: bytes, *fields: tuple[str, str]) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            for name, value in fields:
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Quietly."""

    return Handler
