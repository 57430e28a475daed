"""COMPRESS=DEFLATE (RFC 4978) where it is offered and the link gains by it."""

from __future__ import annotations

from .exchange import read_answer
from .wire import Wire

FROM_SECONDS = 0.005  # of a round trip: whoever is nearer has the bandwidth, and is only slowed down by it


def compress(wire: Wire, capabilities: frozenset[str]) -> None:
    """Compress both directions. Called after the log-in, so no password is compressed beside what others wrote.

    Raises:
        ConnectionLost, BadAnswer: as `Wire.response`.
    """
    seconds = wire.round_trip_seconds()
    if "COMPRESS=DEFLATE" not in capabilities or seconds is None or seconds < FROM_SECONDS:
        return
    wire.commands += 1
    wire.round_trips += 1
    wire.send(b"Z1 COMPRESS DEFLATE\r\n")
    while not (line := wire.response()[0]).startswith(b"Z1 "):
        pass
    if read_answer(line[3:]).ok:
        wire.start_deflate()
