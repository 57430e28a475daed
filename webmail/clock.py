"""The clock of the background tasks, as Celery's beat runs it: nothing on disk, everything due when it begins.

Celery's own clock keeps its timetable in a shelf, which one kill at the wrong moment leaves half written; then beat
ends with an EOFError at every start, and nobody sweeps any more. Each of our tasks asks the database what is to be done
and may run at any time, so there is nothing to remember.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from celery.beat import Scheduler
from django.conf import settings

LONG_AGO = timedelta(days=365)


class Clock(Scheduler):
    """Beat's timetable in memory. Touches `VAR_DIR/beat` as long as it goes, for whoever asks whether it lives."""

    def setup_schedule(self) -> None:
        super().setup_schedule()
        for entry in self.schedule.values():
            entry.last_run_at = self.app.now() - LONG_AGO

    def tick(self, *args: Any, **kwargs: Any) -> float:
        (Path(settings.VAR_DIR) / "beat").touch()
        return float(super().tick(*args, **kwargs))
