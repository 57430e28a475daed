"""What every kind of job is asked, and what it gets to answer with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from webmail.models import Account, Job, Mailbox
from webmail.protocol.types import FlagChange

from .. import pools


class CannotBeDone(Exception):
    """The job has failed for good, whatever is tried.

    Args:
        sentence: for the person.
    """

    def __init__(self, sentence: str) -> None:
        self.sentence = sentence
        super().__init__(sentence)


class Unclear(CannotBeDone):
    """It may have happened, and nobody can tell."""


class CannotUndo(CannotBeDone):
    """There is nothing that would reverse the job; the sentence says why."""


@dataclass
class Run:
    """One go at a job, or at neighbours that ask for the same: some of their messages, by one holder of the lease.

    Args:
        jobs: alike; the first speaks for all. mailbox, target: theirs, with the account.
        uids: what this go is about, ascending. in_doubt: it may have been tried before: look first.
        read_at: the moment before the server was first asked.
        check: raises LeaseLost where the account isn't ours any more. Called before every command.
        on_wire: commits the jobs as they stand, and that from here on it may have happened.
        keep: commits what the jobs know, in the middle of it.
        look_later: brings a mailbox of the account up to date when there is time.
    """

    account: Account
    jobs: list[Job]
    mailbox: Mailbox | None
    target: Mailbox | None
    uids: list[int]
    in_doubt: bool
    read_at: datetime
    check: Callable[[], None]
    on_wire: Callable[[], None]
    keep: Callable[[], None]
    look_later: Callable[[Mailbox], None]

    @property
    def job(self) -> Job:
        return self.jobs[0]

    @property
    def source(self) -> Mailbox:
        """The mailbox, which a kind about messages always has."""
        assert self.mailbox is not None
        return self.mailbox


@dataclass
class Outcome:
    """What a go came to.

    Args:
        evidence: what the server said, for the job's row.
        flags: how messages are flagged now. places: where messages are now, UID → UID in the target, 0 for unknown.
        uidvalidity: of the target. left: UIDs that stay, marked with `\\Deleted`. lost: how many were gone already.
    """

    evidence: Mapping[str, Any] = field(default_factory=dict)
    flags: list[FlagChange] = field(default_factory=list)
    places: Mapping[int, int] = field(default_factory=dict)
    uidvalidity: int = 0
    left: list[int] = field(default_factory=list)
    lost: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class Reverse:
    """What undoes a job: another one."""

    kind: Job.Kind
    act: str
    mailbox: Mailbox
    uidvalidity: int
    uids: list[int]
    target: Mailbox | None = None
    arguments: Mapping[str, Any] = field(default_factory=dict)


class Kind:
    """One kind of job. `most`: messages of one go. `merges`: whether neighbours that ask for the same become one.

    `paces_itself`: a go of a single job may be about any number of messages; it does as many as there is time for, and
    leaves just these in `run.uids`.
    `brings`: its messages come from elsewhere, so that its numbers are not UIDs of the mailbox.
    """

    most = 500
    paces_itself = False
    merges = False
    brings = False
    about_messages = True  # else about a mailbox: everything about that mailbox keeps its order

    def find_rest(self, account: Account, job: Job) -> Iterable[int]:
        """Of a job that was recorded before anybody knew all it is about: what else that is.

        Raises:
            ProtocolError: sorted by what to do. CannotBeDone: it has ended.
        """
        assert job.mailbox is not None
        rest = job.arguments["rest"]
        with pools.lend(account, job.mailbox.name) as imap:
            return imap.search(job.mailbox.name, job.uidvalidity, rest["low"], rest["high"], rest["criterion"])

    def carry_out(self, run: Run) -> Outcome:
        """Do it on the server; where `run.in_doubt`, look first. No transaction is open.

        Raises:
            ProtocolError: sorted by what to do. CannotBeDone, Unclear: it has ended.
        """
        raise NotImplementedError

    def settle(self, run: Run, outcome: Outcome) -> None:
        """Bring the index from what was shown ahead to what is so, in the transaction that ends this go."""

    def after(self, run: Run) -> None:
        """What may follow when all is committed, such as reading a mailbox; it may fail."""

    def reread(self, run: Run) -> None:
        """After a refusal: ask the server how things are. What was shown ahead is taken back already."""

    def reverse(self, job: Job) -> list[Reverse]:
        """The jobs that undo a done one, in order.

        Raises:
            CannotUndo: in words.
        """
        raise CannotUndo("This can't be undone.")

    def outcome_of(self, job: Job, evidence: Mapping[str, Any]) -> None:
        """Add what a go came to to the job's own evidence."""
        job.evidence = {**job.evidence, **evidence}
