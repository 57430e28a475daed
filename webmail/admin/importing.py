"""Accounts from a table: choose, look at what it comes to, then make all of it or nothing.

Between the preview and the making the table travels through the browser sealed (AES-GCM), for this administrator
and for half an hour; no password of it is on the page or in a session.
"""

from __future__ import annotations

import base64
import binascii
import json
import time
import zlib
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import messages
from django.contrib.admin.models import ADDITION, LogEntry
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters

from webmail.models.sealed import SealError, seal_bytes, unseal_bytes
from webmail.store.importing import COLUMNS, MAX_BYTES, Plan, Unreadable, carry_out, decode, plan

if TYPE_CHECKING:
    from .site import PanelAdmin

VALID_SECONDS = 30 * 60
SHOWN = 200  # entries and problems on the preview page; the rest is counted


class TableForm(forms.Form):
    """A file, or the same pasted."""

    file = forms.FileField(
        label="CSV file", required=False, widget=forms.FileInput(attrs={"accept": ".csv,.tsv,.txt,text/csv"})
    )
    text = forms.CharField(
        label="Or paste it here",
        required=False,
        strip=False,
        max_length=MAX_BYTES,
        widget=forms.Textarea(
            attrs={
                "rows": 6,
                "spellcheck": "false",
                "autocomplete": "off",
                "class": "code",
                "placeholder": "address,password,name\nalice@example.test,…,Alice Adams",
            }
        ),
    )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        file = data.get("file")
        if file is not None and data.get("text"):
            raise ValidationError("Choose a file or paste the table, not both.")
        if file is None and not data.get("text", "").strip():
            if not self.errors:
                raise ValidationError("Choose a file, or paste the table.")
            return data
        try:
            data["table"] = data["text"] if file is None else decode(file.read(MAX_BYTES + 1))
        except Unreadable as error:
            self.add_error("file", str(error))
        return data


@sensitive_post_parameters()
def page(request: HttpRequest, panel: PanelAdmin) -> HttpResponse:
    """GET: the form. POST with a table: what it comes to. POST of the preview: make it."""
    if not panel.has_add_permission(request):
        raise PermissionDenied
    if request.method != "POST":
        return _show(panel, request, {"form": TableForm()})
    if "sealed" in request.POST:
        return _make(panel, request, request.POST["sealed"])
    form = TableForm(request.POST, request.FILES)
    if not form.is_valid():
        return _show(panel, request, {"form": _emptied(form)}, 422)
    return _preview(panel, request, form.cleaned_data["table"])


def _preview(panel: PanelAdmin, request: HttpRequest, table: str) -> HttpResponse:
    checked = plan(table)
    if checked.problems:
        return _show(panel, request, {"form": TableForm(), **_described(checked)}, 422)
    return _show(panel, request, {**_described(checked), "sealed": _seal(request, table)})


def _make(panel: PanelAdmin, request: HttpRequest, sealed: str) -> HttpResponse:
    try:
        table = _unseal(request, sealed)
    except SealError:
        messages.error(request, "That preview is no longer valid. Nothing was made; choose the table again.")
        return redirect("admin:webmail_account_import")
    try:
        with transaction.atomic():
            checked = plan(table)  # once more: the world may have changed since the preview
            if checked.problems:
                return _show(panel, request, {"form": TableForm(), **_described(checked)}, 422)
            accounts = carry_out(checked)
            LogEntry.objects.log_actions(str(request.user.pk), accounts, ADDITION, "Made from a table.")
    except IntegrityError:
        messages.error(request, "Somebody made one of these at the same moment. Nothing was made; look at it again.")
        return _preview(panel, request, table)
    messages.success(request, f"{len(accounts)} accounts made, and {checked.new_people} people.")
    return redirect("admin:webmail_account_changelist")


def _described(checked: Plan) -> dict[str, Any]:
    return {
        "entries": checked.entries[:SHOWN],
        "entries_left": max(0, len(checked.entries) - SHOWN),
        "entry_total": len(checked.entries),
        "new_people": checked.new_people,
        "problems": checked.problems[:SHOWN],
        "problems_left": max(0, len(checked.problems) - SHOWN),
        "problem_total": len(checked.problems),
    }


def _show(panel: PanelAdmin, request: HttpRequest, extra: dict[str, Any], status: int = 200) -> HttpResponse:
    context = {
        **panel.admin_site.each_context(request),
        "title": "Accounts from a table",
        "opts": panel.opts,
        "columns": COLUMNS,
        **extra,
    }
    return render(request, "admin/import_accounts.html", context, status=status)


def _emptied(form: TableForm) -> TableForm:
    """The form with its errors but without what was pasted, which may hold passwords."""
    form.data = {}
    return form


def _seal(request: HttpRequest, table: str) -> str:
    payload = json.dumps({"until": int(time.time()) + VALID_SECONDS, "table": table}).encode()
    return base64.urlsafe_b64encode(seal_bytes(_context(request), zlib.compress(payload))).decode()


def _unseal(request: HttpRequest, sealed: str) -> str:
    """The table that `_seal` sealed for the same person.

    Raises:
        SealError: it was changed, was somebody else's, or is too old.
    """
    try:
        data = base64.urlsafe_b64decode(sealed.encode())
    except (ValueError, binascii.Error) as error:
        raise SealError("not sealed by us") from error
    payload = json.loads(zlib.decompress(unseal_bytes(_context(request), data)))
    if payload["until"] < time.time():
        raise SealError("too old")
    return str(payload["table"])


def _context(request: HttpRequest) -> str:
    return f"accounts from a table, administrator {request.user.pk}"
