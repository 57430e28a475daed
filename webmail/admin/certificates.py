"""What an administrator pastes as a certificate authority: read, checked and put in order."""

from __future__ import annotations

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from django.core.exceptions import ValidationError
from django.utils import timezone

MAX_PEM = 64 * 1024  # characters: some twenty certificates


def clean_authority(text: str) -> str:
    """The certificates in `text` as plain PEM, without the remarks around them; "" for blank text.

    Raises:
        ValidationError: with a sentence that says what to paste instead.
    """
    if not text.strip():
        return ""
    if len(text) > MAX_PEM:
        raise ValidationError("This is too long: paste only the certificate of the authority, not a whole bundle.")
    if "PRIVATE KEY" in text:
        raise ValidationError(
            "This holds a private key, which must stay on the mail server. Paste only the certificate."
            " Treat the key as known to others if this page was opened over an insecure line."
        )
    try:
        certificates = x509.load_pem_x509_certificates(text.encode())
    except ValueError:
        raise ValidationError(
            "This is not a certificate in PEM form. It begins with “-----BEGIN CERTIFICATE-----”."
        ) from None
    for certificate in certificates:
        _check(certificate)
    return "".join(certificate.public_bytes(Encoding.PEM).decode() for certificate in certificates)


def describe(pem: str) -> str:
    """One line for the page: whose certificates are pinned, and until when."""
    return "; ".join(
        f"{certificate.subject.rfc4514_string() or 'without a name'},"
        f" valid until {certificate.not_valid_after_utc:%d %B %Y}"
        for certificate in x509.load_pem_x509_certificates(pem.encode())
    )


def _check(certificate: x509.Certificate) -> None:
    name = certificate.subject.rfc4514_string() or "without a name"
    if certificate.not_valid_after_utc < timezone.now():
        raise ValidationError(
            "The certificate “%(name)s” expired on %(day)s.",
            params={"name": name, "day": f"{certificate.not_valid_after_utc:%d %B %Y}"},
        )
    try:
        authority = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        authority = False
    # A server's own self-signed certificate may be pinned as well: it is its own authority.
    if not authority and certificate.issuer != certificate.subject:
        raise ValidationError(
            "“%(name)s” is the certificate of a server, not of an authority. Paste the one that signed it: %(issuer)s.",
            params={"name": name, "issuer": certificate.issuer.rfc4514_string()},
        )
