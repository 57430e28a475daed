"""What can be said of a person, and which file is to be taken in."""

from __future__ import annotations

from typing import Any

from django import forms

from webmail.models import Contact, User
from webmail.protocol.errors import ProtocolError
from webmail.store import people

MAX_FILE = 20_000_000  # octets of a file of vCards


class PersonForm(forms.Form):
    """One person of the address book."""

    name = forms.CharField(max_length=200, required=False)
    address = forms.CharField(label="Mail address", max_length=254, error_messages={"required": "Enter an address."})
    organisation = forms.CharField(max_length=200, required=False)
    phone = forms.CharField(max_length=100, required=False)
    note = forms.CharField(max_length=10_000, required=False, widget=forms.Textarea({"rows": 3}))

    def __init__(self, *args: Any, contact: Contact | None = None, **kwargs: Any) -> None:
        if contact is not None:
            kwargs["initial"] = {name: getattr(contact, name) for name in self.base_fields}
        super().__init__(*args, **kwargs | {"label_suffix": ""})
        self._contact = contact

    def save(self, user: User) -> Contact | None:
        """Keep the person; None where that can't be, which the form says then."""
        try:
            return people.save(user, contact=self._contact, **self.cleaned_data)
        except ProtocolError as error:
            self.add_error("address", error.sentence)
            return None


class FileForm(forms.Form):
    """A file of vCards."""

    file = forms.FileField(
        label="A file of vCards (.vcf)", error_messages={"required": "Choose a file.", "empty": "This file is empty."}
    )

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > MAX_FILE:
            raise forms.ValidationError("This file is too large. Split it into files of 20 MB at most.")
        return file


class GroupForm(forms.Form):
    """The name of a group and who is in it."""

    name = forms.CharField(label="Name of the group", max_length=100, error_messages={"required": "Give it a name."})
    members = forms.CharField(
        label="Who is in it",
        required=False,
        max_length=64_000,
        widget=forms.Textarea({"rows": 3, "data-people": True}),
        help_text="Addresses with commas between.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs | {"label_suffix": ""})
