"""The editor: a new message, a draft, and the files of one.

The room's one law: whatever is wrong, the form comes back with all that was typed.
"""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.views.decorators.http import require_GET, require_http_methods

from webmail import tasks
from webmail.headers import attachment_policy
from webmail.models import Account, Draft, Template, User
from webmail.protocol.errors import ProtocolError
from webmail.protocol.plain import lines_of
from webmail.protocol.quoting_out import as_html
from webmail.protocol.raster import raster_type
from webmail.protocol.recipients import field_text, read_link
from webmail.requests import PersonRequest, numbers
from webmail.store import contact_groups, draft_copies, draft_files, drafts, identities, outbox, templates
from webmail.store.drafts import Changed, OnItsWay, TooLarge, Values, Written
from webmail.store.signed import signed, signed_anew

from .editor import editor, leave, show
from .expiry import keeps_typed
from .forms import LetterForm, way_back
from .outgoing import dispatch

NO_ACCOUNT = "Add a mail account first: without one there is nobody to write as."
GONE = "This draft was sent or thrown away in another window. What stands here is kept as a new message."
SENT_FROM_HERE = "This message was sent. What stands here is kept as a new one: send it only if it is to come again."


@keeps_typed
@require_http_methods(["GET", "HEAD", "POST"])
def write(request: PersonRequest) -> HttpResponse:
    """A new message. A draft comes of it with the first thing that is sent."""
    if request.method == "POST":
        return _begin(request)
    senders = identities.senders(request.user)
    if not senders:
        messages.warning(request, NO_ACCOUNT)
        return redirect("account-add")
    values = _asked_for(request)
    if request.user.writes == User.Writes.RICH:
        values = replace(values, is_html=True, html=as_html(lines_of(values.text)) if values.text else "")
    values = signed(values, senders[0])
    return show(request, editor(request.user, values, back=_back(request)))


@keeps_typed
@require_http_methods(["GET", "HEAD", "POST"])
def draft(request: PersonRequest, pk: UUID) -> HttpResponse:
    """A draft: shown, or saved and whatever else its buttons say."""
    written = drafts.find(request.user, pk)
    if written is None:
        if request.method == "POST" and _posts_words(request):
            return _gone(request, LetterForm.of(request))
        raise Http404
    if request.method == "POST":
        return _take(request, written, LetterForm.of(request))
    if drafts.is_under_way(request.user, pk):
        messages.warning(request, OnItsWay.sentence)
        return redirect("outbox")
    return show(request, editor(request.user, written.values, draft=written, back=_back(request)))


@login_required
@require_GET
@attachment_policy
def file(request: PersonRequest, pk: UUID, file: UUID) -> HttpResponse:
    """A picture that a draft shows, or a file of it to be looked at where it was saved to."""
    found = draft_files.file_of(request.user, pk, file)
    if found is None:
        raise Http404
    attached, data = found
    kind = raster_type(data)
    response = HttpResponse(data, content_type=kind or "application/octet-stream")
    if not (kind and attached.content_id):
        response.headers["Content-Disposition"] = "attachment"
    return response


def _back(request: PersonRequest) -> str:
    return way_back(request, request.GET.get("back", ""))


def _asked_for(request: PersonRequest) -> Values:
    """What a link fills in: our own (`?to=…`), or a `mailto:` that the browser hands over (`?mailto=…`)."""
    asked = request.GET
    if "mailto" in asked:
        link = read_link(asked["mailto"])
        return Values(
            to=field_text(link.to.addresses),
            cc=field_text(link.cc.addresses),
            bcc=field_text(link.bcc.addresses),
            subject=link.subject,
            text=link.body,
        )
    to = asked.get("to", "")[:2000] or _from_the_book(request)
    return Values(to=to, subject=asked.get("subject", "")[:1000])


def _from_the_book(request: PersonRequest) -> str:
    """Whom a link from the address book means (`?person=…` or `?group=…`, or several), as a field of recipients."""
    return contact_groups.field_of(
        request.user, numbers(request.GET.getlist("person")), numbers(request.GET.getlist("group"))
    )


def _posts_words(request: PersonRequest) -> bool:
    form = LetterForm.of(request)
    return form.act != "discard" and not form.values.is_blank


def _gone(request: PersonRequest, form: LetterForm) -> HttpResponse:
    """The draft was thrown away or sent: what was typed here becomes a new one when it is saved again."""
    note = GONE
    if outbox.was_sent(request.user, form.send_key):
        note = SENT_FROM_HERE
    page = editor(request.user, form.values, account=form.account, back=form.back, at=form.at, notes=[note])
    return show(request, page, 404)


def _begin(request: PersonRequest) -> HttpResponse:
    form = LetterForm.of(request)
    if form.act == "discard" and form.values.is_blank:
        return leave(request, form.back)
    accounts = Account.objects.for_user(request.user)
    account = accounts.filter(pk=form.account).first() or accounts.order_by("pk").first()
    if account is None:
        return show(request, editor(request.user, form.values, notes=[NO_ACCOUNT]), 422)
    is_begun = Draft.objects.filter(account=account, form_key=form.form_key).exists()
    if form.act in ("send", "later") and not is_begun and outbox.was_sent(request.user, form.send_key):
        return _gone(request, form)
    try:
        written = drafts.start(account, form.values, form_key=form.form_key, window=form.send_key)
    except TooLarge as error:
        page = editor(request.user, form.values, account=form.account, form_key=form.form_key, notes=[error.sentence])
        return show(request, page, 422)
    return _take(request, written, form)


def _with_words_of_ours(request: PersonRequest, form: LetterForm) -> LetterForm:
    """What scripts do by themselves, where a button asks for it: a template above the words, the sender's signature."""
    name, _, key = form.act.partition(" ")
    if name == "sign":
        account = get_object_or_404(
            Account.objects.for_user(request.user).select_related("provider", "user"), pk=form.account
        )
        sender = identities.sender_of(account, form.values.from_address)
        text = signed_anew(form.values.text, sender, identities.senders(request.user))
        return replace(form, values=replace(form.values, text=text))
    if name != "template":
        return form
    rows = Template.objects.for_user(request.user).filter(pk=int(key) if key.isdecimal() else 0)
    values = templates.with_template(request.user, get_object_or_404(rows), form.values, form.account)
    return replace(form, values=values)


def _take(request: PersonRequest, written: Written, form: LetterForm) -> HttpResponse:
    """Do what the form says with a draft. A script's "attach" brings a file and no words: it saves those elsewhere."""
    user = request.user
    form = _with_words_of_ours(request, form)
    if form.act == "discard" and request.POST.get("sure") == "1":
        return _discard(request, written, form)
    try:
        if form.act != "attach":
            if form.account and form.account != written.account:
                drafts.move(user, written.id, Account.objects.for_user(user).get(pk=form.account))
            written = drafts.save(user, written.id, form.values, version=form.version or 1, window=form.send_key)
    except Account.DoesNotExist:
        raise Http404 from None
    except Changed as error:
        return _conflict(request, form, error.current)
    except OnItsWay as error:
        return _on_its_way(request, written, form, error)
    except TooLarge as error:
        return _again(request, written, form, [("", error.sentence)])
    problems = _files(request, written, form)
    written = drafts.find(user, written.id) or written
    if problems:
        return _again(request, written, form, problems)
    if form.act == "discard":
        return _discard(request, written, form)
    if form.act in ("send", "later"):
        return _send(request, written, form)
    if _is_script(request):
        return JsonResponse(_state(request, written))
    if form.act == "save":
        draft_copies.hurry(written.id)
        tasks.enqueue(tasks.sweep_drafts)
        messages.success(request, "Saved. You find it among your drafts.")
        return leave(request, form.back)
    return redirect("draft", pk=written.id)


def _send(request: PersonRequest, written: Written, form: LetterForm) -> HttpResponse:
    problems = dispatch(request, written, form)
    return _again(request, written, form, problems) if problems else leave(request, form.back)


def _discard(request: PersonRequest, written: Written, form: LetterForm) -> HttpResponse:
    if request.POST.get("sure") != "1" and not (form.values.is_blank and not written.files):
        context = {"form": form, "draft": written, "title": form.values.subject.strip() or written.title}
        return render(request, "compose/discard.html", context)
    try:
        drafts.discard(request.user, written.id)
    except OnItsWay as error:
        messages.warning(request, error.sentence)
        return redirect("outbox")
    tasks.enqueue(tasks.sweep_drafts)
    messages.success(request, "The draft is thrown away.")
    return leave(request, form.back)


def _files(request: PersonRequest, written: Written, form: LetterForm) -> list[tuple[str, str]]:
    """Take off and add files; what could not be added, in sentences."""
    if form.act.startswith("detach "):
        try:
            draft_files.detach(request.user, written.id, UUID(form.act[7:]))
        except ValueError:
            raise Http404 from None
    key = _file_key(request)
    problems = []
    for upload in request.FILES.getlist("files"):
        name = (upload.name or "").replace("%22", '"')  # as browsers write a quotation mark in it
        try:
            draft_files.attach(
                request.user, written.id, name, upload.content_type or "", upload.read(),
                shown=request.POST.get("shown") == "1", key=key,
            )  # fmt: skip
        except ProtocolError as error:
            problems.append(("files", error.sentence))
    return problems


def _file_key(request: PersonRequest) -> UUID | None:
    """The key of the one file that a script sends, so that a file which it sends again is added once."""
    key = request.POST.get("file_key", "")
    try:
        return UUID(key) if key else None
    except ValueError:
        raise Http404 from None


def _conflict(request: PersonRequest, form: LetterForm, theirs: Written) -> HttpResponse:
    """What is typed here beside what another window saved; saving this takes its place."""
    if _is_script(request):
        return JsonResponse({"version": theirs.version, "sentence": Changed.sentence}, status=409)
    page = editor(
        request.user, form.values, draft=theirs, account=form.account, form_key=form.form_key, back=form.back,
        at=form.at, theirs=theirs,
    )  # fmt: skip
    return show(request, page, 409)


def _on_its_way(request: PersonRequest, written: Written, form: LetterForm, error: OnItsWay) -> HttpResponse:
    """A second press of "Send" finds it sent; where something else is typed by then, it stays as a new message."""
    is_same = drafts.is_same(written, form.values) and not request.FILES
    if is_same and outbox.was_sent(request.user, form.send_key):
        return leave(request, form.back)
    if _is_script(request):
        return JsonResponse({"sentence": error.sentence}, status=409)
    page = editor(request.user, form.values, account=form.account, back=form.back, notes=[error.sentence])
    return show(request, page, 409)


def _again(request: PersonRequest, written: Written, form: LetterForm, problems: list[tuple[str, str]]) -> HttpResponse:
    """The form once more, with what is wrong; what was typed is saved, and stands in it as it was typed."""
    if _is_script(request):
        return JsonResponse({"sentence": problems[0][1]} | _state(request, written), status=422)
    page = editor(
        request.user, form.values, draft=written, account=form.account, form_key=form.form_key, back=form.back,
        at=form.at, problems=problems,
    )  # fmt: skip
    return show(request, page, 422)


def _state(request: PersonRequest, written: Written) -> dict[str, object]:
    """What a script that saves wants to know."""
    page = editor(request.user, written.values, draft=written)
    return {
        "action": page.action,
        "version": page.version,
        "saved": page.saved,
        "room": page.room,
        "files": render_to_string("compose/_files.html", {"editor": page}, request),
        "hints": page.hints,
    } | ({"plain": page.plain} if "wants_plain" in request.POST else {})


def _is_script(request: PersonRequest) -> bool:
    return request.headers.get("Accept") == "application/json"
