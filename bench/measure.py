"""How things are timed: in turns, so that a noisy moment meets every contestant, and by their medians."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any

Clock = Callable[[], float]
wall: Clock = time.perf_counter
# CPU of this thread alone: proxies and drivers in other threads don't count.
cpu: Clock = time.thread_time


def median_seconds(
    contestants: Mapping[str, Callable[[], object]],
    *,
    rounds: int,
    clock: Clock,
    before: Mapping[str, Callable[[], object]] | None = None,
) -> dict[str, float]:
    """Run every contestant once per round and return each one's median time in seconds.

    Args:
        contestants: what to time. The first tenth of the rounds warms up and isn't counted.
        clock: `wall` or `cpu`.
        before: what has to be done, untimed, before each run of a contestant.
    """
    times: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(rounds + rounds // 10 + 1):
        for name, run in contestants.items():
            if before and name in before:
                before[name]()
            start = clock()
            run()
            times[name].append(clock() - start)
    return {name: statistics.median(spent[rounds // 10 + 1 :]) for name, spent in times.items()}


class Wsgi:
    """Calls a WSGI application as a server would, without a socket between.

    Args:
        application: the callable.
        cookie: the Cookie header to send.
    """

    def __init__(self, application: Callable[..., Any], cookie: str = "") -> None:
        from django.test import RequestFactory  # noqa: PLC0415 - settings come first

        self._application = application
        self._environ = RequestFactory().get("/").environ | {"HTTP_COOKIE": cookie}

    def get(self, path: str, **headers: str) -> bytes:
        """Return the body of a 200 answer.

        Raises:
            AssertionError: any other status: a wrong answer is an error, never a time.
        """
        return b"".join(self.stream(path, **headers))

    def stream(self, path: str, **headers: str) -> Any:
        """Yield the body of a 200 answer in the pieces the application gives."""
        path, _, query = path.partition("?")
        environ = self._environ | {"PATH_INFO": path, "QUERY_STRING": query} | headers
        status: list[str] = []

        def start(line: str, _headers: object, _error: object = None) -> None:
            status.append(line)

        body = self._application(environ, start)
        try:
            assert status[-1].startswith("200"), f"{path}: {status[-1]}"
            yield from body
        finally:
            body.close()


def table(numbers: Mapping[str, float], goals: Mapping[str, float]) -> str:
    """The numbers, a line each, beside their goals: what none may be above."""
    width = max(map(len, numbers))
    lines = []
    for name, number in numbers.items():
        goal = goals.get(name)
        verdict = "" if goal is None else f"≤ {goal:<6} {'yes' if number <= goal else 'NO'}"
        lines.append(f"{name:{width}} {number:>8} {verdict}".rstrip())
    return "\n".join(lines)
