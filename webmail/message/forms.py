"""What a person may ask to be done to a message."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence

from django import forms

from webmail.models import Mailbox, User
from webmail.store.listing import title_of
from webmail.store.sidebar import full_title_of


class JobForm(forms.Form):
    """A form that is recorded as a job. `idem_key`, made by the page, makes a double click one job."""

    idem_key = forms.CharField(max_length=64, required=False)

    def clean_idem_key(self) -> str:
        return self.cleaned_data["idem_key"] or uuid.uuid4().hex


class DarkenForm(forms.Form):
    """On which paper a person reads mail that brings colours: white, as it was made, or dark."""

    darken_mail = forms.BooleanField(required=False)

    def save(self, user: User) -> None:
        """Remember it for this person."""
        user.darken_mail = self.cleaned_data["darken_mail"]
        user.save(update_fields=["darken_mail"])


class FlagForm(JobForm):
    """Set (`on` = 1) or clear a flag."""

    flag = forms.ChoiceField(choices=[("seen", "Read"), ("flagged", "Flagged")])
    on = forms.ChoiceField(choices=[("1", "Set"), ("0", "Clear")])

    @property
    def leaves_message(self) -> bool:
        """Marking as unread goes back to the list: staying would mark the message as read again."""
        return bool(self.cleaned_data["flag"] == "seen" and self.cleaned_data["on"] == "0")


class TextSizeForm(forms.Form):
    """Larger or smaller text, by one step."""

    by = forms.TypedChoiceField(choices=[("-1", "Smaller"), ("1", "Larger")], coerce=int)

    def save(self, user: User) -> None:
        """Remember it for the person; beyond the last step nothing changes."""
        wanted = user.text_size + self.cleaned_data["by"]
        user.text_size = wanted if wanted in User.TextSize.values else user.text_size
        user.save(update_fields=["text_size"])


class SaveForm(JobForm):
    """The mailbox in which an attachment is to be saved: one of its own account's."""

    mailbox = forms.TypedChoiceField(label="Save in", coerce=int)

    def __init__(self, data: Mapping[str, str] | None, mailboxes: Sequence[Mailbox]) -> None:
        super().__init__(data, label_suffix="")
        self._mailboxes = {mailbox.pk: mailbox for mailbox in mailboxes}
        field = self.fields["mailbox"]
        assert isinstance(field, forms.TypedChoiceField)
        field.choices = [(mailbox.pk, full_title_of(mailbox)) for mailbox in mailboxes]

    @property
    def target(self) -> Mailbox:
        """The mailbox chosen."""
        return self._mailboxes[self.cleaned_data["mailbox"]]

    @property
    def target_title(self) -> str:
        """What people call it."""
        return title_of(self.target)
