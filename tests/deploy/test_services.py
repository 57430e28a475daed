"""The whole deployment at work: every service's own command, and alice reads her mail through all of them."""

from __future__ import annotations

import imaplib
import signal
import ssl
import time
from collections.abc import Iterator

import pytest

from tests.deploy import stores
from tests.deploy.browser import Browser
from tests.deploy.machine import PORTS, PROXY_HTTPS, Machine
from webmail.demo.imap_server import log_tail

PRODUCT = ("web", "live", "worker", "beat", "watch")


@pytest.fixture(scope="module")
def deployment(machine: Machine, demo_certificate: str) -> Iterator[Machine]:
    """Everything runs, in the order in which docker-compose.yml starts it."""
    machine.collect_static()
    machine.run("migrate")
    for name in PRODUCT:
        machine.start(name)
    stores.start_proxy(machine)
    certificate = machine.directory / "demo.pem"
    certificate.write_text(demo_certificate)
    machine.run("seed", DEMO_CA=str(certificate))
    yield machine
    for name in ("proxy", *PRODUCT):
        machine.stop(name)


@pytest.fixture
def visitor(deployment: Machine) -> Browser:
    base = f"https://localhost:{deployment.ports[PROXY_HTTPS]}"
    return Browser(base, str(stores.proxy_authority(deployment)))


@pytest.mark.parametrize("name", [*PRODUCT, "proxy", "postgres", "redis", "dovecot"])
def test_service_is_healthy(deployment: Machine, name: str) -> None:
    assert deployment.healthy(name)


def test_alice_signs_in_and_reads_a_mail(deployment: Machine, visitor: Browser, demo_certificate: str) -> None:
    inbox = visitor.sign_in("alice@demo.test", "demo")
    assert inbox.status == 200 and "/mailbox/" in inbox.url
    assert {cookie.name: cookie.secure for cookie in visitor.cookies}["__Host-session"]

    unread = inbox.text.partition('class="row unread"')[2]
    assert unread, inbox.text[:2000]
    link = unread.partition('href="')[2].partition('"')[0]
    before = _unseen(deployment, demo_certificate)
    message = visitor.get(link)
    assert message.status == 200 and 'class="subject"' in message.text

    deadline = time.monotonic() + 15
    while _unseen(deployment, demo_certificate) != before - 1:
        assert time.monotonic() < deadline, "the worker never marked the message as read on the server"
        time.sleep(0.2)


def test_styles_and_scripts_are_served_compressed_and_for_ever(visitor: Browser) -> None:
    files = visitor.get("/sign-in/").links(r"^/static/")
    assert files
    for path in files:
        answer = visitor.get(path)
        assert answer.status == 200, path
        assert "immutable" in answer.headers["Cache-Control"], path


def test_wrong_password_is_told(visitor: Browser) -> None:
    page = visitor.sign_in("bob@demo.test", "guess")
    assert page.status == 200 and "/sign-in/" in page.url
    assert "password" in page.text.lower()


def test_answers_insist_on_tls_and_name_no_program(visitor: Browser) -> None:
    headers = visitor.get("/sign-in/").headers
    assert headers["Strict-Transport-Security"].startswith("max-age=63072000")
    assert "Server" not in headers


@pytest.mark.parametrize("name", ["worker", "beat", "watch", "live", "web"])
def test_service_killed_and_started_again_goes_on(deployment: Machine, visitor: Browser, name: str) -> None:
    deployment.stop(name, signal.SIGKILL)
    deployment.start(name)
    assert visitor.sign_in("alice@demo.test", "demo").status == 200


@pytest.mark.parametrize("name", PRODUCT)
def test_service_ends_when_told_to(deployment: Machine, name: str) -> None:
    status = deployment.stop(name)
    deployment.start(name)
    log = log_tail(deployment.directory / f"{name}.log")
    assert status in (0, -signal.SIGTERM), f"{name} ended with status {status}:\n{log}"


def test_redis_refused_the_product_nothing(deployment: Machine) -> None:
    logs = "".join(path.read_text(errors="replace") for path in deployment.directory.glob("*.log"))
    assert logs and "NOPERM" not in logs and "no permissions" not in logs


def test_no_secret_is_written_to_a_log(deployment: Machine) -> None:
    logs = "".join(path.read_text(errors="replace") for path in deployment.directory.glob("*.log"))
    assert logs
    for secret in deployment.secrets.iterdir():
        if secret.name != "redis_users":
            assert secret.read_text() not in logs, secret.name


def _unseen(machine: Machine, certificate: str) -> int:
    context = ssl.create_default_context(cadata=certificate)
    with imaplib.IMAP4_SSL("127.0.0.1", machine.ports[PORTS["dovecot"]], ssl_context=context, timeout=10) as client:
        client.login("alice@demo.test", "demo")
        client.select("INBOX", readonly=True)
        return len(client.search(None, "UNSEEN")[1][0].split())
