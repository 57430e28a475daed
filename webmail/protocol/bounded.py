"""Untrusted bytes meet a large parser only in here: in a child process that may die, with an answer of bounded size.

The room's one law: whatever the bytes do to the parser (an endless loop, all the memory, a crash, a flood), the caller
gets bytes or one clear error before its deadline, and nothing of the child is left. The child is `confined.py`.
"""

from __future__ import annotations

import contextlib
import os
import re
import selectors
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from webmail.protocol.confined import ANSWER_HEAD, DONE, OUT_OF_MEMORY, WORK
from webmail.protocol.errors import Busy, TooMuch, Unreadable

AT_ONCE = 2  # children per process: each may take `memory` bytes

_ROOT = str(Path(__file__).resolve().parents[2])
_CHUNK = 256 * 1024
_LONGEST_SENTENCE = 300
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")
_slots = threading.BoundedSemaphore(AT_ONCE)


def run(
    work: str,
    data: bytes,
    *,
    argument: str | None = None,
    seconds: float = 8,
    cpu_seconds: int = 5,
    memory: int = 512 * 2**20,
    most: int = 64 * 2**20,
) -> bytes:
    """Return what the function named by `work` makes of `data`, called in a fresh process of its own.

    At most `AT_ONCE` run in this process; the others wait in turn.

    Args:
        work: "webmail.protocol.module:function", a function of bytes that returns bytes.
        data: what it is given, whole.
        argument: a second argument for it; without, it is called with `data` alone.
        seconds: wall-clock deadline, and apart from that the longest wait for a turn.
        cpu_seconds: CPU time the child may take.
        memory: bytes of address space it may take (where the system can limit that; macOS can't).
        most: longest answer in bytes.

    Raises:
        TooMuch: it took too long, too much memory or answered too much.
        Unreadable: it raised, crashed or answered nonsense; with its own sentence if it raised a `ProtocolError`.
        Busy: no turn came.
        ValueError: `work` names nothing in webmail.protocol.
    """
    if not WORK.fullmatch(work):
        raise ValueError(f"not a function of webmail.protocol: {work!r}")
    if not _slots.acquire(timeout=seconds):
        raise Busy("The server is busy with other attachments. Try again in a moment.")
    try:
        return _run(work, _question(argument, data), time.monotonic() + seconds, cpu_seconds, memory, most)
    finally:
        _slots.release()


def _question(argument: str | None, data: bytes) -> list[memoryview]:
    """What the child reads: the argument's length (-1 for none), the argument, the data to the end."""
    octets = b"" if argument is None else argument.encode("utf-8", "replace")
    length = -1 if argument is None else len(octets)
    return [memoryview(length.to_bytes(4, "big", signed=True) + octets), memoryview(data)]


def _run(work: str, question: list[memoryview], deadline: float, cpu_seconds: int, memory: int, most: int) -> bytes:
    command = [sys.executable, "-s", "-P", "-B", "-X", "utf8", "-m", "webmail.protocol.confined"]
    child = subprocess.Popen(  # noqa: S603 - our own interpreter, our own module
        [*command, work, str(cpu_seconds), str(memory)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        bufsize=0,
        cwd="/",
        env={"PYTHONPATH": _ROOT},  # no secret of ours is in reach of a parser
        start_new_session=True,
    )
    answer = bytearray()
    try:
        in_time = _talk(child, question, answer, deadline, most)
    finally:
        # Before it is reaped, so that the number can't be another's yet; one that is dying keeps its own reason.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                pipe.close()
    if not in_time:
        raise TooMuch(detail=f"{work}: deadline passed")
    return _answer(work, answer, child.returncode, most)


def _talk(
    child: subprocess.Popen[bytes], question: list[memoryview], answer: bytearray, deadline: float, most: int
) -> bool:
    """Feed the child and read its answer, both at once, until that is whole or too much; False at the deadline."""
    assert child.stdin is not None
    assert child.stdout is not None
    to_child, from_child = child.stdin, child.stdout
    with selectors.DefaultSelector() as selector:
        for pipe, event in ((to_child, selectors.EVENT_WRITE), (from_child, selectors.EVENT_READ)):
            os.set_blocking(pipe.fileno(), False)
            selector.register(pipe, event)
        while not _whole(answer, most):
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            for key, _ in selector.select(left):
                if key.fileobj is to_child:
                    if not _feed(to_child.fileno(), question):
                        selector.unregister(to_child)
                        to_child.close()
                    continue
                octets = os.read(from_child.fileno(), _CHUNK)
                if not octets:
                    return True
                answer += octets
    return True


def _whole(answer: bytearray, most: int) -> bool:
    """Whether the announced answer is here (or is longer than we take): nobody waits for the child's end."""
    if len(answer) < ANSWER_HEAD.size:
        return False
    _, length = ANSWER_HEAD.unpack_from(answer)
    return bool(length > most or len(answer) >= ANSWER_HEAD.size + length)


def _feed(fileno: int, question: list[memoryview]) -> bool:
    """Write what the pipe takes; False when there is nothing more to write or nobody to read it."""
    try:
        written = os.write(fileno, question[0][:_CHUNK])
    except BrokenPipeError:
        return False
    question[0] = question[0][written:]
    while question and not question[0]:
        question.pop(0)
    return bool(question)


def _answer(work: str, answer: bytearray, code: int, most: int) -> bytes:
    """The bytes of a complete answer; every other one is an error."""
    if _whole(answer, most):
        kind, length = ANSWER_HEAD.unpack_from(answer)
        if length > most:
            raise TooMuch(detail=f"{work}: answer of {length} bytes")
        body = bytes(memoryview(answer)[ANSWER_HEAD.size : ANSWER_HEAD.size + length])
        if kind == DONE:
            return body
        if kind == OUT_OF_MEMORY:
            raise TooMuch(detail=f"{work}: out of memory")
        sentence, _, detail = body.decode("utf-8", "replace").partition("\n")
        raise Unreadable(_line(sentence), f"{work}: {_line(detail)}")
    if -code in {signal.SIGXCPU, signal.SIGKILL}:
        raise TooMuch(detail=f"{work}: ended by signal {-code}")
    raise Unreadable(detail=f"{work}: ended with {code} and no answer")


def _line(text: str) -> str:
    return _CONTROL.sub(" ", text)[:_LONGEST_SENTENCE].strip()
