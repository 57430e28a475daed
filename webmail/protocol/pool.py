"""Lends connections of one account (skeleton: signatures are final)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from .connection import Connection


class Pool:
    def __init__(self, connect: Callable[[], Connection], *, cap: int = 3, idle_seconds: float = 300) -> None:
        raise NotImplementedError

    @contextmanager
    def lend(self, mailbox: str | None = None, *, timeout: float = 10.0) -> Iterator[Connection]:
        raise NotImplementedError

    def close_idle(self) -> int:
        raise NotImplementedError

    def close(self) -> None:
        raise NotImplementedError
