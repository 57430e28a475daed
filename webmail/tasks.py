"""Every background task on one page: a name, a queue, one call into store. An id for an argument, never more.

Celery carries only that there is work. A lost, doubled or late message does no harm: what has to be done is in the
database, and `sweep_jobs` finds it again.
"""

from __future__ import annotations

import logging
from functools import partial
from typing import Any

from celery import Task
from django.db import transaction
from kombu.exceptions import OperationalError

from webmail.celery import app
from webmail.models import Account, Mailbox, Message, Session
from webmail.protocol.errors import ProtocolError
from webmail.store import activity, ahead, pools, prefetch, previews, sync, turns, upkeep, working

PREVIEWS = 200  # the newest messages of an opened mailbox whose first words are read ahead

_log = logging.getLogger(__name__)

app.conf.task_routes = {
    "webmail.tasks.work": "interactive",
    "webmail.tasks.sweep_jobs": "interactive",
    "webmail.tasks.list_mailboxes": "sync",
    "webmail.tasks.refresh_mailbox": "sync",
    "webmail.tasks.keep_up": "bulk",
    "webmail.tasks.delete_unlinked": "bulk",
    "webmail.tasks.prepare_attachments": "sync",
    "webmail.tasks.fetch_images": "bulk",
    "webmail.tasks.clear_sessions": "bulk",
    "webmail.tasks.forget_jobs": "bulk",
}


def enqueue(task: Task[Any, Any], *row_id: int) -> None:
    """Send a task once the running transaction is committed. Redis away is no error: the sweeper comes."""
    transaction.on_commit(partial(_send, task, *row_id))


@app.task
def work(account_id: int) -> None:
    """Carry out the account's due jobs."""
    if working.work(account_id):
        enqueue(work, account_id)


@app.task
def sweep_jobs() -> None:
    """Wake a worker for each account with due jobs, in case its wake-up was lost."""
    for account_id in working.accounts_with_work():
        enqueue(work, account_id)


@app.task
def list_mailboxes(account_id: int) -> None:
    """Read the account's list of mailboxes and counts."""
    account = Account.objects.select_related("provider").get(pk=account_id)
    with turns.take(f"list:{account_id}") as mine:
        if mine:
            _quietly(sync.list_mailboxes, account)


@app.task
def refresh_mailbox(mailbox_id: int) -> None:
    """Bring an opened mailbox's index up to date, then let the rest follow in the background."""
    mailbox = _mailbox(mailbox_id)
    if mailbox is None:
        return
    with turns.take(f"refresh:{mailbox_id}") as mine:
        if mine and _quietly(sync.refresh, mailbox):
            _quietly(prefetch.read_previews, mailbox, PREVIEWS)
            if ahead.is_wanted(mailbox):
                enqueue(fetch_images, mailbox_id)
    if mine and not mailbox.is_complete:
        upkeep.want(mailbox.account)
        enqueue(keep_up)


@app.task
def keep_up() -> None:
    """Go on with what accounts need without anybody asking: older mail, a daily comparison."""
    if upkeep.work():
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


def _mailbox(mailbox_id: int) -> Mailbox | None:
    return (
        Mailbox.objects.select_related("account__provider", "account__user")
        .filter(pk=mailbox_id, selectable=True)
        .first()
    )


def _quietly(call: Any, *arguments: Any) -> Any:
    """Call `call`. A mail server's failure is logged, and on the account already; the next visit tries again."""
    try:
        with pools.background():
            result = call(*arguments)
    except ProtocolError as error:
        _log.warning("%s: %s", getattr(call, "__name__", call), error)
        return False
    return True if result is None else result


def _send(task: Task[Any, Any], *row_id: int) -> None:
    try:
        task.delay(*row_id)
    except OperationalError as error:
        _log.warning("could not wake a worker: %s", error)
