"""Accounts: which person reads which mailbox. The stored password goes in and never comes out again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.debug import sensitive_post_parameters

from webmail import tasks
from webmail.models import Account, Draft, Job, Mailbox, Message, Provider, Submission, User
from webmail.protocol.errors import Forbidden
from webmail.protocol.guard import imap_text
from webmail.protocol.mail_address import domain_of, normalise, normalise_domain
from webmail.store import credentials, grants, pools, providers
from webmail.store.checkup import checkup

from . import importing, testing
from .generics import AnyModelForm
from .site import PanelAdmin, moment, site, yes

_TONES = {Account.State.OK: "good", Account.State.LOGIN_NEEDED: "wait", Account.State.AWAY: "wait"}


class PasswordForm(AnyModelForm):
    """What can be changed on an account. The mailbox it stands for (person, address) can't: make another account."""

    provider = forms.ModelChoiceField(Provider.objects.all())
    password = forms.CharField(
        label="Mail password",
        required=False,
        strip=False,
        max_length=1000,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="Kept sealed and never shown. Empty: the stored one stays.",
    )

    class Meta:
        model = Account
        fields: tuple[str, ...] = ("provider", "login_name", "aliases", "signs_in")
        widgets = {
            "login_name": forms.TextInput(attrs={"autocomplete": "off"}),
            "aliases": forms.Textarea({"rows": 2, "spellcheck": "false"}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk and self.instance.provider.by_oauth:
            self.fields["password"].help_text = (
                f"{self.instance.provider} takes no passwords: the person connects the mailbox, at sign-in or in their"
                " settings. Only for a change to a provider that does."
            )

    def clean_login_name(self) -> str:
        return _one_line(self.cleaned_data["login_name"].strip(), "login name")

    def clean_aliases(self) -> str:
        found = []
        for typed in self.cleaned_data["aliases"].replace(",", " ").split():
            try:
                found.append(f"*@{normalise_domain(typed[2:])}" if typed[:2] == "*@" else normalise(typed))
            except ValueError:
                raise forms.ValidationError(
                    f"“{typed[:80]}” is neither a mail address nor “*@” with a domain."
                ) from None
        return "\n".join(dict.fromkeys(found))

    def clean_password(self) -> str:
        return _one_line(self.cleaned_data["password"], "password")

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        address, user = self._whose()
        provider = data.get("provider")
        if provider is None or not address:
            return data
        if provider.by_oauth and data.get("password"):
            self.add_error(
                "password", f"{provider} takes no passwords: leave this empty. The person connects the mailbox."
            )
        if provider.by_oauth and data.get("signs_in") and providers.of(address) != provider:
            self.add_error(
                "signs_in",
                f"Whoever signs in is sent to the provider that serves the domain, and {provider} doesn't serve"
                f" {domain_of(address)}: add it there, or untick this.",
            )
        others = Account.objects.filter(address=address, provider=provider).exclude(pk=self.instance.pk)
        if user is not None and others.filter(user=user).exists():
            self.add_error("provider", f"{user} already has {address} at {provider}.")
        if data.get("signs_in") and (owner := others.filter(signs_in=True).select_related("user").first()):
            self.add_error(
                "signs_in",
                f"{address} already signs in “{owner.user}”: an address can sign in one person only.",
            )
        return data

    def _whose(self) -> tuple[str, User | None]:
        return self.instance.address, self.instance.user

    def seal_password(self) -> None:
        """Put the typed password into the unsaved account, or note what is needed."""
        account: Account = self.instance
        password = self.cleaned_data["password"]
        if account.provider.by_oauth:
            account.credential = b""
            if account.pk is None or grants.granted_at(account) is None:
                account.state, account.state_since = Account.State.LOGIN_NEEDED, timezone.now()
                account.state_detail = "Its owner has not connected it yet."
        elif password:
            account.credential = credentials.seal(account, password)
            account.state, account.state_detail, account.state_since = Account.State.OK, "", None
        elif not account.credential:
            account.state, account.state_since = Account.State.LOGIN_NEEDED, timezone.now()
            account.state_detail = "No password is stored yet."


class NewAccountForm(PasswordForm):
    """A new account, for a person who exists or for one who is made with it."""

    person = forms.CharField(
        required=False,
        max_length=150,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text="The user name of somebody who exists. Empty: a person named after the address is made.",
    )
    provider = forms.ModelChoiceField(
        Provider.objects.all(), required=False, empty_label="The one that serves the address's domain"
    )

    class Meta(PasswordForm.Meta):
        fields = ("address", "provider", "login_name", "aliases", "signs_in")

    field_order = ("address", "person", "provider", "login_name", "password", "signs_in")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password"].help_text = (
            "Kept sealed and never shown. Empty: the person types it, at sign-in or in their settings."
            " At a provider with OAuth they connect the mailbox instead."
        )

    def clean_address(self) -> str:
        try:
            return normalise(self.cleaned_data["address"])
        except ValueError:
            raise ValidationError("This is not a mail address.") from None

    def clean_person(self) -> str:
        name: str = self.cleaned_data["person"].strip()
        if name and not User.objects.filter(username=name).exists():
            raise ValidationError("There is no person with this user name. Make them first, under People.")
        return name

    def clean(self) -> dict[str, Any]:
        address = self.cleaned_data.get("address")
        if address and not self.cleaned_data.get("provider") and "provider" not in self.errors:
            found = providers.of(address)
            if found is None:
                self.add_error("provider", f"No provider serves {domain_of(address)} yet: choose one.")
            else:
                self.cleaned_data["provider"] = self.instance.provider = found
        data = super().clean()
        provider = data.get("provider")
        if address and provider and "person" not in self.errors and self._whose()[1] is None:
            self._check_new_person(address, provider, bool(data.get("signs_in")))
        return data

    def _check_new_person(self, address: str, provider: Provider, signs_in: bool) -> None:
        if not signs_in:
            self.add_error("signs_in", "Nobody could use the new person: tick this, or name somebody who exists.")
        elif not provider.sign_in_allowed:
            self.add_error("provider", f"{provider} doesn't allow signing in, so nobody could use the new person.")
        if len(address) > 150:
            self.add_error("person", "The address is too long for a user name: make the person first, and name them.")

    def _whose(self) -> tuple[str, User | None]:
        address = self.cleaned_data.get("address", "")
        return address, User.objects.filter(username=self.cleaned_data.get("person") or address).first()

    def find_or_make_person(self) -> None:
        """Put the person into the unsaved account, made now if need be."""
        address, user = self._whose()
        if user is None:
            user = User.objects.create_user(username=address, email=address, password=None)
        self.instance.user = user


@admin.register(Account, site=site)
class AccountAdmin(PanelAdmin):
    form = PasswordForm
    heading, noun, blank = "Accounts", "account", "People make their own by signing in, or you make them here."
    list_display = ("address", "person", "provider", "signs_in_word", "how_it_is", "test")
    list_filter = ("state", "signs_in", "provider")
    list_select_related = ("user", "provider")
    search_fields = ("address", "user__username", "user__first_name", "user__last_name", "login_name")
    ordering = ("address",)
    change_form_template = "admin/testable_form.html"
    change_list_template = "admin/account_list.html"
    readonly_fields = ("person", "how_it_is", "indexed", "allowed")

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        return super().get_form(request, obj, change, **({"form": NewAccountForm} if obj is None else {}) | kwargs)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return self.readonly_fields if obj else ()

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return (
                (None, {"fields": ("address", "person", "signs_in")}),
                ("At the mail server", {"fields": ("provider", "login_name", "password")}),
                ("Writing", {"fields": ("aliases",)}),
            )
        return (
            (None, {"fields": (("person", "indexed"), "how_it_is")}),
            ("At the mail server", {"fields": ("provider", "login_name", *self._secret(obj))}),
            ("Writing", {"fields": ("aliases",)}),
            ("Signing in", {"fields": ("signs_in",)}),
        )

    def _secret(self, account: Account) -> tuple[str, ...]:
        """A provider can be changed to one that takes passwords, so the field for one stays."""
        return ("allowed", "password") if account.provider.by_oauth else ("password",)

    @admin.display(description="connected by its owner")
    def allowed(self, account: Account) -> SafeString:
        return moment(grants.granted_at(account))

    @admin.display(description="person", ordering="user__username")
    def person(self, account: Account) -> SafeString:
        url = reverse("admin:webmail_user_change", args=[account.user_id])
        return format_html('<a href="{}">{}</a>', url, account.user.get_username())

    @admin.display(description="signs in", ordering="signs_in")
    def signs_in_word(self, account: Account) -> str:
        return yes(account.signs_in)

    @admin.display(description="state", ordering="state")
    def how_it_is(self, account: Account) -> SafeString:
        state = Account.State(account.state)
        since = f" since {timezone.localtime(account.state_since):%d %b %H:%M}" if account.state_since else ""
        return format_html(
            '<span class="badge {}">{}</span> <span class="quiet">{}{}</span>',
            _TONES[state],
            account.need if state == Account.State.LOGIN_NEEDED else state.label,
            account.state_detail,
            since,
        )

    @admin.display(description="index")
    def indexed(self, account: Account) -> str:
        mailboxes = account.mailboxes.count()
        return f"{account.messages.count():,} messages, {mailboxes} mailbox{'es' if mailboxes != 1 else ''}"

    @admin.display(description="connection")
    def test(self, account: Account) -> SafeString:
        url = reverse("admin:webmail_account_test", args=[account.pk])
        return format_html('<a href="{}">Test<span class="heard"> {}</span></a>', url, account.address)

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("import/", wrap(self.import_view), name="webmail_account_import"),
            path("<int:pk>/test/", wrap(self.test_view), name="webmail_account_test"),
            path("<int:pk>/doctor/", wrap(self.doctor_view), name="webmail_account_doctor"),
            *super().get_urls(),
        ]

    def test_view(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """The page that tests the account's servers with its stored password."""
        return testing.account_page(request, self, pk)

    def doctor_view(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """How the account is. The names that its owner gave to mailboxes are not shown."""
        account = Account.objects.select_related("provider").filter(pk=pk).first()
        if account is None:
            raise Http404("There is no such row.")
        if not self.has_view_permission(request, account):
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            "title": f"How {account} is",
            "opts": self.opts,
            "row": account,
            "row_url": reverse("admin:webmail_account_change", args=[pk]),
            "account": account,
            "checkup": checkup(account, timezone.get_current_timezone(), by_name=False),
        }
        return render(request, "admin/doctor.html", context)

    def import_view(self, request: HttpRequest) -> HttpResponseBase:
        """The page that makes accounts from a table."""
        return importing.page(request, self)

    @method_decorator(sensitive_post_parameters("password"))
    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        return super().changeform_view(request, *args, **kwargs)

    def save_model(self, request: HttpRequest, obj: Account, form: Any, change: bool) -> None:
        if not change:
            form.find_or_make_person()
        form.seal_password()
        super().save_model(request, obj, form, change)
        if change:
            transaction.on_commit(lambda: pools.forget(obj))
        if form.cleaned_data["password"]:
            tasks.enqueue(tasks.list_mailboxes, obj.pk)

    def delete_model(self, request: HttpRequest, obj: Account) -> None:
        let_go([obj])
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Account]) -> None:
        let_go(queryset)
        super().delete_queryset(request, queryset)

    def goes_too(self, rows: Sequence[Account]) -> dict[str, int]:
        return what_goes_with(Account.objects.filter(pk__in=[row.pk for row in rows]))


def let_go(accounts: Iterable[Account]) -> None:
    """Close what is open for accounts that are about to be deleted, and end what their owners have allowed."""
    for account in accounts:
        pools.forget(account)
        grants.end(account)


def what_goes_with(accounts: QuerySet[Account]) -> dict[str, int]:
    """What is deleted together with `accounts`: names in the plural, and how many. Mail on the servers stays."""
    return {
        "mailboxes in the index": Mailbox.objects.filter(account__in=accounts).count(),
        "messages in the index": Message.objects.filter(account__in=accounts).count(),
        "jobs": Job.objects.filter(account__in=accounts).count(),
        "jobs not yet done": Job.objects.pending().filter(account__in=accounts).count(),
        "drafts": Draft.objects.filter(account__in=accounts).count(),
        "messages not yet sent": Submission.objects.filter(
            account__in=accounts, state__in=(*Submission.WAITING, Submission.State.FAILED, Submission.State.UNCLEAR)
        ).count(),
    }


def _one_line(text: str, what: str) -> str:
    try:
        return imap_text(text)
    except Forbidden:
        raise ValidationError(f"The {what} can't hold line breaks.") from None
