"""What can be said of a person, and which file is to be taken in."""

from __future__ import annotations

from typing import Any

from django import forms

from webmail.models import Contact, User
from webmail.protocol.domains import shown_address
from webmail.protocol.errors import ProtocolError
from webmail.protocol.recipients import read
from webmail.protocol.types import Address
from webmail.store import persons

MAX_FILE = 20_000_000  # octets of a file of vCards


def _lines(rows: int) -> forms.Textarea:
    return forms.Textarea({"rows": rows})


class PersonForm(forms.Form):
    """One person of the address book."""

    name = forms.CharField(max_length=200, required=False)
    address = forms.CharField(label="Mail address", max_length=254, error_messages={"required": "Enter an address."})
    others = forms.CharField(
        label="More addresses", max_length=16_000, required=False, widget=_lines(1), help_text="One a line."
    )
    organisation = forms.CharField(max_length=200, required=False)
    phones = forms.CharField(
        max_length=8_000,
        required=False,
        widget=_lines(1),
        help_text="One a line; with “mobile:”, “home:” or “work:” before it, if you like.",
    )
    birthday = forms.CharField(
        max_length=40, required=False, help_text="Such as 1980-04-01, or 04-01 without the year."
    )
    note = forms.CharField(max_length=persons.MAX_NOTE, required=False, widget=_lines(2))

    def __init__(self, *args: Any, contact: Contact | None = None, **kwargs: Any) -> None:
        if contact is not None:
            further = contact.others.filter(forgotten_at=None)
            kwargs["initial"] = {
                "name": contact.name,
                "address": shown_address(contact.address),
                "others": "\n".join(shown_address(each.address) for each in further.order_by("pk")),
                "organisation": contact.organisation,
                "phones": contact.phones,
                "birthday": contact.birthday.removeprefix("--"),
                "note": contact.note,
            }
        super().__init__(*args, **kwargs | {"label_suffix": ""})
        for name in ("others", "phones", "note"):
            typed = str(self[name].value() or "")
            self.fields[name].widget.attrs["rows"] = max(1 + (name == "note"), min(10, 1 + typed.count("\n")))
        self._contact = contact

    def clean_others(self) -> tuple[Address, ...]:
        typed = read(self.cleaned_data["others"])
        if typed.problems:
            raise forms.ValidationError(typed.problems[0].sentence)
        return typed.addresses

    def save(self, user: User) -> Contact | None:
        """Keep the person; None where that can't be, which the form says then."""
        values = dict(self.cleaned_data)
        address = values.pop("address")
        facts = persons.Facts(others=tuple(each.address for each in values.pop("others")), **values)
        try:
            return persons.save(user, address, facts, contact=self._contact)
        except persons.NoBirthday as error:
            self.add_error("birthday", error.sentence)
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
