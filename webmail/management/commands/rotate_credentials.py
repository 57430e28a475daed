"""Seal every stored mail password, and what people wrote, with the newest key of CREDENTIAL_KEYS."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from webmail.store import credentials


class Command(BaseCommand):
    help = (
        "Seal every stored mail password, and all tokens, drafts, files and messages to be sent, with the first key "
        "of CREDENTIAL_KEYS. Put the new key in front of the old "
        "ones, restart all processes, run this, and remove the old keys when it reports none unreadable. "
        "It may be stopped and run again, and people may work meanwhile."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--batch", type=int, default=500, help="rows a transaction (default 500)")

    def handle(self, *args: Any, batch: int, **options: Any) -> None:
        done = credentials.Rotation()
        for done in credentials.rotate(batch):
            if options["verbosity"] > 1:
                self.stdout.write(f"{done.seen} looked at …")
        self.stdout.write(
            f"{done.seen} accounts: {done.sealed} sealed with the newest key, {done.current} already were, "
            f"{done.unreadable} unreadable."
        )
        wrote = credentials.Rotation()
        for wrote in credentials.rotate_written():
            if options["verbosity"] > 1:
                self.stdout.write(f"{wrote.seen} texts and files looked at …")
        self.stdout.write(
            f"{wrote.seen} texts and files: {wrote.sealed} sealed with the newest key, {wrote.current} already were, "
            f"{wrote.unreadable} unreadable."
        )
        if done.unreadable:
            raise CommandError(
                f"{done.unreadable} stored passwords could not be read with any key: keep the old keys, or let these "
                "people enter their passwords again."
            )
        if wrote.unreadable:
            raise CommandError(f"{wrote.unreadable} texts and files could not be read with any key: keep the old keys.")
