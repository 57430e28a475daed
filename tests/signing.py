"""Certificates and S/MIME mail for the tests: made anew by `cryptography` with keys that nobody keeps.

`python -m tests.corpus_containers` writes those of tests/corpus again.
"""

from __future__ import annotations

import base64
import datetime
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import pkcs7
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
_START = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)


@dataclass(frozen=True)
class Identity:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: Key

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)


def authority(name: str = "Harbour Mail Authority", by: Identity | None = None) -> Identity:
    """A certificate authority of its own, or one that another vouches for."""
    key = ec.generate_private_key(ec.SECP256R1())
    return Identity(_certificate(name, key, by, is_authority=True), key)


def identity(
    by: Identity,
    address: str = "bob@demo.test",
    name: str = "Bob Novak",
    *,
    days: int = 365 * 30,
    key: Key | None = None,
    purpose: x509.ObjectIdentifier = ExtendedKeyUsageOID.EMAIL_PROTECTION,
) -> Identity:
    """A certificate for somebody's mail, issued by `by`."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    return Identity(_certificate(name, key, by, address=address, days=days, purpose=purpose), key)


def _certificate(
    name: str,
    key: Key,
    by: Identity | None,
    *,
    is_authority: bool = False,
    address: str = "",
    days: int = 365 * 30,
    purpose: x509.ObjectIdentifier | None = None,
) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    issuer_key = by.key if by else key
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by.certificate.subject if by else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(_START)
        .not_valid_after(_START + datetime.timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
        .add_extension(
            x509.KeyUsage(
                digital_signature=True, content_commitment=False, key_encipherment=False, data_encipherment=False,
                key_agreement=False, key_cert_sign=is_authority, crl_sign=is_authority, encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
    )  # fmt: skip
    if purpose is not None:
        builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
    if address:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.RFC822Name(address)]), critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


def entity(text: str = "Hello Alice,\r\nthe ferry leaves at ten.\r\n") -> bytes:
    """A MIME entity to be signed."""
    return f"Content-Type: text/plain; charset=utf-8\r\n\r\n{text}".encode()


def signature(
    content: bytes, signer: Identity, *, others: tuple[Identity, ...] = (), pss: bool = False, digest: str = "sha256"
) -> bytes:
    """A detached signature of exactly these octets, DER."""
    return _sign(content, signer, others, pss, digest, [pkcs7.PKCS7Options.DetachedSignature])


def enveloping(content: bytes, signer: Identity, *, others: tuple[Identity, ...] = ()) -> bytes:
    """Signed data that carries its content, DER."""
    return _sign(content, signer, others, False, "sha256", [])


def _sign(
    content: bytes, signer: Identity, others: tuple[Identity, ...], pss: bool, digest: str, options: list
) -> bytes:
    made = {"sha256": hashes.SHA256, "sha512": hashes.SHA512}[digest]()
    chosen = padding.PSS(padding.MGF1(made), padding.PSS.DIGEST_LENGTH) if pss else None
    builder = pkcs7.PKCS7SignatureBuilder().set_data(content)
    builder = builder.add_signer(signer.certificate, signer.key, made, rsa_padding=chosen)
    for other in others:
        builder = builder.add_certificate(other.certificate)
    return builder.sign(serialization.Encoding.DER, [*options, pkcs7.PKCS7Options.Binary])


def head(subject: str = "A subject", sender: str = "Bob Novak <bob@demo.test>", key: str = "signed") -> str:
    """The header fields of a signed mail, without its type."""
    return (
        f"From: {sender}\r\nTo: alice@demo.test\r\nSubject: {subject}\r\n"
        f"Date: Mon, 23 Nov 2026 09:30:00 +0100\r\nMessage-ID: <{key}@demo.test>\r\nMIME-Version: 1.0\r\n"
    )


def signed_mail(content: bytes, der: bytes, **more: str) -> bytes:
    """multipart/signed around `content`, which is put in as it is."""
    lines = base64.encodebytes(der).replace(b"\n", b"\r\n")
    opening = head(**more) + (
        'Content-Type: multipart/signed; protocol="application/pkcs7-signature"; micalg=sha-256; boundary="s1"\r\n\r\n'
        "--s1\r\n"
    )
    closing = (
        "\r\n--s1\r\nContent-Type: application/pkcs7-signature; name=smime.p7s\r\n"
        "Content-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename=smime.p7s\r\n\r\n"
    )
    return opening.encode() + content + closing.encode() + lines + b"\r\n--s1--\r\n"


def opaque_mail(der: bytes, smime_type: str = "signed-data", **more: str) -> bytes:
    """application/pkcs7-mime as a whole message."""
    kind = f"; smime-type={smime_type}" if smime_type else ""
    opening = head(**more) + (
        f"Content-Type: application/pkcs7-mime{kind}; name=smime.p7m\r\n"
        "Content-Disposition: attachment; filename=smime.p7m\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    )
    return opening.encode() + base64.encodebytes(der).replace(b"\n", b"\r\n")
