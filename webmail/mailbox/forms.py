"""What a person may ask to be done to the messages of a list."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from django import forms
from django.http import QueryDict

from webmail.models import Mailbox, User
from webmail.store import acts, exporting
from webmail.store.acts import Order
from webmail.store.by_sender import MOST_AT_ONCE, messages_of
from webmail.store.cursors import Query
from webmail.store.jobs import Messages
from webmail.store.selecting import Selection
from webmail.store.sidebar import full_title_of


class _Form(forms.Form):
    @property
    def sentence(self) -> str:
        """The first thing that is wrong."""
        return next(str(problems[0]) for problems in self.errors.values())


class _RowsForm(_Form):
    """What acts on rows of a list: by their keys (`m`), or on `all` that match it."""

    all = forms.BooleanField(required=False)

    def __init__(self, data: QueryDict) -> None:
        super().__init__(data)
        keys = [int(key) for key in data.getlist("m")[: acts.MOST] if key.isascii() and key.isdigit()]
        self.keys = [key for key in keys if key < 2**63]

    def groups(self, user: User, mailbox: Mailbox, query: Query) -> list[Messages]:
        """What is meant: the rows, mailbox by mailbox, or all that `query` lists, without what came since."""
        if self.cleaned_data["all"] and query.sender:
            return acts.grouped(mailbox, list(messages_of(mailbox.account, query)[:MOST_AT_ONCE]))
        if self.cleaned_data["all"]:
            return [Selection(mailbox, only=query.only, below=self.cleaned_data.get("below") or 0)]
        return acts.chosen(user, mailbox, self.keys)


class ExportForm(_RowsForm):
    """As what kind of file messages are wanted."""

    format = forms.ChoiceField(choices=list(exporting.FORMATS.items()))


class NameForm(_Form):
    """A mailbox's name, and the mailbox it lies in."""

    title = forms.CharField(label="Name", max_length=200)
    inside = forms.TypedChoiceField(label="Inside", coerce=int, empty_value=None, required=False)

    def __init__(self, data: QueryDict | None, mailboxes: Sequence[Mailbox]) -> None:
        super().__init__(data, label_suffix="")
        self._mailboxes = {mailbox.pk: mailbox for mailbox in mailboxes}
        field = self.fields["inside"]
        assert isinstance(field, forms.TypedChoiceField)
        field.choices = [("", "At the top"), *((mailbox.pk, full_title_of(mailbox)) for mailbox in mailboxes)]

    @staticmethod
    def key_of(data: QueryDict) -> str:
        """The key of a form's intent, made by the page; a new one where it has none."""
        return data.get("idem_key", "")[:64] or uuid.uuid4().hex

    @property
    def wanted_title(self) -> str:
        """What it is to be called."""
        return str(self.cleaned_data["title"])

    @property
    def wanted_place(self) -> Mailbox | None:
        """What it is to lie in; None for the top."""
        return self._mailboxes.get(self.cleaned_data["inside"])

    @property
    def idem_key(self) -> str:
        """The intent's key."""
        assert isinstance(self.data, QueryDict)
        return self.key_of(self.data)


class EmptyForm(forms.Form):
    """That a mailbox is to be emptied of what was in it when the page asked."""

    below = forms.IntegerField(min_value=1, max_value=2**40)


class ImportForm(_Form):
    """Files of mail and the mailbox they go into.

    `sent` is what a script says when it has sent the files before: a JSON list of their names and sizes.
    """

    into = forms.TypedChoiceField(label="Into", coerce=int)
    seen = forms.BooleanField(required=False)
    sent = forms.JSONField(required=False)
    idem_key = forms.CharField(max_length=64, required=False)

    def __init__(self, data: QueryDict | None, targets: Sequence[Mailbox], mailbox: Mailbox) -> None:
        super().__init__(data, initial={"into": mailbox.pk, "seen": True}, label_suffix="")
        self._targets = {each.pk: each for each in targets}
        field = self.fields["into"]
        assert isinstance(field, forms.TypedChoiceField)
        field.choices = [(each.pk, full_title_of(each)) for each in targets]

    def clean_sent(self) -> list[tuple[str, int]]:
        listed = self.cleaned_data["sent"] or []
        try:
            return [(str(name), int(size)) for name, size in listed]
        except (TypeError, ValueError):
            raise forms.ValidationError("Choose the files again: the list of them can't be read.") from None

    @property
    def key(self) -> str:
        """The key of the intent, under which pieces were sent."""
        return str(self.data.get("idem_key", ""))[:64]

    @property
    def target(self) -> Mailbox:
        """Where the mail goes."""
        return self._targets[self.cleaned_data["into"]]


class ActForm(_RowsForm):
    """An act, and on what.

    `create` is the name of a mailbox to be made, in place of a `target`. `below` is the mailbox's UIDNEXT when the page
    was made: what came since isn't meant by `all`.
    """

    act = forms.ChoiceField(choices=[(act, act) for act in acts.ACTS])
    below = forms.IntegerField(required=False, min_value=0, max_value=2**40)
    target = forms.IntegerField(required=False)
    create = forms.CharField(required=False, max_length=200)
    keyword = forms.CharField(required=False, max_length=60)
    sure = forms.BooleanField(required=False)
    idem_key = forms.CharField(max_length=64, required=False)

    def __init__(self, data: QueryDict, places: Sequence[Mailbox]) -> None:
        super().__init__(data)
        self._places = places

    def clean_target(self) -> Mailbox | None:
        key = self.cleaned_data["target"]
        if key is None:
            return None
        found = next((place for place in self._places if place.pk == key and place.selectable), None)
        if found is None:
            raise forms.ValidationError("Choose a mailbox of the same account.")
        return found

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not self.keys and not data.get("all"):
            self.add_error(None, "Choose messages first.")
        return data

    @property
    def order(self) -> Order:
        """What is asked for."""
        data = self.cleaned_data
        key = data["idem_key"] or uuid.uuid4().hex
        return Order(data["act"], key, data["target"], data["create"], data["keyword"], self._places)

    @property
    def lacks(self) -> bool:
        """Whether it isn't said yet where to, or with what word."""
        act, data = self.cleaned_data["act"], self.cleaned_data
        placeless = data["target"] is None and not data["create"]
        return (act in acts.TARGETED and placeless) or (act in acts.LABELLED and not data["keyword"])
