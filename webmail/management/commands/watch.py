"""`manage.py watch`: hear at once what mail servers say of the mailboxes of everybody who is online."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from webmail import tasks
from webmail.store.watching import Watching, make_ready


class Command(BaseCommand):
    help = (
        "Keeps one idle connection for the account of everybody who has a page open, and wakes a worker when the "
        "server says that something happened. Any number of copies share the accounts; any may end at any time."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        make_ready()
        tasks.make_ready()
        watching = Watching(
            catch_up=lambda mailbox_id: tasks.send(tasks.catch_up, mailbox_id),
            look=lambda account_id: tasks.send(tasks.look, account_id),
        )
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: watching.leave())
        watching.run(sign_of_life=(Path(settings.VAR_DIR) / "watch").touch)
