"""Sets of UIDs as IMAP writes them, "1:5,7,9:12" (RFC 9051 §9 sequence-set): compact out, bounded in."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence

from .errors import BadAnswer

MAX_UID = (1 << 32) - 1
MAX_MESSAGES = 1_200_000  # of one mailbox: what one answer may make us hold in memory


def write_sets(uids: Iterable[int], *, octets: int = 8_000, count: int = 0) -> Iterator[tuple[bytes, int]]:
    """The UIDs in ranges, cut into sets that fit into a command line.

    Args:
        uids: any order, doubles allowed; 0, negative and too large ones are left out: no message has them.
        octets: how long one set may get.
        count: how many UIDs one set may name; 0 for any number.

    Returns:
        each set with the number of UIDs it names, ascending.
    """
    parts: list[bytes] = []
    length = named = 0
    for low, high in _ranges(uids, count):
        part = b"%d" % low if low == high else b"%d:%d" % (low, high)
        if parts and (length + len(part) >= octets or (count and named + high - low + 1 > count)):
            yield b",".join(parts), named
            parts, length, named = [], 0, 0
        parts.append(part)
        length += len(part) + 1
        named += high - low + 1
    if parts:
        yield b",".join(parts), named


def read_set(text: bytes, limit: int = MAX_MESSAGES) -> list[int]:
    """All numbers of a set, ascending, each once.

    Args:
        text: as the server wrote it.
        limit: how many there may be at most; the rest is left out.

    Raises:
        BadAnswer: it is no set.
    """
    numbers: set[int] = set()
    work = 2 * limit  # ranges may overlap; ten thousand times the same one must not cost ten thousand times as much
    for part in text.strip().split(b","):
        first, colon, last = part.partition(b":")
        last = last if colon else first
        if not (first.isdigit() and last.isdigit() and len(first) <= 10 and len(last) <= 10):
            raise BadAnswer(detail="a set of numbers that can't be read")
        low, high = sorted((int(first), min(int(last), MAX_UID)))
        high = min(high, low + limit - len(numbers) - 1)
        numbers.update(range(low, high + 1))
        work -= high - low + 1
        if len(numbers) >= limit or work <= 0:
            break
    return sorted(numbers)


def pack(uids: Sequence[int]) -> str:
    """Strictly ascending numbers of any size as a set, for keeping."""
    return ",".join(f"{low}:{high}" if low != high else f"{low}" for low, high in ranges(uids))


def unpack(text: str) -> list[int]:
    """The numbers of a set that `pack` wrote."""
    numbers: list[int] = []
    for part in text.split(",") if text else ():
        low, _, high = part.partition(":")
        numbers.extend(range(int(low), int(high or low) + 1))
    return numbers


def among(text: str, numbers: Sequence[int]) -> list[int]:
    """Those of some ascending numbers that are in a set that `pack` wrote."""
    found: list[int] = []
    for part in text.split(",") if text else ():
        low, _, high = part.partition(":")
        found += numbers[bisect_left(numbers, int(low)) : bisect_right(numbers, int(high or low))]
    return found


def last(text: str) -> int:
    """The last number of a set that `pack` wrote; 0 where it is empty."""
    return int(text[max(text.rfind(","), text.rfind(":")) + 1 :]) if text else 0


def ranges(uids: Sequence[int]) -> Iterator[tuple[int, int]]:
    """The first and last number of each run of strictly ascending numbers. A long run takes hardly longer."""
    at, end = 0, len(uids)
    while at < end:
        low, last, step = uids[at], at, 1
        while step:  # ever longer leaps while they stay in the run, then ever shorter ones
            leap = last + step
            if leap < end and uids[leap] - low == leap - at:
                last, step = leap, step * 2
            else:
                step //= 2
        yield low, uids[last]
        at = last + 1


def _ranges(uids: Iterable[int], count: int) -> Iterator[tuple[int, int]]:
    """Likewise of numbers in any order, none longer than `count`, if that isn't 0."""
    numbers = sorted(set(uids))
    for low, high in ranges(numbers[bisect_left(numbers, 1) : bisect_right(numbers, MAX_UID)]):
        for first in range(low, high + 1, count) if count else (low,):
            yield first, min(high, first + count - 1) if count else high
