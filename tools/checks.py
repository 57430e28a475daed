"""Everything that must hold, one check after the other. `make test` runs all of it, `make lint` the part without tests.

`python -m tools.checks lint` and `python -m tools.checks tests [ARGUMENTS FOR PYTEST]` run the halves. The linters all
have their say before the first that failed ends the run; the tests run twice, on SQLite and on PostgreSQL.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from pytest import ExitCode

from tools.postgres import private_postgres

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent

_ENVIRONMENT = os.environ | {"DJANGO_SETTINGS_MODULE": "tests.settings", "PYTHONPATH": str(ROOT)}
# Images for containers set it. Every process of the product, and the second run, would compile everything anew.
_ENVIRONMENT.pop("PYTHONDONTWRITEBYTECODE", None)
_ALONE = (sys.executable, "-m", "pytest", "-q", "--durations=5")
# One more than the cores of a small machine: over a quarter of the time a test waits for a server.
_PYTEST = (*_ALONE, "-n", "3", "--dist", "loadgroup", "--cache-clear")
_SECOND_TRIES = 5  # more failures than this are no accident

# What runs once: it meets no database, or no more of one than a session and an account, brings its own (`make run` has
# SQLite, the deployment PostgreSQL), or looks at what Chromium makes of pages that other tests fetch from both.
_WHATEVER_DATABASE = (
    "tests/protocol",
    "tests/demo",
    "tests/browser",
    "tests/deploy",
    "tests/accounts/test_csrf.py",
    "tests/live/test_hub.py",
    "tests/store/test_budget.py",
    "tests/store/test_chips.py",
    "tests/store/test_cursors.py",
    "tests/store/test_signatures.py",
    "tests/store/test_words.py",
    "tests/test_clock.py",
    "tests/test_headers.py",
    "tests/test_memory.py",
    "tests/test_run.py",
    "tests/test_setup.py",
    "tests/test_static_files.py",
)

# What runs once, on the database that refuses more and that other processes share in earnest: heaps of odd mail, where
# only the writing of a row could differ, thousands of guesses at passwords, and workers that are killed at every step.
_STRICT_DATABASE = (
    "tests/accounts/test_limits.py",
    "tests/message/test_beyond_limits.py",
    "tests/message/test_corpus.py",
    "tests/message/test_demo_mail.py",
    "tests/message/test_files.py",
    "tests/message/test_hostile.py",
    "tests/message/test_names.py",
    "tests/message/test_spoofs.py",
    "tests/message/test_structures.py",
    "tests/store/test_kills.py",
    "tests/store/test_mirroring_kills.py",
    "tests/store/test_random_deaths.py",
    "tests/test_faults.py",
    "tests/test_typing.py",
)


def main(arguments: Sequence[str]) -> int:
    """Run what is asked for and return the exit status: 0 when all of it holds."""
    os.chdir(ROOT)
    # As an exception, so that PostgreSQL is ended as well.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    what, rest = (arguments[0], arguments[1:]) if arguments else ("all", ())
    if what not in {"all", "lint", "tests"}:
        sys.exit(__doc__)
    if what != "tests" and not lint():
        return 1
    if what != "lint" and not tests(rest):
        return 1
    return 0


def lint() -> bool:
    """Run every check that needs no server; True when none complains."""
    templates = sorted(str(path) for path in Path("templates").rglob("*.html"))
    results = [
        _run("ruff check", BIN / "ruff", "check"),
        _run("ruff format", BIN / "ruff", "format", "--check"),
        _run("mypy", BIN / "mypy"),
        _run("import contracts", BIN / "lint-imports"),
        _run("djade", BIN / "djade", "--check", "--target-version", "5.2", *templates),
        _run("biome", sys.executable, "-m", "tools.npm", "run", "--silent", "lint"),
        _run("migrations", sys.executable, "manage.py", "makemigrations", "--check", "--dry-run"),
    ]
    return all(results)


def tests(arguments: Sequence[str]) -> bool:
    """Run the suite on SQLite, then on PostgreSQL all that it could change; True when both pass."""
    elsewhere = [f"--ignore={path}" for path in _STRICT_DATABASE]
    on_sqlite = _tests("tests on SQLite", *elsewhere, *arguments)
    once = [f"--ignore={path}" for path in _WHATEVER_DATABASE] + ["--ignore-glob=*_in_chromium.py"]
    with private_postgres() as url:
        on_postgres = _tests("tests on PostgreSQL", *once, *arguments, TEST_DATABASE_URL=url)
    return on_sqlite and on_postgres


def _tests(title: str, *arguments: str, **environment: str) -> bool:
    """Run the tests; a few that fail on the busy machine get one more try, alone, and are named where that passes.

    Chromium, Dovecot and a database on two noisy cores now and then miss a deadline. Whatever fails twice fails.
    """
    status = _status(title, *_PYTEST, *arguments, **environment)
    if status != ExitCode.TESTS_FAILED:
        return status == ExitCode.OK
    failed = _last_failed()
    if not failed:
        print("UNSTEADY: a test never ended, and passed when it was begun again", flush=True)
        return True
    if len(failed) > _SECOND_TRIES:
        return False
    if not _run(f"{title}: once more, alone", *_ALONE, *failed, **environment):
        return False
    for test in failed:
        print(f"UNSTEADY: {test} failed beside others and passed alone", flush=True)
    return True


def _last_failed() -> list[str]:
    """The tests that failed in the run before, as pytest remembers them.

    Not those that ended their worker, by their deadline (pytest-timeout), and passed in the next one.
    """
    kept = ROOT / ".pytest_cache/v/cache/lastfailed"
    return list(json.loads(kept.read_text())) if kept.exists() else []


def _run(title: str, *command: str | Path, **environment: str) -> bool:
    return _status(title, *command, **environment) == 0


def _status(title: str, *command: str | Path, **environment: str) -> int:
    print(f"\n== {title}", flush=True)
    started = time.monotonic()
    status = subprocess.run([str(word) for word in command], env=_ENVIRONMENT | environment, check=False).returncode
    print(
        f"== {title}: {'ok' if status == 0 else f'FAILED ({status})'}, {time.monotonic() - started:.0f} s", flush=True
    )
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
