"""PostgreSQL, Redis and the demo's mail server as docker-compose.yml and deploy/ set them up."""

from __future__ import annotations

import imaplib
import ssl
import time

import psycopg
import pytest
import redis

from tests.deploy import stores
from tests.deploy.machine import PORTS, Machine


def test_product_owns_its_database_and_nothing_else(machine: Machine) -> None:
    with psycopg.connect((machine.secrets / "database_url").read_text()) as database:
        row = database.execute("SELECT rolsuper, rolcreatedb, rolcreaterole FROM pg_roles WHERE rolname = 'webmail'")
        assert row.fetchone() == (False, False, False)
        database.execute("CREATE TABLE proof (id int)")
        database.rollback()


def test_database_wants_a_password(machine: Machine) -> None:
    port = machine.ports[PORTS["postgres"]]
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(host="127.0.0.1", port=port, user="webmail", dbname="webmail", password="guess")


def test_stranger_may_only_ping_redis(machine: Machine) -> None:
    client = redis.Redis(port=machine.ports[PORTS["redis"]])
    assert client.ping()
    with pytest.raises(redis.exceptions.NoPermissionError):
        client.get("anything")


@pytest.mark.parametrize("command", ["FLUSHALL", "CONFIG GET *", "KEYS *", "SHUTDOWN", "ACL LIST"])
def test_product_may_not_hurt_redis(machine: Machine, command: str) -> None:
    client = redis.Redis.from_url((machine.secrets / "redis_url").read_text())
    with pytest.raises(redis.exceptions.NoPermissionError):
        client.execute_command(*command.split())


def test_redis_keeps_what_it_was_told_when_killed(machine: Machine) -> None:
    client = redis.Redis.from_url((machine.secrets / "redis_url").read_text())
    client.set("kept", "yes")
    time.sleep(1.5)  # appendfsync everysec
    machine.stop("redis", 9)
    stores.start_redis(machine)
    assert client.get("kept") == b"yes"
    client.delete("kept")


def test_demo_server_lets_its_people_in(demo_certificate: str, machine: Machine) -> None:
    context = ssl.create_default_context(cadata=demo_certificate)
    with imaplib.IMAP4_SSL("127.0.0.1", machine.ports[PORTS["dovecot"]], ssl_context=context, timeout=10) as client:
        client.login("alice@demo.test", "demo")
        assert client.select("INBOX")[0] == "OK"
