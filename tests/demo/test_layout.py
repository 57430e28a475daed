"""What `make run` writes down: secrets that stay, ports that are free, a file that is nobody else's business."""

from __future__ import annotations

import socket
import stat
from pathlib import Path

import pytest

from webmail.demo import layout
from webmail.demo.places import LONGEST_SOCKET


@pytest.fixture
def var(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VAR_DIR", str(tmp_path / "var"))
    monkeypatch.delenv("REDIS_URL")
    return tmp_path / "var"


def test_secrets_are_made_once_and_kept_closed(var: Path) -> None:
    layout.prepare()
    first = layout.read_env(var / "env")
    assert {path.name for path in (var / "certificates").iterdir()} == {"ca.pem", "server.pem", "server.key"}
    layout.prepare()
    assert layout.read_env(var / "env") == first
    assert len(first["SECRET_KEY"]) >= 50
    assert stat.S_IMODE(var.stat().st_mode) == 0o700
    assert stat.S_IMODE((var / "env").stat().st_mode) == 0o600
    assert stat.S_IMODE(layout.current().certificates.key.stat().st_mode) == 0o600


def test_a_port_taken_by_others_is_changed_and_no_other(var: Path) -> None:
    before = layout.prepare()
    with socket.socket() as other:
        other.bind((layout.HOST, before.imap_port))
        other.listen()
        after = layout.prepare()
    assert after.imap_port != before.imap_port
    assert after.imaps_port == before.imaps_port
    ports = {after.imap_port, after.imaps_port, after.submission_port, after.submissions_port}
    assert len(ports | {after.web_port, after.live_port}) == 6


def test_a_port_that_is_wanted_for_something_else_is_not_chosen(var: Path) -> None:
    before = layout.prepare()
    assert layout.prepare(before.web_port).web_port != before.web_port


def test_the_socket_is_short_however_deep_the_clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, var: Path) -> None:
    deep = tmp_path / ("d" * 90)
    deep.mkdir()
    monkeypatch.setenv("VAR_DIR", str(deep / "var"))
    path = layout.prepare().redis_socket
    try:
        assert len(str(path)) <= LONGEST_SOCKET
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    finally:
        path.parent.rmdir()


def test_without_a_run_the_error_says_what_to_do(var: Path) -> None:
    with pytest.raises(RuntimeError, match="make run"):
        layout.current()
