"""Finding servers: what a domain announces comes before guesses, and everything ends in time."""

from __future__ import annotations

import threading
import time

import pytest

from webmail.protocol import discovery
from webmail.protocol.discovery import Candidate, discover
from webmail.protocol.errors import ConnectionFailed, Untrusted
from webmail.protocol.types import Security, Server

ADDRESS = "carol@found.test"
CONFIG = b"""<clientConfig version="1.1"><emailProvider id="found.test">
<incomingServer type="imap"><hostname>mx.found.test</hostname><port>993</port><socketType>SSL</socketType>
<username>%EMAILLOCALPART%</username><authentication>password-cleartext</authentication></incomingServer>
<outgoingServer type="smtp"><hostname>mx.found.test</hostname><port>587</port><socketType>STARTTLS</socketType>
<username>%EMAILLOCALPART%</username><authentication>password-cleartext</authentication></outgoingServer>
</emailProvider></clientConfig>"""


class World:
    """A made-up internet: SRV records, files and the hosts that answer."""

    def __init__(self, srv=None, files=None, answering=(), failing=None):
        self.srv, self.files, self.answering = srv or {}, files or {}, set(answering)
        self.failing = failing or {}
        self.tried = []

    def resolve(self, name):
        return self.srv.get(name, [])

    def fetch(self, url, seconds):
        for part, content in self.files.items():
            if part in url:
                return content
        raise OSError("no such host")

    def try_server(self, server):
        self.tried.append(server)
        if server.host in self.failing:
            raise self.failing[server.host]
        if (server.host, server.port) not in self.answering:
            raise ConnectionFailed

    def find(self, address=ADDRESS):
        return discover(
            address, resolve=self.resolve, fetch=self.fetch, try_imap=self.try_server, try_smtp=self.try_server
        )


def test_srv_records():
    world = World(
        srv={
            "_imaps._tcp.found.test": [("One.Found.test", 993), ("two.found.test", 993)],
            "_imap._tcp.found.test": [("three.found.test", 143)],
            "_submissions._tcp.found.test": [("out.found.test", 465)],
        },
        answering=[
            ("one.found.test", 993),
            ("two.found.test", 993),
            ("three.found.test", 143),
            ("out.found.test", 465),
        ],
    )
    smtp = Server("out.found.test", 465)
    assert world.find() == (
        Candidate(Server("one.found.test", 993), smtp),
        Candidate(Server("two.found.test", 993), smtp),
        Candidate(Server("three.found.test", 143, Security.STARTTLS), smtp),
    )


def test_autoconfig_and_its_user_name():
    world = World(files={"autoconfig.found.test": CONFIG}, answering=[("mx.found.test", 993), ("mx.found.test", 587)])
    assert world.find() == (
        Candidate(Server("mx.found.test", 993), Server("mx.found.test", 587, Security.STARTTLS), "local"),
    )


def test_the_well_known_place():
    world = World(files={"found.test/.well-known/": CONFIG}, answering=[("mx.found.test", 993)])
    assert [found.imap.host for found in world.find()] == ["mx.found.test"]


def test_common_names():
    world = World(answering=[("mail.found.test", 993), ("smtp.found.test", 587)])
    assert world.find() == (
        Candidate(Server("mail.found.test", 993), Server("smtp.found.test", 587, Security.STARTTLS)),
    )


def test_nothing_is_guessed_where_something_is_announced():
    world = World(srv={"_imaps._tcp.found.test": [("one.found.test", 993)]}, answering=[("one.found.test", 993)])
    world.find()
    assert not any(server.host == "imap.found.test" for server in world.tried)


def test_nothing_found():
    assert World().find() == ()


def test_no_server_without_tls():
    plain = CONFIG.replace(b"SSL", b"plain").replace(b"STARTTLS", b"plain")
    world = World(files={"autoconfig.found.test": plain})
    assert world.find() == ()
    assert all(server.security is not Security.NONE for server in world.tried)


def test_a_bad_certificate_is_told_even_of_a_guess():
    with pytest.raises(Untrusted):
        World(failing={"imap.found.test": Untrusted()}).find()


def test_what_is_wrong_with_an_announced_server_is_told():
    with pytest.raises(ConnectionFailed):
        World(srv={"_imaps._tcp.found.test": [("one.found.test", 993)]}).find()


def test_a_bad_one_beside_a_good_one_does_no_harm():
    world = World(answering=[("mail.found.test", 993)], failing={"imap.found.test": Untrusted()})
    assert [found.imap.host for found in world.find()] == ["mail.found.test"]


def test_it_ends_in_time_whatever_hangs(monkeypatch):
    monkeypatch.setattr(discovery, "SECONDS", 0.6)
    monkeypatch.setattr(discovery, "_LOOK_UP_SECONDS", 0.3)
    over = threading.Event()

    def hang(*args):
        over.wait(10)

    start = time.monotonic()
    assert discover(ADDRESS, resolve=hang, fetch=hang, try_imap=hang, try_smtp=hang) == ()
    assert time.monotonic() - start < 1.5
    over.set()


def test_what_a_look_up_lets_fall_is_nothing_found():
    world = World(answering=[("imap.found.test", 993)])
    world.resolve = lambda name: 1 / 0
    assert [found.imap.host for found in world.find()] == ["imap.found.test"]


def test_srv_records_without_an_answer():
    assert discovery.srv_records("_imaps._tcp.no-such-domain.invalid") == []
