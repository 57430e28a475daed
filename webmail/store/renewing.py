"""What is held for a while is kept by saying so again and again, in a thread of its own, while the work goes on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import DatabaseError, connection


@contextmanager
def renewing(renew: Callable[[], object], every: float) -> Iterator[None]:
    """Call `renew` every so many seconds while inside; not any more once it says no.

    Args:
        renew: writes to the database that it is still held; false where it was lost.
        every: seconds; less than half of how long it is held for, so that one failure costs nothing.
    """
    done = threading.Event()
    renewer = threading.Thread(target=_keep_renewing, args=(renew, every, done), daemon=True)
    renewer.start()
    try:
        yield
    finally:
        done.set()
        renewer.join()


def _keep_renewing(renew: Callable[[], object], every: float, done: threading.Event) -> None:
    try:
        while not done.wait(every):
            try:
                if not renew():
                    return
            except DatabaseError:  # restarted, perhaps: the next time it may be there again
                connection.close()
    finally:
        connection.close()  # this thread's own
