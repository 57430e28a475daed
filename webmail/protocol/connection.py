"""One IMAP connection with the verbs of the RFC (skeleton: signatures are final)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from .types import Delta, Flag, FlagChange, Login, MailboxInfo, MailboxStatus, MessageData, Selected, Server


def connect(
    server: Server, login: Login | None, *, connect_timeout: float = 10, command_timeout: float = 60
) -> Connection:
    raise NotImplementedError


class Connection:
    server: Server
    capabilities: frozenset[str]
    selected: Selected | None
    last_used: float
    commands: int
    round_trips: int
    broken: bool

    def has(self, capability: str) -> bool:
        raise NotImplementedError

    def mailboxes(self) -> tuple[MailboxInfo, ...]:
        raise NotImplementedError

    def status(self, names: Sequence[str]) -> dict[str, MailboxStatus]:
        raise NotImplementedError

    def select(self, name: str, *, read_only: bool = True) -> Selected:
        raise NotImplementedError

    def newest(self, name: str, count: int, *, skip: int = 0) -> tuple[Selected, list[MessageData]]:
        raise NotImplementedError

    def fetch(self, name: str, uidvalidity: int, uids: Sequence[int]) -> list[MessageData]:
        raise NotImplementedError

    def fetch_range(self, name: str, uidvalidity: int, low: int, high: int) -> list[MessageData]:
        raise NotImplementedError

    def flags(self, name: str, uidvalidity: int, low: int = 1, high: int | None = None) -> list[FlagChange]:
        raise NotImplementedError

    def delta(self, name: str, uidvalidity: int, modseq: int, known_uids: Sequence[int] | None = None) -> Delta:
        raise NotImplementedError

    def uids(self, name: str, uidvalidity: int) -> list[int]:
        raise NotImplementedError

    def sections(self, name: str, uidvalidity: int, uid: int, sections: Mapping[str, int | None]) -> dict[str, bytes]:
        raise NotImplementedError

    def stream(
        self, name: str, uidvalidity: int, uid: int, section: str, *, chunk: int = 256 * 1024
    ) -> Iterator[bytes]:
        raise NotImplementedError

    def structure(self, name: str, uidvalidity: int, uid: int) -> MessageData:
        raise NotImplementedError

    def store(
        self,
        name: str,
        uidvalidity: int,
        uids: Sequence[int],
        *,
        add: Iterable[Flag | str] = (),
        remove: Iterable[Flag | str] = (),
    ) -> list[FlagChange]:
        raise NotImplementedError

    def noop(self) -> None:
        raise NotImplementedError

    def close(self) -> None:
        raise NotImplementedError
