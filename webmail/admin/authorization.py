"""Of a provider's form: its authorization server (OAuth 2.0), with the two that nearly everybody means filled in."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from webmail.models import AuthorizationServer, Provider
from webmail.models.provider import SignInBy

from .generics import AnyModelForm
from .hosts import clean_host

PRESETS: dict[str, dict[str, Any]] = {
    "google": {
        "name": "Gmail",
        "domains": "gmail.com\ngooglemail.com",
        "imap_host": "imap.gmail.com",
        "smtp_host": "smtp.gmail.com",
        "sign_in_by": SignInBy.OAUTH,
        # Without these two Google gives no refresh token, or only the first time.
        "authorization_endpoint": "https://accounts.google.com/o/oauth2/v2/auth?access_type=offline&prompt=consent",
        "token_endpoint": "https://oauth2.googleapis.com/token",
        "revocation_endpoint": "https://oauth2.googleapis.com/revoke",
        "scopes": "https://mail.google.com/",
        "files_sent": True,
    },
    "microsoft": {
        "name": "Outlook and Microsoft 365",
        "domains": "outlook.com\nhotmail.com\nlive.com\nmsn.com",
        "imap_host": "outlook.office365.com",
        "smtp_host": "smtp.office365.com",
        "smtp_port": 587,
        "smtp_security": "starttls",
        "sign_in_by": SignInBy.OAUTH,
        "authorization_endpoint": "https://login.microsoftonline.com/common/oauth2/v2.0/authorize",
        "token_endpoint": "https://login.microsoftonline.com/common/oauth2/v2.0/token",
        "scopes": "https://outlook.office.com/IMAP.AccessAsUser.All https://outlook.office.com/SMTP.Send"
        " offline_access",
        "files_sent": True,
    },
}
_VISIBLE = re.compile(r"[\x20-\x7e]*")  # RFC 6749 appendix A.1 and A.2
_SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")  # appendix A.4
_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "revocation_endpoint")


def preset(request: HttpRequest) -> dict[str, Any]:
    """The values that the address of the page for a new provider asks for; {} for none."""
    return dict(PRESETS.get(request.GET.get("preset", ""), {}))


def presets(request: HttpRequest, provider: Provider | None) -> SafeString:
    """What stands above the fields: the ready-made ones for a new provider, and what to register there."""
    here = request.build_absolute_uri(reverse("provider-return"))
    ready = SafeString("")
    if provider is None:
        add = reverse("admin:webmail_provider_add")
        links = ((f"{add}?{urlencode({'preset': key})}", values["name"]) for key, values in PRESETS.items())
        ready = format_html("Fill the form in for {}. ", format_html_join(" or ", '<a href="{}">{}</a>', links))
    return format_html("{}For OAuth, register this redirect address at the provider: <code>{}</code>", ready, here)


class AuthorizationForm(AnyModelForm):
    """The fields of `AuthorizationServer` on the form of its provider."""

    authorization_endpoint = forms.CharField(
        required=False,
        max_length=500,
        help_text="For OAuth. Where people are sent to allow it; what it has after “?” is kept.",
    )
    token_endpoint = forms.CharField(
        required=False, max_length=500, help_text="For OAuth. Where this product asks for tokens."
    )
    revocation_endpoint = forms.CharField(
        required=False,
        max_length=500,
        help_text="For OAuth, where there is one. It is told when somebody disconnects or removes their mailbox.",
    )
    client_id = forms.CharField(
        label="Client ID",
        required=False,
        max_length=255,
        help_text="For OAuth. What the provider calls this product.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    client_secret = forms.CharField(
        required=False,
        max_length=500,
        strip=True,
        help_text="Kept sealed and never shown. Empty: the stored one stays, or there is none.",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    scopes = forms.CharField(
        required=False,
        max_length=1000,
        help_text="For OAuth, with spaces between: what reads and sends mail, and what makes it last"
        " (offline_access, at many).",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._server = AuthorizationServer.objects.filter(provider=self.instance.pk or 0).first()
        if self._server is not None:
            for name in (*_ENDPOINTS, "client_id", "scopes"):
                self.initial[name] = getattr(self._server, name)
            if self._server.secret:
                self.fields["client_secret"].help_text = "One is stored, sealed, and never shown. Empty: it stays."

    def clean_client_id(self) -> str:
        return _visible(self.cleaned_data["client_id"])

    def clean_client_secret(self) -> str:
        return _visible(self.cleaned_data["client_secret"])

    def clean_scopes(self) -> str:
        """Each once, with one space between."""
        words = dict.fromkeys(self.cleaned_data["scopes"].split())
        if odd := next((word for word in words if not _SCOPE.fullmatch(word)), ""):
            raise ValidationError("“%(word)s” is not a scope.", params={"word": odd})
        return " ".join(words)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        allow_private = bool(data.get("allow_private"))
        for name in _ENDPOINTS:
            try:
                if data.get(name):
                    data[name] = _endpoint(data[name], allow_private=allow_private)
            except ValidationError as error:
                self.add_error(name, error)
        if data.get("revocation_endpoint") and _host(data["revocation_endpoint"]) != _host(data.get("token_endpoint")):
            self.add_error("revocation_endpoint", "It has to be at the host of the token endpoint: secrets go there.")
        if data.get("sign_in_by") == SignInBy.OAUTH:
            self._check_complete(data)
        self._check_secret(data)
        return data

    def _check_secret(self, data: dict[str, Any]) -> None:
        """The stored secret is sent to nobody that it wasn't typed for."""
        if self.errors or self._server is None or not self._server.secret or data["client_secret"]:
            return
        wanted = AuthorizationServer(client_id=data["client_id"], token_endpoint=data["token_endpoint"])
        if wanted.issuer != self._server.issuer:
            self.add_error(
                "client_secret", "Type the secret again: it would be sent to another server, or for another client."
            )

    def _check_complete(self, data: dict[str, Any]) -> None:
        for name, sentence in (
            ("authorization_endpoint", "Enter the address at which people allow it."),
            ("token_endpoint", "Enter the address at which tokens are given."),
            ("client_id", "Register this product at the provider, and enter the ID that it gave."),
            ("scopes", "Enter what is asked for: without it no provider gives access to mail."),
        ):
            if not data.get(name) and name not in self.errors:
                self.add_error(name, sentence)

    def save_authorization(self) -> None:
        """Keep it, once the provider is saved. What people allowed at another server or to another client is void."""
        data = self.cleaned_data
        if not data["token_endpoint"]:
            return
        server = self._server or AuthorizationServer(provider=self.instance)
        for name in (*_ENDPOINTS, "client_id", "scopes"):
            setattr(server, name, data[name])
        server.client_secret = data["client_secret"] or server.secret or None
        server.save()


def _host(address: str | None) -> str:
    return urlsplit(address or "").netloc


def _visible(text: str) -> str:
    if not _VISIBLE.fullmatch(text):
        raise ValidationError("This contains characters that can't be used here.")
    return text


def _endpoint(text: str, *, allow_private: bool) -> str:
    """An address that the browser or we may be sent to (RFC 6749 §3.1, §3.2).

    Raises:
        ValidationError: it is none.
    """
    try:
        parts = urlsplit(text.strip())
        port = parts.port
    except ValueError:
        raise ValidationError("This is not an address.") from None
    if parts.scheme != "https" or not parts.hostname:
        raise ValidationError("It has to begin with https://, as secrets and tokens travel there.")
    if "@" in parts.netloc or parts.fragment or not _VISIBLE.fullmatch(text):
        raise ValidationError("Without a user name, and without “#” and what follows it.")
    if port not in (None, 443) and not allow_private:
        raise ValidationError("Only port 443 may be used, unless private addresses are allowed.")
    host = clean_host(parts.hostname, port or 443, allow_private=allow_private)
    netloc = f"[{host}]" if ":" in host else host
    return urlunsplit(parts._replace(netloc=f"{netloc}:{port}" if port else netloc))
