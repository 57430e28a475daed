"""Providers: whose mail it is, where their servers are, and how a connection to them is made."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.views.decorators.debug import sensitive_post_parameters

from webmail.models import Account, Provider, ProviderDomain
from webmail.models.provider import SecurityChoice
from webmail.protocol.guard import MAIL_PORTS
from webmail.protocol.mail_address import normalise_domain
from webmail.protocol.signing_off import clean_signature
from webmail.store import pools

from . import testing
from .authorization import AuthorizationForm, preset, presets
from .certificates import clean_authority, describe
from .hosts import clean_host
from .site import PanelAdmin, names, site, yes

_SERVER_NAME = re.compile(r"[a-z0-9_./:-]{1,253}")
# Ports whose servers speak TLS from the first byte, and those that begin in plain text.
_TLS_PORTS, _PLAIN_PORTS = {993, 465}, {143, 587, 25}
_SERVERS = ("imap", "smtp", "sieve")


class ProviderForm(AuthorizationForm):
    """All of a provider on one page, its domains one a line."""

    domains = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 4, "placeholder": "example.test", "spellcheck": "false"}),
        help_text="One a line. Whoever signs in with an address of these domains is sent to this provider.",
    )

    class Meta:
        model = Provider
        fields = (
            "name",
            *(f"{server}_{field}" for server in _SERVERS for field in ("host", "port", "security")),
            "smtp_open",
            "login_format",
            "sign_in_by",
            "ca_pem",
            "allow_private",
            "sign_in_allowed",
            "connection_cap",
            "authserv_ids",
        )
        widgets = {
            **{
                name: forms.Textarea(attrs={"rows": 3, "spellcheck": "false", "class": "code"})
                for name in ("footer_html", "signature_html")
            },
            **{name: forms.Textarea(attrs={"rows": 3}) for name in ("footer", "signature")},
            "ca_pem": forms.Textarea(
                attrs={"rows": 6, "placeholder": "-----BEGIN CERTIFICATE-----", "spellcheck": "false", "class": "code"}
            ),
        }
        labels = {
            f"{server}_{field}": label
            for server in _SERVERS
            for field, label in (("host", "Host"), ("port", "Port"), ("security", "Security"))
        }
        help_texts = {
            "smtp_host": "Empty: nobody can send through this provider.",
            "sieve_host": "For rules and vacation replies. Empty where there is none.",
            "login_format": "What the servers ask for as user name.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.initial["domains"] = "\n".join(self.instance.domains.values_list("domain", flat=True))
            if self.instance.ca_pem:
                self.fields["ca_pem"].help_text = f"Pinned: {_readable(self.instance.ca_pem)}. {_AUTHORITY}"

    def clean_domains(self) -> str:
        """The domains as they are looked up: ASCII, lower case, each once, one a line."""
        found = dict.fromkeys(_domain(word) for word in re.split(r"[\s,;]+", self.cleaned_data["domains"]) if word)
        taken = ProviderDomain.objects.filter(domain__in=found).exclude(provider=self.instance.pk)
        problems = [
            ValidationError(
                "%(domain)s is already served by “%(provider)s”.",
                params={"domain": row.domain, "provider": row.provider},
            )
            for row in taken.select_related("provider")
        ]
        if problems:
            raise ValidationError(problems)
        return "\n".join(sorted(found))

    def clean_authserv_ids(self) -> str:
        """The names as they are compared: lower case, each once."""
        names = dict.fromkeys(re.split(r"[\s,;]+", self.cleaned_data["authserv_ids"].strip().lower()))
        if odd := next((name for name in names if name and not _SERVER_NAME.fullmatch(name)), ""):
            raise ValidationError("“%(name)s” is not the name of a server.", params={"name": odd})
        return ", ".join(filter(None, names))

    def clean_footer_html(self) -> str:
        return clean_signature(self.cleaned_data["footer_html"])

    def clean_signature_html(self) -> str:
        return clean_signature(self.cleaned_data["signature_html"])

    def clean_ca_pem(self) -> str:
        return clean_authority(self.cleaned_data["ca_pem"])

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        for server in _SERVERS:
            self._check_server(server, allow_private=bool(data.get("allow_private")))
        if data.get("smtp_open") and not data.get("smtp_host") and "smtp_host" not in self.errors:
            self.add_error("smtp_open", "Name the server that takes the mail, or untick this.")
        return data

    def _check_server(self, server: str, *, allow_private: bool) -> None:
        host, port, security = (self.cleaned_data.get(f"{server}_{field}") for field in ("host", "port", "security"))
        if not host or port is None:  # absent, or refused already
            return
        try:
            self.cleaned_data[f"{server}_host"] = clean_host(host, port, allow_private=allow_private)
        except ValidationError as error:
            self.add_error(f"{server}_host", error)
        if security == SecurityChoice.NONE and not allow_private:
            self.add_error(
                f"{server}_security",
                "Without encryption passwords would travel readable. That is only done to a server on this machine"
                " itself, and only with “Private addresses allowed” ticked below. Choose TLS or STARTTLS.",
            )
        if allow_private:  # somebody's own network: any port, for anything
            return
        if server != "sieve" and port not in MAIL_PORTS:
            self.add_error(
                f"{server}_port",
                f"Only the ports {', '.join(map(str, sorted(MAIL_PORTS)))} may be used, unless private addresses"
                " are allowed.",
            )
        elif security == SecurityChoice.STARTTLS and port in _TLS_PORTS:
            self.add_error(f"{server}_security", f"Port {port} speaks TLS from the first byte: choose TLS.")
        elif security == SecurityChoice.TLS and port in _PLAIN_PORTS:
            better = 993 if port == 143 else 465
            self.add_error(
                f"{server}_security", f"Port {port} begins in plain text: choose STARTTLS, or better port {better}."
            )

    def save_domains(self) -> None:
        """Make the provider's domains those of the form, once the provider is saved."""
        wanted = set(self.cleaned_data["domains"].split())
        provider: Provider = self.instance
        provider.domains.exclude(domain__in=wanted).delete()
        kept = set(provider.domains.values_list("domain", flat=True))
        ProviderDomain.objects.bulk_create(
            ProviderDomain(provider=provider, domain=domain) for domain in sorted(wanted - kept)
        )


@admin.register(Provider, site=site)
class ProviderAdmin(PanelAdmin):
    form = ProviderForm
    heading, noun, blank = "Providers", "provider", "A provider says where the mail of some domains is."
    list_display = ("name", "domain_names", "imap_server", "signing_in", "account_count", "origin", "test")
    list_filter = ("sign_in_allowed", "discovered")
    search_fields = ("name", "domains__domain", "imap_host", "smtp_host")
    change_form_template = "admin/testable_form.html"
    servers = (
        ("Reading mail (IMAP)", {"fields": (("imap_host", "imap_port", "imap_security"), "login_format")}),
        (
            "Sending mail (SMTP submission)",
            {"fields": (("smtp_host", "smtp_port", "smtp_security"), "smtp_open", "sender_rule", "files_sent")},
        ),
        ("Below what is sent", {"fields": ("signature", "signature_html", "footer", "footer_html")}),
        ("Rules (ManageSieve)", {"fields": (("sieve_host", "sieve_port", "sieve_security"),)}),
        ("Trust and limits", {"fields": ("ca_pem", "allow_private", "connection_cap", "authserv_ids")}),
    )

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        names = (
            "authorization_endpoint", "token_endpoint", "revocation_endpoint", ("client_id", "client_secret"), "scopes",
        )  # fmt: skip
        return (
            (None, {"fields": ("name", "domains", "sign_in_allowed")}),
            ("How people sign in", {"fields": ("sign_in_by", *names), "description": presets(request, obj)}),
            *self.servers,
        )

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return preset(request) or super().get_changeform_initial_data(request)

    @method_decorator(sensitive_post_parameters("client_secret"))
    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        return super().changeform_view(request, *args, **kwargs)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Provider]:
        query: QuerySet[Provider] = super().get_queryset(request)
        return query.annotate(account_total=Count("accounts")).prefetch_related("domains")

    @admin.display(description="domains")
    def domain_names(self, provider: Provider) -> str:
        return names(row.domain for row in provider.domains.all()) or "–"

    @admin.display(description="IMAP", ordering="imap_host")
    def imap_server(self, provider: Provider) -> str:
        return f"{provider.imap_host}:{provider.imap_port}"

    @admin.display(description="sign-in allowed", ordering="sign_in_allowed")
    def signing_in(self, provider: Provider) -> str:
        return yes(provider.sign_in_allowed)

    @admin.display(description="made by", ordering="discovered")
    def origin(self, provider: Provider) -> str:
        return "discovery" if provider.discovered else "administrator"

    @admin.display(description="accounts", ordering="account_total")
    def account_count(self, provider: Any) -> str:
        url = reverse("admin:webmail_account_changelist")
        return format_html('<a href="{}?provider__id__exact={}">{}</a>', url, provider.pk, provider.account_total)

    @admin.display(description="connection")
    def test(self, provider: Provider) -> str:
        url = reverse("admin:webmail_provider_test", args=[provider.pk])
        return format_html('<a href="{}">Test<span class="heard"> {}</span></a>', url, provider.name)

    def get_urls(self) -> list[URLPattern]:
        own = path("<int:pk>/test/", self.admin_site.admin_view(self.test_view), name="webmail_provider_test")
        return [own, *super().get_urls()]

    def test_view(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """The page that tests the provider's servers, with an address and password if they are typed."""
        return testing.provider_page(request, self, pk)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        form.save_domains()
        form.save_authorization()
        # What is connected to the old place must not be lent again by this process.
        for account in Account.objects.filter(provider=form.instance):
            transaction.on_commit(partial(pools.forget, account))

    def stands_in_the_way(self, rows: Sequence[Provider], request: HttpRequest) -> list[str]:
        used = Provider.objects.filter(pk__in=[row.pk for row in rows]).annotate(total=Count("accounts"))
        return [
            f"{row.name} has {row.total} account{'s' if row.total != 1 else ''}: remove them, or give them"
            " another provider."
            for row in used
            if row.total
        ]

    def goes_too(self, rows: Sequence[Provider]) -> dict[str, int]:
        return {"domains": ProviderDomain.objects.filter(provider__in=rows).count()}


_AUTHORITY = "Only servers with a certificate of this authority are trusted; empty for the system's."


def _readable(pem: str) -> str:
    try:
        return describe(pem)
    except ValueError:  # a row that was not made here
        return "a certificate that can't be read"


def _domain(word: str) -> str:
    """`word` as a mail domain in ASCII (IDNA).

    Raises:
        ValidationError: it is none.
    """
    try:
        return normalise_domain(word.removeprefix("@"))
    except ValueError:
        raise ValidationError("“%(word)s” is not a mail domain.", params={"word": word}) from None
