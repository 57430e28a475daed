"""People: who may sign in, with what, and who administers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.forms import SetPasswordMixin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from webmail.models import Account, Session, User
from webmail.store import pools

from .accounts import let_go, what_goes_with
from .generics import AnyModelForm, AnyUserAdmin, AnyUserCreationForm
from .site import PanelAdmin, moment, site


class PersonForm(AnyModelForm):
    """What an administrator may change on a person; what they prefer is their own business."""

    class Meta:
        model = User
        fields = ("username", "first_name", "last_name", "email", "time_zone", "is_active", "is_staff")
        widgets = {"username": forms.TextInput(attrs={"autocomplete": "off"})}
        labels = {"is_active": "May sign in", "is_staff": "Administrator"}
        help_texts = {
            "username": "What the person types to sign in with a local password.",
            "is_active": "Without it the person is signed out everywhere at once, and their mail is left alone.",
            "is_staff": "May open this panel and change everything in it.",
        }


class NewPersonForm(AnyUserCreationForm):
    """A person with a local password. Those who sign in with mail make themselves, or come with an account."""

    password1, password2 = SetPasswordMixin.create_password_fields("Password", "Password again")

    class Meta:
        model = User
        fields = ("username", "first_name", "last_name", "is_staff")
        widgets = {"username": forms.TextInput(attrs={"autocomplete": "off"})}
        labels = PersonForm.Meta.labels
        help_texts = PersonForm.Meta.help_texts


class ActiveFilter(admin.BooleanFieldListFilter):
    """Who may sign in."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = "may sign in"


class AdministratorFilter(admin.BooleanFieldListFilter):
    """Who may open the panel."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = "administrator"


class KindFilter(admin.SimpleListFilter):
    """How a person signs in."""

    title = "how they sign in"
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("mail", "With a mail password"), ("none", "Without any account")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "mail":
            return queryset.filter(accounts__signs_in=True).distinct()
        if self.value() == "none":
            return queryset.filter(accounts__isnull=True)
        return queryset


@admin.register(User, site=site)
class PersonAdmin(PanelAdmin, AnyUserAdmin):
    form = PersonForm
    heading, noun, blank = "People", "person", "Nobody yet."
    add_form = NewPersonForm
    add_form_template = None
    change_user_password_template = "admin/set_password.html"  # noqa: S105  the name of a page
    list_display = ("username", "full_name", "account_count", "status", "seen")
    list_filter = (("is_active", ActiveFilter), ("is_staff", AdministratorFilter), KindFilter)
    search_fields = ("username", "first_name", "last_name", "accounts__address")
    ordering = ("username",)
    filter_horizontal = ()
    readonly_fields = ("local_password", "mail_accounts", "browsers", "seen", "joined")
    fieldsets = (
        (None, {"fields": ("username", ("first_name", "last_name"), "email", "time_zone")}),
        (
            "Signing in",
            {"fields": ("is_active", "is_staff", "local_password", ("seen", "browsers", "joined"))},
        ),
        ("Accounts", {"fields": ("mail_accounts",)}),
    )
    add_fieldsets = (
        (None, {"fields": ("username", ("first_name", "last_name"))}),
        ("Password", {"fields": (("password1", "password2"),)}),
        ("Rights", {"fields": ("is_staff",)}),
    )
    actions = ("switch_off", "switch_on", "sign_out")

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        query: QuerySet[User] = super().get_queryset(request)
        return query.annotate(account_total=Count("accounts"))

    @admin.display(description="name", ordering="first_name")
    def full_name(self, person: User) -> str:
        return person.get_full_name() or "–"

    @admin.display(description="accounts", ordering="account_total")
    def account_count(self, person: Any) -> SafeString:
        url = reverse("admin:webmail_account_changelist")
        return format_html('<a href="{}?user__id__exact={}">{}</a>', url, person.pk, person.account_total)

    @admin.display(description="last sign-in", ordering="last_login")
    def seen(self, person: User) -> SafeString:
        return moment(person.last_login)

    @admin.display(description="here since", ordering="date_joined")
    def joined(self, person: User) -> SafeString:
        return moment(person.date_joined)

    @admin.display(description="status", ordering="is_active")
    def status(self, person: User) -> SafeString:
        if not person.is_active:
            return format_html('<span class="badge loss">{}</span>', "Switched off")
        if person.is_staff:
            return format_html('<span class="badge">{}</span>', "Administrator")
        return format_html("{}", "–")

    @admin.display(description="local password")
    def local_password(self, person: User) -> SafeString:
        """Says whether there is one; Django's own field shows a part of the hash."""
        has_one = person.has_usable_password()
        return format_html(
            '{} <a href="{}">{}</a>',
            "There is one." if has_one else "None: the mail server is asked each time.",
            reverse("admin:auth_user_password_change", args=[person.pk]),
            "Change or remove it" if has_one else "Set one",
        )

    @admin.display(description="accounts")
    def mail_accounts(self, person: User) -> SafeString:
        return format_html_join(
            "",
            '<div><a href="{}">{}</a> <span class="quiet">{}{}</span></div>',
            (
                (
                    reverse("admin:webmail_account_change", args=[account.pk]),
                    account.address,
                    account.provider,
                    ", signs in with its mail password" if account.signs_in else "",
                )
                for account in person.accounts.select_related("provider")
            ),
        ) or format_html("{}", "None yet.")

    @admin.display(description="signed-in browsers")
    def browsers(self, person: User) -> int:
        return Session.objects.for_user(person).filter(expire_date__gt=timezone.now()).count()

    @admin.action(description="Switch off: sign out everywhere and allow no signing in")
    def switch_off(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        people = [person for person in queryset.filter(is_active=True) if person.pk != request.user.pk]
        if len(people) < queryset.count():
            self.message_user(
                request, "Those already switched off, and you yourself, were left as they are.", messages.WARNING
            )
        for person in people:
            person.is_active = False
            person.save(update_fields=["is_active"])
            end_sessions(person)
            self.log_change(request, person, "Switched off.")
        self.message_user(request, f"{len(people)} switched off.")

    @admin.action(description="Switch on again")
    def switch_on(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        people = list(queryset.filter(is_active=False))
        for person in people:
            person.is_active = True
            person.save(update_fields=["is_active"])
            self.log_change(request, person, "Switched on.")
        self.message_user(request, f"{len(people)} switched on.")

    @admin.action(description="Sign out everywhere")
    def sign_out(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        ended = 0
        for person in queryset:
            ended += end_sessions(person)
            self.log_change(request, person, "Signed out everywhere.")
        self.message_user(request, f"{ended} session{'s' if ended != 1 else ''} ended.")

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        # One kind of administrator: whoever may open the panel may do everything in it.
        obj.is_superuser = obj.is_staff
        super().save_model(request, obj, form, change)
        if change and "is_active" in form.changed_data and not obj.is_active:
            end_sessions(obj)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """The form; on one's own row without the two switches that would lock oneself out."""
        form = super().get_form(request, obj, change=change, **kwargs)
        if obj is not None and obj.pk == request.user.pk:
            for field in ("is_active", "is_staff"):
                form.base_fields[field].disabled = True
        return form

    def stands_in_the_way(self, rows: Sequence[User], request: HttpRequest) -> list[str]:
        return ["You can't delete yourself."] if any(row.pk == request.user.pk for row in rows) else []

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        let_go(obj.accounts.all())
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        let_go(Account.objects.filter(user__in=queryset))
        super().delete_queryset(request, queryset)

    def goes_too(self, rows: Sequence[User]) -> dict[str, int]:
        accounts = Account.objects.filter(user__in=[row.pk for row in rows])
        return {"accounts": accounts.count(), **what_goes_with(accounts)}


def end_sessions(person: User) -> int:
    """Sign `person` out of every browser, close what this process has open for them; returns how many browsers."""
    ended, _ = Session.objects.for_user(person).delete()
    for account in person.accounts.all():
        pools.forget(account)
    return ended
