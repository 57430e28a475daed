"""A child that parses untrusted bytes: whatever it does, bytes or one clear error come back in time."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

from webmail.protocol import bounded
from webmail.protocol.errors import Busy, TooMuch, Unreadable

HERE = "webmail.protocol.bounded_trials"

TRIALS = """
import os, signal, sys, time
from webmail.protocol.errors import GiveUp

def echo(data): return data
def joined(data, argument): return data + argument.encode()
def loops(data):
    while True: pass
def sleeps(data): time.sleep(60)
def eats(data): return b"x" * (2 * 2**30)
def floods(data): return b"x" * (5 * 2**20)
def segfaults(data): os.kill(os.getpid(), signal.SIGSEGV)
def aborts(data): os.abort()
def leaves(data): os._exit(0)
def raises(data): raise RuntimeError(data.decode())
def says(data): raise GiveUp("This picture is too large.\\x07", "12 GP")
def nothing(data): return None
def deep(data): return deep(data)
def prints(data):
    print("noise"); os.write(1, b"noise"); sys.stdout.flush()
    return b"signal"
def deaf(data):
    os.close(0)
    return b"deaf"
def early(data): return str(len(data)).encode()
def environment(data): return repr((sorted(os.environ), os.getcwd())).encode()
def writes(data):
    with open(data.decode(), "wb") as file: file.write(b"x" * 4096)
def descriptors(data):
    found = []
    for number in range(3, 256):
        try: os.fstat(number)
        except OSError: continue
        found.append(number)
    return repr(found).encode()
def leaves_children(data):
    child = os.fork()
    if child == 0:
        time.sleep(60)
    return str(child).encode()
"""


@pytest.fixture(autouse=True)
def _trials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A webmail.protocol whose child side also knows the functions above: a package of links, and one more module."""
    root = Path(bounded.__file__).resolve().parents[2]
    package = tmp_path / "webmail" / "protocol"
    package.mkdir(parents=True)
    (tmp_path / "webmail" / "__init__.py").write_text("")
    for module in (root / "webmail" / "protocol").glob("*.py"):
        (package / module.name).symlink_to(module)
    (package / "bounded_trials.py").write_text(TRIALS)
    monkeypatch.setattr(bounded, "_ROOT", str(tmp_path))


def test_bytes_go_in_and_come_out() -> None:
    data = os.urandom(9 * 2**20)
    assert bounded.run(f"{HERE}:echo", data) == data
    assert bounded.run(f"{HERE}:echo", b"") == b""
    assert bounded.run(f"{HERE}:joined", b"a", argument="ž\n") == "až\n".encode()
    assert bounded.run(f"{HERE}:joined", b"a", argument="") == b"a"


@pytest.mark.parametrize("work", ["loops", "sleeps"])
def test_the_deadline_holds(work: str) -> None:
    began = time.monotonic()
    with pytest.raises(TooMuch):
        bounded.run(f"{HERE}:{work}", b"", seconds=0.7)
    assert time.monotonic() - began < 3


def test_cpu_time_is_limited() -> None:
    with pytest.raises(TooMuch, match="signal"):
        bounded.run(f"{HERE}:loops", b"", seconds=30, cpu_seconds=1)


def test_memory_is_limited() -> None:
    with pytest.raises(TooMuch) as caught:
        bounded.run(f"{HERE}:eats", b"", memory=256 * 2**20)
    # macOS can't limit a process's address space: there the answer is refused for its length.
    assert "out of memory" in caught.value.detail or sys.platform == "darwin"


def test_a_flood_is_cut_off() -> None:
    with pytest.raises(TooMuch, match="answer of 5242880 bytes"):
        bounded.run(f"{HERE}:floods", b"", most=2**20)
    assert len(bounded.run(f"{HERE}:floods", b"", most=5 * 2**20)) == 5 * 2**20


@pytest.mark.parametrize("work", ["segfaults", "aborts", "leaves", "nothing", "deep", "absent"])
def test_a_crash_is_an_error_like_any_other(work: str) -> None:
    with pytest.raises(Unreadable) as caught:
        bounded.run(f"{HERE}:{work}", b"x" * 2**20)
    assert caught.value.sentence == "This could not be read."


def test_what_an_exception_quotes_stays_inside() -> None:
    with pytest.raises(Unreadable) as caught:
        bounded.run(f"{HERE}:raises", b"words of the message")
    assert "RuntimeError" in caught.value.detail
    assert "words of the message" not in str(caught.value)


def test_a_sentence_meant_for_the_person_comes_through() -> None:
    with pytest.raises(Unreadable) as caught:
        bounded.run(f"{HERE}:says", b"")
    assert caught.value.sentence == "This picture is too large."


def test_what_a_library_prints_is_no_answer() -> None:
    assert bounded.run(f"{HERE}:prints", b"") == b"signal"


def test_one_that_does_not_listen_still_answers() -> None:
    assert bounded.run(f"{HERE}:early", b"x" * 2**22) == str(2**22).encode()
    with pytest.raises(ValueError, match="webmail"):
        bounded.run("os:getcwd", b"")


@pytest.mark.parametrize("work", ["os:abort", "webmail.store.jobs:record", "webmail.protocol.text:_x", "", "a\nb:c"])
def test_only_this_room_s_functions_can_be_named(work: str) -> None:
    with pytest.raises(ValueError, match=r"webmail\.protocol"):
        bounded.run(work, b"")


def test_the_child_has_nothing_of_ours(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SECRET_KEY", "canary")
    seen = bounded.run(f"{HERE}:environment", b"").decode()
    assert "SECRET_KEY" not in seen
    assert "'/'" in seen
    with (tmp_path / "open").open("wb") as file:
        os.set_inheritable(file.fileno(), True)
        # Its own copy of the answering end, and the way to nowhere.
        assert len(eval(bounded.run(f"{HERE}:descriptors", b""))) == 2
    with pytest.raises(Unreadable):
        bounded.run(f"{HERE}:writes", str(tmp_path / "file").encode())
    assert not (tmp_path / "file").exists() or (tmp_path / "file").stat().st_size == 0


def test_nothing_it_started_outlives_it() -> None:
    child = int(bounded.run(f"{HERE}:leaves_children", b"", seconds=3))
    for _ in range(100):
        try:
            os.kill(child, 0)
        except ProcessLookupError:
            return
        if Path(f"/proc/{child}/stat").exists() and " Z " in Path(f"/proc/{child}/stat").read_text():
            return
        time.sleep(0.05)
    os.kill(child, signal.SIGKILL)
    pytest.fail("a grandchild outlived the work")


def test_at_most_so_many_run_at_once() -> None:
    def sleep() -> None:
        with contextlib.suppress(TooMuch):
            bounded.run(f"{HERE}:sleeps", b"", seconds=1.5)

    threads = [threading.Thread(target=sleep) for _ in range(bounded.AT_ONCE)]
    for thread in threads:
        thread.start()
    time.sleep(0.3)
    with pytest.raises(Busy):
        bounded.run(f"{HERE}:echo", b"", seconds=0.3)
    for thread in threads:
        thread.join()
    assert bounded.run(f"{HERE}:echo", b"free") == b"free"
