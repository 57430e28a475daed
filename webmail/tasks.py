"""Every background task on one page: a name, a queue, one call into store. An id for an argument, never more.

Celery carries only that there is work. A lost, doubled or late message does no harm: what has to be done is in the
database, and `sweep_jobs` finds it again.
"""

from __future__ import annotations

import logging
import threading
from contextlib import nullcontext, suppress
from functools import partial
from typing import Any
from uuid import UUID

from celery import Task
from celery.signals import worker_ready
from django.conf import settings
from django.db import transaction
from kombu.exceptions import OperationalError

from webmail.celery import app
from webmail.models import Account, Mailbox, Message, Session
from webmail.protocol.errors import ProtocolError
from webmail.store import (
    activity,
    ahead,
    due,
    mirroring,
    outbox,
    persons,
    polling,
    pools,
    prefetch,
    presence,
    previews,
    reports,
    sending,
    space,
    sync,
    turns,
    upkeep,
    uploads,
    working,
)

PREVIEWS = 200  # the newest messages of an opened mailbox whose first words are read ahead

# What takes long goes on in half of a worker's threads at most: new mail must not wait for old.
_room = threading.BoundedSemaphore(max(1, settings.CELERY_WORKER_CONCURRENCY // 2))
_answering = threading.local()
_log = logging.getLogger(__name__)

app.conf.task_routes = {
    "webmail.tasks.work": "interactive",
    "webmail.tasks.bring_in": "bulk",
    "webmail.tasks.sweep_jobs": "interactive",
    "webmail.tasks.catch_up": "interactive",
    "webmail.tasks.look": "sync",
    "webmail.tasks.look_at_due": "sync",
    "webmail.tasks.send_message": "interactive",
    "webmail.tasks.sweep_outbox": "interactive",
    "webmail.tasks.forget_sent": "bulk",
    "webmail.tasks.sweep_drafts": "interactive",
    "webmail.tasks.mirror_draft": "sync",
    "webmail.tasks.settle_copy": "sync",
    "webmail.tasks.list_mailboxes": "sync",
    "webmail.tasks.refresh_mailbox": "sync",
    "webmail.tasks.keep_up": "bulk",
    "webmail.tasks.delete_unlinked": "bulk",
    "webmail.tasks.prepare_attachments": "sync",
    "webmail.tasks.fetch_images": "bulk",
    "webmail.tasks.clear_sessions": "bulk",
    "webmail.tasks.forget_jobs": "bulk",
    "webmail.tasks.forget_uploads": "bulk",
}


def enqueue(task: Task[Any, Any], *row_id: int | str) -> None:
    """Send a task once the running transaction is committed. Redis away is no error: the sweeper comes."""
    transaction.on_commit(partial(send, task, *row_id))


def send(task: Task[Any, Any], *row_id: int | str) -> None:
    """Send a task: now, or when the answer is out that this thread is working on. Redis away is no error."""
    held: list[tuple[Any, ...]] | None = getattr(_answering, "held", None)
    if held is not None:
        held.append((task, *row_id))
        return
    try:
        task.delay(*row_id)
    except OperationalError as error:
        _log.warning("could not wake a worker: %s", error)


def hold() -> None:
    """Keep what this thread sends from now on until `let_go`: whoever waits for an answer doesn't wait for that."""
    _answering.held = []


def let_go(**_: object) -> None:
    """Send what was held, once each, and hold nothing any more."""
    held, _answering.held = getattr(_answering, "held", None), None
    for task, *row_id in dict.fromkeys(held or ()):
        send(task, *row_id)


def make_ready() -> None:
    """Load what sending the first task would load."""
    with suppress(OperationalError), app.producer_or_acquire():
        _ = app.amqp.router, app.events


@app.task
def work(account_id: int) -> None:
    """Carry out the account's due jobs."""
    if working.is_only_importing(account_id):
        enqueue(bring_in, account_id)
    elif working.work(account_id):
        enqueue(work, account_id)


@app.task
def bring_in(account_id: int) -> None:
    """Likewise, where nothing but imports is due: they take long, and leave room for what somebody waits for."""
    if not _room.acquire(blocking=False):
        return  # the sweeper calls again
    try:
        more = working.work(account_id)
    finally:
        _room.release()
    if more:
        enqueue(work, account_id)


@app.task
def sweep_jobs() -> None:
    """Wake a worker for each account with due jobs, in case its wake-up was lost."""
    for account_id in working.accounts_with_work():
        enqueue(work, account_id)


@app.task
def send_message(submission_id: str) -> None:
    """Send a message that is due, or file its copy."""
    with pools.background():
        sending.carry_out(UUID(submission_id))


@app.task
def sweep_outbox() -> None:
    """Wake a worker for each message that something is to be done about: its time came, or its worker died."""
    for submission_id in sending.due():
        enqueue(send_message, str(submission_id))


@app.task
def sweep_drafts() -> None:
    """Wake a worker for each draft whose copy in the Drafts mailbox is to follow, and for what died over one."""
    for draft_id in mirroring.due():
        enqueue(mirror_draft, str(draft_id))
    for copy_id in mirroring.loose():
        enqueue(settle_copy, copy_id)


@app.task
def mirror_draft(draft_id: str) -> None:
    """Put a draft into the Drafts mailbox, in the place of its last copy."""
    with pools.background():
        mirroring.mirror(UUID(draft_id))


@app.task
def settle_copy(copy_id: int) -> None:
    """Remove a copy that nobody wants any more, or look for one that may be there."""
    with pools.background():
        mirroring.settle(copy_id)


@app.task
def forget_sent() -> None:
    """Forget what was sent long ago: the mail itself lies in the Sent mailbox."""
    outbox.forget_old()
    reports.forget_old()


@app.task
def list_mailboxes(account_id: int) -> None:
    """Read the account's list of mailboxes and counts."""
    account = Account.objects.select_related("provider").get(pk=account_id)
    with turns.take(f"list:{account_id}") as mine:
        if mine:
            _quietly(sync.list_mailboxes, account)
            if space.is_quota_due(account):
                _quietly(space.read_quota, account)


@app.task
def refresh_mailbox(mailbox_id: int) -> None:
    """Bring an opened mailbox's index up to date, then let the rest follow in the background."""
    _refresh(mailbox_id, urgent=False)


@app.task
def catch_up(mailbox_id: int) -> None:
    """Likewise, and before other work: its server has just said that something happened, and its owner is online."""
    _refresh(mailbox_id, urgent=True)


@app.task
def look(account_id: int) -> None:
    """Look at all mailboxes of an account and bring up to date what has news."""
    account = Account.objects.select_related("provider", "user").filter(pk=account_id).first()
    if account is None:
        return
    with turns.take(f"look:{account_id}") as mine:
        if mine and not _quietly(sync.look, account):
            due.want(account_id)


@app.task
def look_at_due() -> None:
    """Have those accounts looked at that are not online and whose time has come."""
    for account_id in polling.take_due():
        enqueue(look, account_id)


@app.task
def keep_up() -> None:
    """Go on with what accounts need without anybody asking: older mail, a daily comparison."""
    if not _room.acquire(blocking=False):
        return  # the clock calls again
    try:
        more = upkeep.work()
    finally:
        _room.release()
    if more:
        enqueue(keep_up)


@app.task
def delete_unlinked() -> None:
    """Delete rows of messages that vanished, and that no mailbox has taken up since."""
    upkeep.delete_unlinked()


@app.task
def prepare_attachments(message_id: int) -> None:
    """Learn what an opened message's attachments are, and draw their thumbnails."""
    message = Message.objects.select_related("mailbox", "account__provider").filter(pk=message_id).first()
    if message is None or message.mailbox is None:
        return
    with turns.take(f"files:{message_id}") as mine:
        if mine:
            _quietly(previews.prepare, message)


@app.task
def fetch_images(mailbox_id: int) -> None:
    """Fetch the remote images of new mail from senders whose images are always shown."""
    mailbox = _mailbox(mailbox_id)
    if mailbox is None:
        return
    with turns.take(f"images:{mailbox_id}") as mine:
        if mine:
            _quietly(ahead.fetch, mailbox)


@app.task
def clear_sessions() -> None:
    """Delete sessions that have run out."""
    Session.get_session_store_class().clear_expired()


@app.task
def forget_jobs() -> None:
    """Delete jobs that ended more than thirty days ago."""
    activity.forget_old()


@app.task
def forget_uploads() -> None:
    """Throw away files of mail that were imported, or that nobody goes on with."""
    uploads.forget_old()


@app.task
def forget_people() -> None:
    """Delete those for good who were taken out of an address book thirty days ago."""
    persons.forget_old()


@worker_ready.connect
def look_at_those_online(**_: object) -> None:
    """A worker begins: what the one before it had in its hands may be lost."""
    send(sweep_jobs)
    for account_id in presence.online_accounts():
        send(look, account_id)


def _refresh(mailbox_id: int, *, urgent: bool) -> None:
    mailbox = None
    for _ in turns.each(f"refresh:{mailbox_id}"):
        mailbox = _mailbox(mailbox_id)
        if mailbox is None:
            return
        if not _quietly(sync.refresh, mailbox, urgent=urgent):
            upkeep.put_off(mailbox)
            return
    if mailbox is None:  # somebody else is at it
        return
    _quietly(prefetch.read_previews, mailbox, PREVIEWS)
    _quietly(prefetch.read_texts, mailbox)
    if ahead.is_wanted(mailbox):
        enqueue(fetch_images, mailbox_id)
    if not mailbox.is_complete:
        due.want(mailbox.account_id)
        enqueue(keep_up)


def _mailbox(mailbox_id: int) -> Mailbox | None:
    return (
        Mailbox.objects.select_related("account__provider", "account__user")
        .filter(pk=mailbox_id, selectable=True)
        .first()
    )


def _quietly(call: Any, *arguments: Any, urgent: bool = False) -> Any:
    """Call `call`, in the background unless it is urgent.

    A mail server's failure is logged, and on the account already; the next visit tries again.
    """
    try:
        with nullcontext() if urgent else pools.background():
            result = call(*arguments)
    except ProtocolError as error:
        _log.warning("%s: %s", getattr(call, "__name__", call), error)
        return False
    return True if result is None else result
