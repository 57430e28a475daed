"""Whose mailboxes stand under which names (RFC 2342 NAMESPACE)."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from .tokens import Token, skip, string
from .types import Space

MOST = 100  # namespaces of one kind
_KINDS = (Space.OWN, Space.OTHER, Space.SHARED)  # in the order of the response


@dataclass(frozen=True, slots=True)
class Namespaces:
    """The prefixes of names, as the wire has them, and whose mailboxes they begin."""

    prefixes: tuple[tuple[bytes, Space], ...] = ()

    @classmethod
    def read(cls, tokens: list[Token]) -> Namespaces:
        """`* NAMESPACE personal other shared`, each NIL or a list of `(prefix delimiter …)`."""
        found: list[tuple[bytes, Space]] = []
        at = 2
        for space in _KINDS:
            if at >= len(tokens):
                break
            end = skip(tokens, at)
            found += [(prefix, space) for prefix in _prefixes(tokens, at, end)]
            at = end
        return cls(tuple(found))

    def space_of(self, name: bytes) -> Space:
        """Whose mailbox this is: by the longest prefix; the person's own where there is none."""
        fitting = [(len(prefix), space) for prefix, space in self.prefixes if _begins(name, prefix)]
        return max(fitting, key=lambda each: each[0])[1] if fitting else Space.OWN

    def apart_from(self, listed: Collection[bytes]) -> list[bytes]:
        """The prefixes of others' mailboxes of which a list has none: a server may leave them out of "*"."""
        others = [prefix for prefix, space in self.prefixes if prefix and space is not Space.OWN]
        return [prefix for prefix in others if not any(_begins(name, prefix) for name in listed)]


def _prefixes(tokens: list[Token], at: int, end: int) -> Iterator[bytes]:
    at, count = at + 1, 0
    while at + 1 < end and tokens[at] == b"(" and count < MOST:
        yield string(tokens[at + 1])
        at = skip(tokens, at)
        count += 1


def _begins(name: bytes, prefix: bytes) -> bool:
    """Whether the name lies under the prefix, or is its root without the delimiter at its end."""
    return name.startswith(prefix) or name == prefix[:-1]
