"""The forms about people. Every field says what is wrong beside itself."""

from __future__ import annotations

import functools
import zoneinfo
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError

from webmail.models import Mailbox, Provider, User
from webmail.models.mailbox import RoleChoice
from webmail.models.provider import SecurityChoice
from webmail.protocol.mail_address import normalise, normalise_domain
from webmail.protocol.types import Role, Security, Server
from webmail.store import keys, providers

# Without "none": that is for a server on this very machine, which only an administrator can name.
_SECURITIES = [(each.value, each.label) for each in (SecurityChoice.TLS, SecurityChoice.STARTTLS)]

NO_PASSWORD = "Enter your password."  # noqa: S105  a sentence
NO_MAIL_PASSWORD = "Enter the password."  # noqa: S105
CHOSEN_ROLES = [each for each in RoleChoice if each not in (RoleChoice.NONE, RoleChoice.INBOX)]


class _Form(forms.Form):
    """A form whose labels end without a colon."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("label_suffix", "")
        super().__init__(*args, **kwargs)


class SignInForm(_Form):
    """Address or user name, and password.

    Args:
        elsewhere: some people sign in at their provider, and have no password for here.
    """

    username = forms.CharField(
        label="Address or user name",
        max_length=254,
        widget=forms.TextInput(
            attrs={
                "autocomplete": "username",
                "autocapitalize": "none",
                "spellcheck": "false",
                "inputmode": "email",
                "autofocus": True,
            }
        ),
        error_messages={"required": "Enter your mail address or user name."},
    )
    password = forms.CharField(
        strip=False,
        max_length=1000,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
        error_messages={"required": NO_PASSWORD},
    )

    def __init__(self, *args: Any, elsewhere: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if elsewhere:
            _need_no_password(self)

    def ask_password_again(self) -> None:
        """Put the cursor where the typing goes on."""
        del self.fields["username"].widget.attrs["autofocus"]
        self.fields["password"].widget.attrs["autofocus"] = True

    def clean_username(self) -> str:
        return _one_line(self.cleaned_data["username"])

    def clean_password(self) -> str:
        return _one_line(self.cleaned_data["password"])


class PasswordForm(_Form):
    """A new password for an account whose server no longer takes the old one."""

    password = forms.CharField(
        label="Mail password",
        strip=False,
        max_length=1000,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        error_messages={"required": NO_MAIL_PASSWORD},
    )

    def clean_password(self) -> str:
        return _one_line(self.cleaned_data["password"])


class AddAccountForm(PasswordForm):
    """A mailbox to add: its address and password; its servers only where the person wants to type them.

    Args:
        manual: whether servers may be typed (settings.OPEN_SIGN_IN).
        elsewhere: some mailboxes are allowed at their provider, and need no password.
    """

    address = forms.CharField(
        label="Mail address",
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
        error_messages={"required": "Enter the mail address."},
    )
    login_name = forms.CharField(
        label="User name",
        max_length=254,
        required=False,
        help_text="Only if it isn't the address.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
    )
    imap_host = forms.CharField(
        label="IMAP server", max_length=253, required=False, help_text="Such as imap.example.org."
    )
    imap_port = forms.TypedChoiceField(label="IMAP port", coerce=int, choices=[(993, "993"), (143, "143")])
    imap_security = forms.ChoiceField(label="IMAP encryption", choices=_SECURITIES)
    smtp_host = forms.CharField(
        label="SMTP server", max_length=253, required=False, help_text="Such as smtp.example.org."
    )
    smtp_port = forms.TypedChoiceField(label="SMTP port", coerce=int, choices=[(465, "465"), (587, "587")])
    smtp_security = forms.ChoiceField(label="SMTP encryption", choices=_SECURITIES)

    field_order = ("address", "password")
    manual_fields = (
        "login_name",
        "imap_host",
        "imap_port",
        "imap_security",
        "smtp_host",
        "smtp_port",
        "smtp_security",
    )

    def __init__(self, *args: Any, manual: bool, elsewhere: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if elsewhere:
            _need_no_password(self)
        for name in self.manual_fields:
            if not manual:
                del self.fields[name]
            elif name != "login_name" and not name.endswith("_host"):
                self.fields[name].required = False

    def clean_address(self) -> str:
        try:
            return normalise(self.cleaned_data["address"])
        except ValueError:
            raise ValidationError("This is not a mail address.") from None

    def clean_login_name(self) -> str:
        return _one_line(self.cleaned_data["login_name"])

    def clean_imap_host(self) -> str:
        return _host(self.cleaned_data["imap_host"])

    def clean_smtp_host(self) -> str:
        return _host(self.cleaned_data["smtp_host"])

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("smtp_host") and not data.get("imap_host") and "imap_host" not in self.errors:
            self.add_error("imap_host", "Enter the IMAP server too.")
        return data

    @property
    def servers(self) -> Provider | None:
        """What was typed, or None where the servers are to be found."""
        data = self.cleaned_data
        if not data.get("imap_host"):
            return None
        smtp = Server(data["smtp_host"], data["smtp_port"] or 465, Security(data["smtp_security"] or "tls"))
        return providers.propose(
            Server(data["imap_host"], data["imap_port"] or 993, Security(data["imap_security"] or "tls")),
            smtp if smtp.host else None,
        )


if TYPE_CHECKING:
    _UserForm = forms.ModelForm[User]
else:
    _UserForm = forms.ModelForm  # generic only for the type checker


class ForgetForm(forms.Form):
    """Which trusted sender to forget."""

    pk = forms.IntegerField()


class _Ticks(forms.MultipleChoiceField):
    """Boxes of which none may be ticked: an empty value that is always sent along says that they were there."""

    widget = forms.CheckboxSelectMultiple

    def to_python(self, value: Any) -> list[str]:
        return [each for each in super().to_python(value) if each]


class PreferencesForm(_UserForm):
    """What follows the person everywhere. Fields that are not sent stay as they are: each is saved by itself."""

    name = forms.CharField(label="Your name", max_length=150, required=False)
    time_zone = forms.ChoiceField(label="Time zone")
    # Not a tick, which is not sent when it is taken away.
    prefer_plain = forms.TypedChoiceField(
        choices=[("False", "As designed"), ("True", "As plain text")],
        coerce=lambda value: value == "True",
        widget=forms.RadioSelect,
    )
    single_keys = forms.TypedChoiceField(
        choices=[("True", "On"), ("False", "Off")], coerce=lambda value: value == "True", widget=forms.RadioSelect
    )

    notifies = forms.TypedChoiceField(
        choices=[("False", "Quietly"), ("True", "With a notification")],
        coerce=lambda value: value == "True",
        widget=forms.RadioSelect,
    )

    collects_people = forms.TypedChoiceField(
        choices=[("True", "Remember them"), ("False", "Don't")],
        coerce=lambda value: value == "True",
        widget=forms.RadioSelect,
    )

    hints = _Ticks(choices=User.Hint.choices, required=False)

    class Meta:
        model = User
        fields = [
            *("theme", "density", "reading_pane", "time_zone", "text_size"),
            *("prefer_plain", "notifies", "remote_images", "undo_seconds", "writes"),
            *("read_receipts", "collects_people", "single_keys", "swipe_right", "swipe_left"),
        ]
        widgets = dict.fromkeys(
            (
                *("theme", "density", "reading_pane", "text_size", "remote_images", "undo_seconds", "writes"),
                *("read_receipts", "swipe_right", "swipe_left"),
            ),
            forms.RadioSelect,
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("label_suffix", "")
        super().__init__(*args, **kwargs)
        self.fields["name"].initial = self.instance.get_full_name()
        self.fields["hints"].initial = sorted(self.instance.hints)
        zone = self.fields["time_zone"]
        assert isinstance(zone, forms.ChoiceField)
        zone.choices = time_zones()
        if self.is_bound:
            for name in [name for name in self.fields if name not in self.data]:
                del self.fields[name]

    def save(self, commit: bool = True) -> User:
        if "name" in self.cleaned_data:
            self.instance.first_name, self.instance.last_name = self.cleaned_data["name"], ""
        if "hints" in self.cleaned_data:
            self.instance.hidden_hints = " ".join(sorted(set(User.Hint.values).difference(self.cleaned_data["hints"])))
        return super().save(commit)


class KeysForm(forms.Form):
    """A person's keys, a field for each command. What conflicts is said beside the commands it concerns."""

    def __init__(self, user: User, data: Mapping[str, str] | None = None) -> None:
        super().__init__(data, label_suffix="", auto_id="key_%s")
        self._user = user
        self._own: dict[str, list[str]] = {}
        for line in (line for group in keys.sheet_of(user) for line in group.lines):
            self.fields[line.name] = forms.CharField(
                label=line.label,
                initial=line.keys,
                max_length=80,
                required=False,
                widget=forms.TextInput(attrs={"autocapitalize": "none", "autocomplete": "off", "spellcheck": "false"}),
            )

    @property
    def groups(self) -> list[tuple[str, list[forms.BoundField]]]:
        """The fields under their headings."""
        return [(group.heading, [self[line.name] for line in group.lines]) for group in keys.sheet_of(self._user)]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        # Only what was sent: a form with one field changes one command.
        sent = {name: value for name, value in data.items() if name in self.data}
        now = {line.name: line.keys for group in keys.sheet_of(self._user) for line in group.lines}
        self._own, problems = keys.check(now | sent)
        for name, sentence in problems.items():
            self.add_error(name, sentence)
        return data

    def save(self) -> None:
        """Remember them for the person."""
        self._user.keys = self._own
        self._user.save(update_fields=["keys"])


@functools.cache
def time_zones() -> list[tuple[str, Any]]:
    """The choices of a time zone, by area: the names of places, and UTC."""
    areas: dict[str, list[tuple[str, str]]] = {}
    for name in sorted(zoneinfo.available_timezones()):
        area, slash, place = name.partition("/")
        if slash and area not in {"Etc", "SystemV", "US", "posix", "right"}:
            areas.setdefault(area, []).append((name, place.replace("_", " ").replace("/", " – ")))
    return [("UTC", "UTC"), *areas.items()]


class RolesForm(_Form):
    """Which mailbox of an account is for what, where the server doesn't say so or says it wrongly.

    Args:
        mailboxes: of the account, the person's own and selectable, in the order they are offered.
    """

    def __init__(self, mailboxes: Sequence[Mailbox], data: Any = None) -> None:
        initial = {mailbox.chosen_role: mailbox.pk for mailbox in mailboxes if mailbox.chosen_role}
        super().__init__(data, initial=initial)
        listed = {mailbox.listed_role: mailbox.name for mailbox in mailboxes}
        choices = [(str(mailbox.pk), mailbox.name) for mailbox in mailboxes if mailbox.listed_role != Role.INBOX]
        for role in CHOSEN_ROLES:
            said = listed.get(role.value)
            empty = ("", f"As the server says: {said}" if said else "None")
            self.fields[role.value] = forms.ChoiceField(label=role.label, required=False, choices=[empty, *choices])

    def clean(self) -> dict[str, Any]:
        chosen: dict[str, Any] = super().clean() or {}
        taken: set[str] = set()
        for role in CHOSEN_ROLES:
            pk = chosen.get(role.value)
            if pk and pk in taken:
                self.add_error(role.value, "This mailbox was chosen above already.")
            taken.add(pk or "")
        return chosen

    @property
    def chosen(self) -> dict[str, int | None]:
        """For each role the key of its mailbox, None where that is left to the server."""
        return {role.value: int(pk) if (pk := self.cleaned_data[role.value]) else None for role in CHOSEN_ROLES}


def _need_no_password(form: forms.Form) -> None:
    """Who does need one only the view can tell, by the address."""
    form.fields["password"].required = False
    form.fields["password"].help_text = "Leave it empty if you sign in at your mail provider."


def _one_line(text: str) -> str:
    """`text`, unless it holds what no server's log-in can carry.

    Raises:
        ValidationError: it holds a control character.
    """
    if any(character < " " or character == "\x7f" for character in text):
        raise ValidationError("This contains characters that can't be used here.")
    return text


def _host(text: str) -> str:
    """A host name as ASCII, or "".

    Raises:
        ValidationError: it is no name of a public host. (Where it leads is for the guard to judge.)
    """
    if not text:
        return ""
    try:
        return normalise_domain(text)
    except ValueError:
        raise ValidationError("This is not the name of a server.") from None
