"""The child of `bounded.py`: takes away its own rights, reads bytes, calls one function, writes its answer, ends.

It is started afresh for each piece of work, so it imports next to nothing before it knows which.
"""

from __future__ import annotations

import importlib
import os
import re
import resource
import struct
import sys

from webmail.protocol.errors import ProtocolError

WORK = re.compile(r"webmail\.protocol(\.[a-z][a-z0-9_]*)+:[a-z][a-z0-9_]*")

# An answer: how it went, how many bytes follow.
ANSWER_HEAD = struct.Struct(">cQ")
DONE, REFUSED, OUT_OF_MEMORY = b"+", b"-", b"m"

_OPEN_FILES = 64


def serve(work: str, cpu_seconds: int, memory: int) -> None:
    """Answer one question from standard input on standard output.

    Args:
        work: "webmail.protocol.module:function".
        cpu_seconds: CPU time from now on; one second more is the last.
        memory: bytes of address space.
    """
    answers = os.dup(1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)  # what a library prints is no answer
    _confine(cpu_seconds, memory)
    kind, body = _work(work)
    _write(answers, ANSWER_HEAD.pack(kind, len(body)))
    _write(answers, body)


def _confine(cpu_seconds: int, memory: int) -> None:
    """Take away what the work doesn't need. What a system doesn't know or refuses is left as it is."""
    for name, soft, hard in (
        ("RLIMIT_CORE", 0, 0),
        ("RLIMIT_FSIZE", 0, 0),
        ("RLIMIT_NOFILE", _OPEN_FILES, _OPEN_FILES),
        ("RLIMIT_CPU", cpu_seconds, cpu_seconds + 1),
        ("RLIMIT_AS", memory, memory),
    ):
        limit = getattr(resource, name, None)
        if limit is not None:
            try:
                resource.setrlimit(limit, (soft, hard))
            except (OSError, ValueError):
                continue


def _work(work: str) -> tuple[bytes, bytes]:
    """Call the function; how it went, and its bytes or the sentence and detail of its error."""
    try:
        if not WORK.fullmatch(work):
            return REFUSED, b"\nnot a function of webmail.protocol"
        length = int.from_bytes(sys.stdin.buffer.read(4), "big", signed=True)
        arguments = [] if length < 0 else [sys.stdin.buffer.read(length).decode("utf-8", "replace")]
        data = sys.stdin.buffer.read()
        module, _, function = work.partition(":")
        return DONE, bytes(getattr(importlib.import_module(module), function)(data, *arguments))
    except MemoryError:
        return OUT_OF_MEMORY, b""
    except ProtocolError as error:
        return REFUSED, f"{error.sentence}\n{error.detail}".encode("utf-8", "replace")
    except Exception as error:
        # Its text may hold a piece of the message, so only its name leaves.
        return REFUSED, f"\n{type(error).__name__}".encode()


def _write(fileno: int, data: bytes) -> None:
    octets = memoryview(data)
    while octets:
        octets = octets[os.write(fileno, octets[: 2**20]) :]


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
