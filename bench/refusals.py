"""How long the guard takes to refuse an address, and in which words: `python -m bench.refusals [--json]` (threat T9).

Every host form of tests/protocol/test_guard.py, names that lead into our own network (those of /etc/hosts), names that
don't exist, ports that aren't for mail, and on loopback a port that listens beside one that doesn't; real clock, real
look-ups, sixteen at once.

forms             how many
sentences         different words they were refused in (1)
connections       that reached the port that listens (0)
fastest_ms, slowest_ms, spread_percent   of all refusals (< 20 %)
open_ms, closed_ms   medians for the two ports on loopback
"""

from __future__ import annotations

import argparse
import json
import secrets
import socket
import statistics
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.protocol.test_guard import ALL_FORMS
from webmail.protocol import guard
from webmail.protocol.errors import ProtocolError

TIMES = 16  # for each of the two ports
SPREAD_GOAL = 20.0


def measure() -> dict[str, Any]:
    """Refuse all of them."""
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.create_server(("127.0.0.1", 0)) as other:
        listens, silent = listener.getsockname()[1], other.getsockname()[1]
        other.close()
        unknown = [f"{secrets.token_hex(8)}.invalid" for _ in range(8)]
        asked = [(host, 993) for host in (*ALL_FORMS, "localhost", "ip6-localhost", socket.gethostname(), *unknown)]
        asked += [("93.184.215.14", port) for port in (22, 25, 80, 6379)]
        found = _refuse(asked)
        by_port = _refuse([("127.0.0.1", listens), ("127.0.0.1", silent)] * TIMES)
        listener.settimeout(0.2)
        connections = 0
        try:
            listener.accept()
            connections = 1
        except TimeoutError:
            pass
    times = [milliseconds for _, milliseconds in (*found, *by_port)]
    return {
        "forms": len(asked) + 2,
        "sentences": len({words for words, _ in (*found, *by_port)}),
        "connections": connections,
        "fastest_ms": round(min(times), 1),
        "slowest_ms": round(max(times), 1),
        "spread_percent": round((max(times) / min(times) - 1) * 100, 1),
        "open_ms": round(statistics.median(each for _, each in by_port[::2]), 1),
        "closed_ms": round(statistics.median(each for _, each in by_port[1::2]), 1),
    }


def _refuse(asked: Sequence[tuple[str, int]]) -> list[tuple[str, float]]:
    with ThreadPoolExecutor(16) as people:
        return list(people.map(lambda place: _refusal(*place), asked))


def _refusal(host: str, port: int) -> tuple[str, float]:
    """The words of one refusal and how long it took, in milliseconds."""
    ports = guard.MAIL_PORTS | ({port} if host == "127.0.0.1" else set())
    begun = time.perf_counter()
    try:
        guard.open_socket(host, port, allow_private=False, ports=ports, timeout=10).close()
        words = "it was let through"
    except ProtocolError as error:
        words = f"{error.sentence} {error.detail}"
    return words, (time.perf_counter() - begun) * 1000


def main() -> int:
    """Print the numbers, and say whether the goals are met."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="one JSON object")
    numbers = measure()
    if parser.parse_args().json:
        print(json.dumps(numbers))
    else:
        for name, number in numbers.items():
            print(f"{name:16} {number:>10}")
    return int(numbers["spread_percent"] >= SPREAD_GOAL or numbers["sentences"] > 1 or numbers["connections"] > 0)


if __name__ == "__main__":
    sys.exit(main())
