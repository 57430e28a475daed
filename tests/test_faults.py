"""The list is true whatever dies: a tenth of `bench.faults`, by the bench's own functions, on one running product."""

from __future__ import annotations

import pytest

from bench import faults
from bench.trouble import stage

PEOPLE = [f"u{number}@demo.test" for number in range(20)]
LOGINS_PER_SECOND = 20  # four times what a deployment has, so that an outage is over in a quarter of the time
FAULTS = 253  # by which a worker and Redis are killed


def test_nothing_is_missed_and_nothing_differs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGINS_PER_SECOND", str(LOGINS_PER_SECOND))
    everybody = dict.fromkeys([faults.ADDRESS, *PEOPLE], faults.PASSWORD)
    with stage(everybody, faults.RUNS, most=faults.CUT_AFTER) as on:
        streams = faults.streams(on, 5, seed=1)
        assert streams["missed_changes"] == 0, streams

        tabs = faults.tabs(on, 5, messages=500, looks=10)
        assert (tabs["limit_errors"], tabs["pages_failed"]) == (0, 0), tabs

        outage = faults.outage(on, PEOPLE, 3.0)
        assert outage["logins_per_second_max"] <= LOGINS_PER_SECOND, outage
        assert outage["synced_s"] <= 90, outage
        assert outage["pages_failed"] == 0, outage

        changes = faults.changes(on, 1000, 500, 2, seed=FAULTS)
        assert (changes["differing_rows"], changes["settled_s"] is None) == (0, False), changes
