"""The administrator's "Test connection", step by step (skeleton: signatures are final)."""

from __future__ import annotations

from collections.abc import Iterator

from .types import Login, Server, Step


def probe(server: Server, login: Login | None) -> tuple[Step, ...]:
    return tuple(iter_probe(server, login))


def iter_probe(server: Server, login: Login | None) -> Iterator[Step]:
    raise NotImplementedError


def probe_smtp(server: Server, login: Login | None) -> tuple[Step, ...]:
    return tuple(iter_probe_smtp(server, login))


def iter_probe_smtp(server: Server, login: Login | None) -> Iterator[Step]:
    raise NotImplementedError
