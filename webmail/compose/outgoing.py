"""Sending a draft, and the outbox: what waits, what failed, what nobody can tell, and what can be done about each."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from webmail import tasks
from webmail.models import Submission
from webmail.protocol.errors import ProtocolError
from webmail.requests import PersonRequest
from webmail.store import drafts, listing, outbox, outbox_page, words
from webmail.store.drafts import Written
from webmail.store.letters import NotReady
from webmail.store.outbox import TooLate

from .forms import LetterForm

NO_TIME = "Say when: a day and a time, such as tomorrow at 8:00."
TOO_FAR = "That is more than a year ahead. Choose a time within a year."
PAST = "That time is over. Choose one that is still to come."


def dispatch(request: PersonRequest, written: Written, form: LetterForm) -> list[tuple[str, str]]:
    """Put a draft into the outbox and say so; or what is wrong, as pairs of a field and a sentence."""
    user = request.user
    at = None
    if form.act == "later":
        at = form.when(user)
        wrong = NO_TIME if at is None else PAST if at < timezone.now() else ""
        if at is None or wrong or at > timezone.now() + outbox.MAX_DELAY:
            return [("at", wrong or TOO_FAR)]
    undo = 0 if at else user.undo_seconds
    try:
        sent = outbox.send(user, written.id, version=written.version, form_key=form.send_key, at=at, undo=undo)
    except NotReady as error:
        return list(error.problems)
    except ProtocolError as error:
        return [("", error.sentence)]
    wake(sent)
    if at:
        when = words.full_date(at.astimezone(listing.zone_of(user)))
        messages.success(request, f"It will be sent on {when}.", extra_tags=f"sent {sent.pk} 0")
    else:
        say_sent(request, sent, undo)
    return []


def say_sent(request: PersonRequest, sent: Submission, undo: int) -> None:
    """Say that it goes out, with the way to take it back. `undo`: seconds in which that can be done."""
    until = int(sent.send_after.timestamp()) if undo else 0
    messages.success(request, "Sent." if not undo else "Sending…", extra_tags=f"sent {sent.pk} {until}")


@login_required
@require_safe
def show(request: PersonRequest) -> HttpResponse:
    """What is on its way, and what is still being written."""
    zone = listing.zone_of(request.user)
    context = {
        "entries": outbox_page.entries(request.user),
        "drafts": [draft for draft in drafts.open_drafts(request.user) if not draft.is_untouched],
        "zone": zone,
    }
    return render(request, "compose/outbox.html", context)


@login_required
@require_POST
def act(request: PersonRequest, pk: UUID) -> HttpResponse:
    """Do with one message what its button says."""
    wanted = request.POST.get("act", "")
    if wanted not in _ACTS:
        return HttpResponseBadRequest("Unknown.", content_type="text/plain")
    try:
        return _ACTS[wanted](request, pk)
    except Submission.DoesNotExist:
        raise Http404 from None
    except TooLate as error:
        messages.warning(request, error.sentence)
        return redirect("outbox")


def _take_back(request: PersonRequest, pk: UUID) -> HttpResponse:
    draft = outbox.take_back(request.user, pk)
    if draft is None:
        messages.success(request, "It is stopped.")
        return redirect("outbox")
    messages.success(request, "Taken back: nobody got it. Here it is again.")
    return redirect("draft", pk=draft)


def _send_now(request: PersonRequest, pk: UUID) -> HttpResponse:
    wake(outbox.send_now(request.user, pk))
    return _said(request, "It is being sent now.")


def _again(request: PersonRequest, pk: UUID) -> HttpResponse:
    wake(outbox.decide(request.user, pk, again=True))
    return _said(request, "It is being sent once more.")


def _was_sent(request: PersonRequest, pk: UUID) -> HttpResponse:
    wake(outbox.decide(request.user, pk, again=False))
    return _said(request, "It counts as sent, and its copy goes to Sent.")


def _try_again(request: PersonRequest, pk: UUID) -> HttpResponse:
    wake(outbox.try_again(request.user, pk))
    return _said(request, "It is being sent once more.")


def _keep_no_copy(request: PersonRequest, pk: UUID) -> HttpResponse:
    outbox.keep_no_copy(request.user, pk)
    return _said(request, "It was sent, and no copy is kept.")


def _dismiss(request: PersonRequest, pk: UUID) -> HttpResponse:
    with suppress(Submission.DoesNotExist):  # pressed twice
        outbox.dismiss(request.user, pk)
    return _said(request, "It is off the list.")


_ACTS = {
    "take_back": _take_back,
    "send_now": _send_now,
    "again": _again,
    "was_sent": _was_sent,
    "try_again": _try_again,
    "keep_no_copy": _keep_no_copy,
    "dismiss": _dismiss,
}


def _said(request: PersonRequest, sentence: str) -> HttpResponse:
    messages.success(request, sentence)
    return redirect("outbox")


def wake(submission: Submission) -> None:
    """Wake a worker for what is due; what waits is found by the sweeper."""
    if submission.not_before <= timezone.now() + timedelta(seconds=1):
        tasks.enqueue(tasks.send_message, str(submission.pk))
