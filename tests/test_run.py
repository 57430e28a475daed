"""`make run` as a newcomer meets it: it comes up, mail can be read, whatever is killed comes back and nothing is lost,
and its end leaves nothing running.
"""

from __future__ import annotations

import http.cookiejar
import imaplib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from webmail.demo.layout import HOST, ROOT, free_port, read_env
from webmail.demo.places import short_path

PROCESSES = ("web", "live", "worker", "beat", "watch", "front", "redis", "imap", "smtp")
READY_SECONDS = 120


@dataclass
class Run:
    """One `make run` in a directory of its own."""

    var: Path
    port: int = field(default_factory=free_port)

    def __post_init__(self) -> None:
        self.log = self.var.with_suffix(".log")
        # What the tests' own settings put into the environment is not a newcomer's.
        ours = {"PATH", "LANG", "LC_ALL", "TMPDIR"}
        self.environment = {name: value for name, value in os.environ.items() if name in ours} | {
            "HOME": str(self.var / "no-such-home"),
            "VAR_DIR": str(self.var),
            "PORT": str(self.port),
        }

    def start(self) -> None:
        with self.log.open("w") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "webmail.demo.run"],
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        wait_for(lambda: "Ready after" in self.log.read_text() or self.process.poll() is not None, READY_SECONDS)
        assert self.process.poll() is None, self.log.read_text()

    def stop(self) -> None:
        """End it if it still runs, as after a failure."""
        if hasattr(self, "process") and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(60)

    def leaders(self) -> list[int]:
        """Process ids of the commands."""
        return children(self.process.pid)

    def everything(self) -> set[int]:
        """Process ids of all that runs."""
        found, new = set(), {self.process.pid}
        while new:
            found |= new
            new = {child for parent in new for child in children(parent)} - found
        return found


class Browser:
    """Somebody without scripts."""

    def __init__(self, port: int) -> None:
        self.base = f"http://{HOST}:{port}"
        jar = http.cookiejar.CookieJar()
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))

    def get(self, path: str) -> str:
        with self.opener.open(self.base + path, timeout=30) as answer:
            return answer.read().decode()

    def get_patiently(self, path: str) -> str:
        """Like a person who tries again while the page is away."""
        page: list[str] = []

        def tried() -> bool:
            try:
                page.append(self.get(path))
            except OSError as error:
                # A 4xx won't mend itself.
                assert not isinstance(error, urllib.error.HTTPError) or error.code >= 500, error
                return False
            return True

        wait_for(tried, 60)
        return page[0]

    def read(self, link: str) -> None:
        """Open a message until its text is there. One whose text can't be had yet was not read, and stays unread."""
        wait_for(lambda: re.search('class="message-(text|frame)"', self.get_patiently(link)), 60)

    def sign_in(self, address: str) -> str:
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', self.get("/sign-in/"))[1]
        form = urllib.parse.urlencode({"csrfmiddlewaretoken": token, "username": address, "password": "demo"})
        request = urllib.request.Request(f"{self.base}/sign-in/", form.encode(), {"Origin": self.base})
        with self.opener.open(request, timeout=60) as answer:
            return answer.read().decode()


@pytest.fixture
def run(worker_dir: Path) -> Iterator[Run]:
    run = Run(worker_dir / "run")
    yield run
    run.stop()
    # Root's Dovecot keeps its mail there, since others can't enter `var`.
    shutil.rmtree(short_path("/var/tmp", run.var / "mail"), ignore_errors=True)
    if run.log.exists():
        print(run.log.read_text()[-20000:])  # pytest shows it when the test failed


def wait_for(condition: Callable[[], object], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)


def children(pid: int) -> list[int]:
    answer = subprocess.run(["ps", "-A", "-o", "pid=,ppid=,stat="], capture_output=True, text=True, check=True).stdout
    rows = (line.split() for line in answer.splitlines())
    return [int(child) for child, parent, state in rows if int(parent) == pid and not state.startswith("Z")]


def unread(run: Run) -> int:
    """How many unread messages the server itself counts in alice's INBOX."""
    port = int(read_env(run.var / "env")["DEMO_IMAP_PORT"])
    with imaplib.IMAP4(HOST, port, timeout=20) as client:
        client.login("alice@demo.test", "demo")
        _, answer = client.status("INBOX", "(UNSEEN)")
    return int(re.search(rb"UNSEEN (\d+)", answer[0])[1])


def test_it_comes_up_survives_and_ends(run: Run) -> None:
    run.start()
    assert f"http://{HOST}:{run.port}" in run.log.read_text()
    assert "alice@demo.test" in run.log.read_text()
    browser = Browser(run.port)
    inbox = browser.sign_in("alice@demo.test")
    before = unread(run)
    links = re.findall(r'<li class="row unread"><a href="(/message/\d+/)', inbox)
    assert len(links) >= len(PROCESSES)

    # Kill one after the other, each time reading another message: the change reaches the server all the same.
    leaders = run.leaders()
    assert len(leaders) == len(PROCESSES)
    for count, (pid, link) in enumerate(zip(leaders, links, strict=False), 1):
        os.kill(pid, signal.SIGKILL)
        browser.read(link)
        # Nothing is lost; on a busy machine it may take a lease, a sweep and a start or two.
        wait_for(lambda: len(run.leaders()) == len(PROCESSES), 60)
        wait_for(lambda count=count: unread_or_away(run) == before - count, 180)
    assert run.log.read_text().count("starting again") >= len(PROCESSES)

    running = run.everything()
    run.process.send_signal(signal.SIGINT)
    assert run.process.wait(30) == 0
    assert not [pid for pid in running if is_running(pid)]

    # The second time everything is where it was, and what was made once is not made again.
    made = {name: (run.var / name).stat().st_mtime_ns for name in ("collected", "certificates/ca.pem")}
    run.start()
    assert made == {name: (run.var / name).stat().st_mtime_ns for name in made}
    assert unread(run) == before - len(PROCESSES)
    assert "has mail already" in run.log.read_text()
    browser.get("/")  # still signed in
    run.process.terminate()
    assert run.process.wait(30) == 0


def unread_or_away(run: Run) -> int | None:
    try:
        return unread(run)
    except (OSError, imaplib.IMAP4.error):
        return None


def is_running(pid: int) -> bool:
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return bool(state.strip()) and not state.startswith("Z")


def test_a_busy_port_is_one_line(run: Run) -> None:
    with socket.socket() as other:
        other.bind((HOST, run.port))
        other.listen()
        done = ended(run)
    assert done.returncode == 1
    assert done.stderr == (
        f"Port {run.port} of {HOST} is taken by another program; choose another: make run PORT={run.port + 1}\n"
    )


def test_a_nonsense_port_is_one_line(run: Run) -> None:
    run.environment["PORT"] = "eight"
    assert ended(run).stderr == "PORT=eight is no port number\n"


def ended(run: Run) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "webmail.demo.run"],
        cwd=ROOT,
        env=run.environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
