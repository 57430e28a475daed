"""S/MIME signatures (RFC 8551, CMS: RFC 5652) checked: does it fit the content, whose is the certificate, who vouches.

The room's one law: "valid" is said only where the digest, the signature over it, the certificate's purpose and its
chain to an authority of this machine all hold. Everything less has a word of its own. Nothing is fetched: whether a
certificate was revoked is not asked. Runs in the child of `bounded`.
"""

from __future__ import annotations

import hmac
import os
import ssl
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from asn1crypto import cms, pem
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.x509 import verification
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from .entity import read_entity
from .opened import Opened

VALID, UNKNOWN, CHANGED, EXPIRED, WEAK, UNCHECKED = "valid", "unknown", "changed", "expired", "weak", "unchecked"
MAX_CERTIFICATES = 20
_LENGTH = 8  # octets that say how long the signed content before a signature is
_MAX_LINE = 300

_HASHES: dict[str, hashes.HashAlgorithm] = {
    "sha1": hashes.SHA1(),  # noqa: S303 - told as weak, never as valid
    "sha224": hashes.SHA224(),
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
    "sha3_256": hashes.SHA3_256(),
    "sha3_384": hashes.SHA3_384(),
    "sha3_512": hashes.SHA3_512(),
}
_WEAK = frozenset(("sha1",))
_PURPOSES = {ExtendedKeyUsageOID.EMAIL_PROTECTION, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE}


def detached(content: bytes, signature: bytes) -> bytes:
    """The octets that `read_detached` takes: the signed entity with its header, and the decoded signature."""
    return len(content).to_bytes(_LENGTH, "big") + content + signature


def read_detached(data: bytes) -> dict[str, Any]:
    """What is to be said of the signature of a multipart/signed (RFC 8551 §3.5.3).

    Raises:
        ValueError: the signature can't be read.
    """
    length = int.from_bytes(data[:_LENGTH], "big")
    content, signature = data[_LENGTH : _LENGTH + length], data[_LENGTH + length :]
    verdict = _check(_signed_data(signature), content)
    if verdict["result"] == CHANGED and b"\n" in content:
        # Servers that keep lines with LF alone give them so; signed are lines with CR LF.
        crlf = content.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        verdict = _check(_signed_data(signature), crlf) if crlf != content else verdict
    return verdict


def open_signed(data: bytes) -> Opened:
    """The entity inside a signed application/pkcs7-mime (RFC 8551 §3.5.2), and what is to be said of its signature.

    Raises:
        ValueError: it is encrypted, or nothing that can be read.
    """
    signed = _signed_data(data)
    content = signed["encap_content_info"]["content"].native
    if not isinstance(content, bytes):
        raise ValueError("no content")
    entity = read_entity(content)
    return Opened(entity.structure, entity.bodies, {"signature": _check(signed, content)})


def _signed_data(data: bytes) -> cms.SignedData:
    if pem.detect(data):
        _, _, data = pem.unarmor(data)
    info = cms.ContentInfo.load(data)
    if info["content_type"].native != "signed_data":
        raise ValueError(f"not signed: {info['content_type'].native}")
    return info["content"]


def _check(signed: cms.SignedData, content: bytes) -> dict[str, Any]:
    """The verdict on the first signer."""
    certificates = _certificates(signed)
    signers = signed["signer_infos"]
    if not len(signers):
        return {"result": UNCHECKED, "why": "It names no signer."}
    signer = signers[0]
    certificate = _certificate_of(signer, certificates)
    if certificate is None:
        return {"result": UNCHECKED, "why": "The signer's certificate is not in the message."}
    said = _who(certificate)
    signed_at = _signed_at(signer)
    if signed_at is not None:
        said["signed_at"] = signed_at.isoformat()
    try:
        fits = _fits(signer, certificate, content)
    except (UnsupportedAlgorithm, ValueError, KeyError, TypeError) as error:
        return {
            **said,
            "result": UNCHECKED,
            "why": f"It is made in a way that is not known here ({error})."[:_MAX_LINE],
        }
    if not fits:
        return {**said, "result": CHANGED}
    return {**said, **_standing(certificate, certificates, signer)}


def _standing(
    certificate: x509.Certificate, certificates: list[x509.Certificate], signer: cms.SignerInfo
) -> dict[str, str]:
    """How far a certificate whose signature fits can be believed."""
    if signer["digest_algorithm"]["algorithm"].native in _WEAK:
        return {"result": WEAK}
    now = datetime.now(UTC)
    if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
        return {"result": EXPIRED}
    if not _is_for_mail(certificate):
        return {"result": UNKNOWN, "why": "The certificate is not meant for mail."}
    return {"result": VALID if _is_vouched_for(certificate, certificates, now) else UNKNOWN}


def _fits(signer: cms.SignerInfo, certificate: x509.Certificate, content: bytes) -> bool:
    """Whether digest and signature are those of this content (RFC 5652 §5.4, §5.6)."""
    digest_name = signer["digest_algorithm"]["algorithm"].native
    digest = _HASHES[digest_name]
    attributes = signer["signed_attrs"]
    signed = content
    if len(attributes):
        told = next((item["values"][0].native for item in attributes if item["type"].native == "message_digest"), b"")
        hasher = hashes.Hash(digest)
        hasher.update(content)
        if not hmac.compare_digest(told, hasher.finalize()):
            return False
        signed = attributes.untag().dump()  # as the SET OF that was signed, not as it is tagged here
    return _verifies(certificate.public_key(), signer, digest, signed)


def _verifies(key: Any, signer: cms.SignerInfo, digest: hashes.HashAlgorithm, signed: bytes) -> bool:
    signature = signer["signature"].native
    algorithm = signer["signature_algorithm"]
    try:
        if isinstance(key, rsa.RSAPublicKey):
            if algorithm["algorithm"].native == "rsassa_pss":
                chosen = algorithm["parameters"]["hash_algorithm"]["algorithm"].native
                salt = int(algorithm["parameters"]["salt_length"].native)
                mask = _HASHES[algorithm["parameters"]["mask_gen_algorithm"]["parameters"]["algorithm"].native]
                key.verify(signature, signed, padding.PSS(padding.MGF1(mask), salt), _HASHES[chosen])
            else:
                key.verify(signature, signed, padding.PKCS1v15(), digest)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, signed, ec.ECDSA(digest))
        elif isinstance(key, ed25519.Ed25519PublicKey):
            key.verify(signature, signed)
        else:
            raise UnsupportedAlgorithm("kind of key")
    except InvalidSignature:
        return False
    return True


def _is_vouched_for(certificate: x509.Certificate, others: list[x509.Certificate], now: datetime) -> bool:
    """Whether a chain leads from it to an authority that this machine trusts (RFC 5280 §6)."""
    authorities = _authorities()
    if not authorities:
        return False
    builder = (
        verification.PolicyBuilder()
        .store(verification.Store(authorities))
        .time(now)
        .extension_policies(
            ca_policy=verification.ExtensionPolicy.webpki_defaults_ca(),
            ee_policy=verification.ExtensionPolicy.permit_all(),
        )
    )
    try:
        builder.build_client_verifier().verify(certificate, [other for other in others if other != certificate])
    except (verification.VerificationError, ValueError):
        return False
    return True


def _authorities() -> list[x509.Certificate]:
    """The authorities of this machine, those that can be read."""
    paths = ssl.get_default_verify_paths()
    files = (os.environ.get(paths.openssl_cafile_env), paths.cafile, paths.openssl_cafile, _certifi())
    for name in files:
        if name and Path(name).is_file():
            found = []
            for piece in Path(name).read_bytes().split(b"-----END CERTIFICATE-----")[:-1]:
                try:
                    found.append(x509.load_pem_x509_certificate(piece + b"-----END CERTIFICATE-----\n"))
                except ValueError:
                    continue
            return found
    return []


def _certifi() -> str:
    try:
        import certifi  # noqa: PLC0415 - only where the machine has no authorities of its own
    except ImportError:
        return ""
    return certifi.where()


def _certificates(signed: cms.SignedData) -> list[x509.Certificate]:
    found = []
    for choice in list(signed["certificates"])[:MAX_CERTIFICATES] if signed["certificates"] else []:
        try:
            found.append(x509.load_der_x509_certificate(choice.chosen.dump()))
        except ValueError:
            continue
    return found


def _certificate_of(signer: cms.SignerInfo, certificates: list[x509.Certificate]) -> x509.Certificate | None:
    """The one that the signer names, by issuer and number or by key."""
    named = signer["sid"].chosen
    for certificate in certificates:
        if signer["sid"].name == "issuer_and_serial_number":
            same_issuer = named["issuer"].dump() == certificate.issuer.public_bytes()
            if named["serial_number"].native == certificate.serial_number and same_issuer:
                return certificate
        else:
            try:
                key = certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
            except (x509.ExtensionNotFound, ValueError):
                key = x509.SubjectKeyIdentifier.from_public_key(certificate.public_key()).digest
            if named.native == key:
                return certificate
    return None


def _is_for_mail(certificate: x509.Certificate) -> bool:
    """Whether its purposes, where it names any, hold the signing of mail (RFC 8550 §4.4)."""
    try:
        extensions = certificate.extensions
    except ValueError:
        return False
    for extension in extensions:
        if isinstance(extension.value, x509.ExtendedKeyUsage) and not _PURPOSES & set(extension.value):
            return False
        if isinstance(extension.value, x509.KeyUsage):
            usage = extension.value
            if not (usage.digital_signature or usage.content_commitment):
                return False
    return True


def _who(certificate: x509.Certificate) -> dict[str, Any]:
    addresses = [_line(value) for value in _names(certificate.subject, NameOID.EMAIL_ADDRESS)]
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        addresses = [*map(_line, names.get_values_for_type(x509.RFC822Name)), *addresses]
    except (x509.ExtensionNotFound, ValueError):
        pass
    return {
        "name": _line(next(iter(_names(certificate.subject, NameOID.COMMON_NAME)), "")),
        "addresses": list(dict.fromkeys(addresses))[:20],
        "issuer": _line(next(iter(_names(certificate.issuer, NameOID.COMMON_NAME)), ""))
        or _line(next(iter(_names(certificate.issuer, NameOID.ORGANIZATION_NAME)), "")),
        "until": certificate.not_valid_after_utc.isoformat(),
    }


def _names(name: x509.Name, oid: x509.ObjectIdentifier) -> list[str]:
    return [str(attribute.value) for attribute in name.get_attributes_for_oid(oid)]


def _signed_at(signer: cms.SignerInfo) -> datetime | None:
    for attribute in signer["signed_attrs"] if len(signer["signed_attrs"]) else ():
        if attribute["type"].native == "signing_time":
            moment = attribute["values"][0].native
            return moment if isinstance(moment, datetime) else None
    return None


def _line(text: str) -> str:
    return " ".join("".join(letter for letter in text if letter.isprintable()).split())[:_MAX_LINE]
