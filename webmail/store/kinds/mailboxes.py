"""Mailboxes made, renamed, deleted, subscribed to. After any doubt the list of mailboxes says what happened."""

from __future__ import annotations

from webmail.models import Job
from webmail.protocol.connection import Connection

from .. import index, pools, sync
from ..failpoints import reach
from .kind import CannotUndo, Kind, Outcome, Reverse, Run


class _AboutMailbox(Kind):
    about_messages = False

    def carry_out(self, run: Run) -> Outcome:
        with pools.lend(run.account) as imap:
            names = {info.name for info in imap.mailboxes()} if run.in_doubt else set()
            reach("mailbox.looked")
            if run.in_doubt and self.is_done(run, names):
                self.follow(run, imap)
                return Outcome()
            run.on_wire()
            reach("mailbox.on_wire")
            run.check()
            self.do(run, imap)
            reach("mailbox.answered")
            self.follow(run, imap)
        return Outcome()

    def is_done(self, run: Run, names: set[str]) -> bool:
        """Whether the server's list shows that it has happened."""
        raise NotImplementedError

    def do(self, run: Run, imap: Connection) -> None:
        raise NotImplementedError

    def follow(self, run: Run, imap: Connection) -> None:
        """What belongs to it and may be done again."""

    def after(self, run: Run) -> None:
        sync.list_mailboxes(run.account)


class Creates(_AboutMailbox):
    """Its row is there from the moment it is recorded, so that messages can be put into it at once."""

    def is_done(self, run: Run, names: set[str]) -> bool:
        return run.job.mailbox_name in names

    def do(self, run: Run, imap: Connection) -> None:
        imap.create(run.job.mailbox_name)


class Renames(_AboutMailbox):
    def is_done(self, run: Run, names: set[str]) -> bool:
        return run.job.mailbox_name not in names and run.job.arguments["name"] in names

    def do(self, run: Run, imap: Connection) -> None:
        imap.rename(run.source.name, run.job.arguments["name"])

    def follow(self, run: Run, imap: Connection) -> None:
        """Subscriptions go along, those of the mailboxes below too: other programs show what is subscribed alone."""
        old, new = run.source.name, run.job.arguments["name"]
        for name in run.account.mailboxes.filter(subscribed=True).values_list("name", flat=True):
            if run.source.holds(name):
                imap.subscribe(new + name.removeprefix(old))
                imap.unsubscribe(name)

    def settle(self, run: Run, outcome: Outcome) -> None:
        index.apply_renamed(run.source, run.job.arguments["name"])

    def reverse(self, job: Job) -> list[Reverse]:
        if job.mailbox is None:
            raise CannotUndo("The mailbox no longer exists, so this can't be undone.")
        return [Reverse(Job.Kind.RENAME, "undo", job.mailbox, 0, [], arguments={"name": job.mailbox_name})]


class Removes(_AboutMailbox):
    def is_done(self, run: Run, names: set[str]) -> bool:
        return run.source.name not in names

    def do(self, run: Run, imap: Connection) -> None:
        imap.delete(run.source.name)

    def reverse(self, job: Job) -> list[Reverse]:
        raise CannotUndo("A mailbox that was deleted can't be brought back.")


class Subscribes(_AboutMailbox):
    def is_done(self, run: Run, names: set[str]) -> bool:
        return False  # it may be said twice

    def do(self, run: Run, imap: Connection) -> None:
        if run.job.arguments["on"]:
            imap.subscribe(run.source.name)
        else:
            imap.unsubscribe(run.source.name)

    def reverse(self, job: Job) -> list[Reverse]:
        if job.mailbox is None:
            raise CannotUndo("The mailbox no longer exists, so this can't be undone.")
        arguments = {"on": not job.arguments["on"]}
        return [Reverse(Job.Kind.SUBSCRIBE, "undo", job.mailbox, 0, [], arguments=arguments)]
