"""Workers that die where a test says so: each is a child of one process in which the product is loaded already.

A process of its own for each death would spend a second and a half on importing.
"""

from __future__ import annotations

import importlib
import json
import os
import select
import subprocess
import sys
import traceback
from typing import Any

from django.conf import settings
from django.db import connection

SECONDS = 60.0  # the longest that one may live

_nursery: subprocess.Popen[str] | None = None


def live(call: str, *arguments: Any, failpoint: str = "") -> int:
    """Call a function of the product in a process of its own, on the test's own database.

    Args:
        call: as "webmail.store.working:work". arguments: what JSON can say.
        failpoint: where the process dies (`store.failpoints`); "" for nowhere.

    Returns:
        how it ended: 0, 1 after an exception, or minus the signal that killed it.
    """
    nursery = _running()
    assert nursery.stdin is not None
    assert nursery.stdout is not None
    nursery.stdin.write(json.dumps({"call": call, "arguments": arguments, "failpoint": failpoint}) + "\n")
    nursery.stdin.flush()
    if not select.select([nursery.stdout], [], [], SECONDS)[0]:
        nursery.kill()
        raise TimeoutError(f"{call} took over {SECONDS:.0f} s")
    return int(nursery.stdout.readline())


def _running() -> subprocess.Popen[str]:
    """The process that has the children; it ends when its standard input does, with the tests."""
    global _nursery  # noqa: PLW0603  one per process of the tests
    if _nursery is None or _nursery.poll() is not None:
        _nursery = subprocess.Popen(
            [sys.executable, "-m", "tests.mortal"],
            env=os.environ | {"DATABASE_URL": _database(), "DJANGO_SETTINGS_MODULE": "webmail.settings"},
            cwd=settings.BASE_DIR,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
    return _nursery


def _database() -> str:
    name = str(connection.settings_dict["NAME"])
    if connection.vendor == "sqlite":
        return f"sqlite:///{name}"
    return os.environ["DATABASE_URL"].rpartition("/")[0] + f"/{name}"


def _main() -> None:
    import django  # noqa: PLC0415  not where the tests import this module

    django.setup()
    importlib.import_module("webmail.tasks")
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            os._exit(_be(json.loads(line)))
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def _be(order: dict[str, Any]) -> int:
    from webmail.store import failpoints  # noqa: PLC0415  after django.setup

    failpoints._ARMED = order["failpoint"]
    module, _, name = order["call"].partition(":")
    try:
        getattr(importlib.import_module(module), name)(*order["arguments"])
    except Exception:
        traceback.print_exc()
        return 1
    return 0


if __name__ == "__main__":
    _main()
