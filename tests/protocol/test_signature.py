"""S/MIME signatures: "valid" is said of nothing less than that."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from tests import signing
from webmail.protocol import signature
from webmail.protocol.signature import detached, open_signed, read_detached

CONTENT = signing.entity()


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> signing.Identity:
    """An authority that this machine knows."""
    known = signing.authority()
    (tmp_path / "ca.pem").write_bytes(b"-----BEGIN CERTIFICATE-----\nbroken\n-----END CERTIFICATE-----\n" + known.pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    return known


def result(signer: signing.Identity, content: bytes = CONTENT, **how: object) -> str:
    der = signing.signature(CONTENT, signer, **how)  # type: ignore[arg-type]
    return str(read_detached(detached(content, der))["result"])


def test_valid(authority: signing.Identity) -> None:
    bob = signing.identity(authority)
    verdict = read_detached(detached(CONTENT, signing.signature(CONTENT, bob)))
    assert verdict["result"] == signature.VALID
    assert (verdict["name"], verdict["addresses"]) == ("Bob Novak", ["bob@demo.test"])
    assert verdict["issuer"] == "Harbour Mail Authority"


@pytest.mark.parametrize("how", [{}, {"pss": True}, {"digest": "sha512"}, {"pss": True, "digest": "sha512"}])
def test_keys_of_rsa(authority: signing.Identity, how: dict[str, object]) -> None:
    bob = signing.identity(authority, key=rsa.generate_private_key(65537, 2048))
    assert result(bob, **how) == signature.VALID


def test_through_an_authority_between(authority: signing.Identity) -> None:
    between = signing.authority("Between", by=authority)
    bob = signing.identity(between)
    assert result(bob, others=(between,)) == signature.VALID
    assert result(bob) == signature.UNKNOWN


def test_what_is_less_than_valid(authority: signing.Identity) -> None:
    assert result(signing.identity(authority), CONTENT.replace(b"ten", b"two")) == signature.CHANGED
    assert result(signing.identity(signing.authority())) == signature.UNKNOWN
    assert result(signing.identity(authority, days=20)) == signature.EXPIRED
    assert result(signing.identity(authority, purpose=ExtendedKeyUsageOID.SERVER_AUTH)) == signature.UNKNOWN
    somebody = signing.identity(authority)
    by_a_leaf = signing.identity(somebody)  # somebody who may sign mail is no authority
    assert result(by_a_leaf, others=(somebody,)) == signature.UNKNOWN


def test_bare_line_feeds_are_lines(authority: signing.Identity) -> None:
    assert result(signing.identity(authority), CONTENT.replace(b"\r\n", b"\n")) == signature.VALID


def test_a_signature_under_other_content_does_not_fit(authority: signing.Identity) -> None:
    """The attributes are signed, and hold the digest of something else."""
    bob = signing.identity(authority)
    assert read_detached(detached(b"", signing.signature(CONTENT, bob)))["result"] == signature.CHANGED


def test_a_flipped_bit_is_never_valid(authority: signing.Identity) -> None:
    bob = signing.identity(authority)
    der = bytearray(signing.signature(CONTENT, bob))
    digest = der.index(hashlib.sha256(CONTENT).digest())
    certificate = der.index(bob.certificate.tbs_certificate_bytes)
    size = len(bob.certificate.tbs_certificate_bytes)
    places = (*range(digest, digest + 32), *range(certificate, certificate + size, 5), *range(len(der) - 60, len(der)))
    for place in places:
        der[place] ^= 0x10
        try:
            verdict = read_detached(detached(CONTENT, bytes(der)))["result"]
        except Exception:  # the child answers null, and the page says that it can't be read
            verdict = "unreadable"
        assert verdict != signature.VALID, place
        der[place] ^= 0x10


def test_content_inside(authority: signing.Identity) -> None:
    opened = open_signed(signing.enveloping(CONTENT, signing.identity(authority)))
    assert opened.facts["signature"]["result"] == signature.VALID
    assert b"the ferry" in opened.bodies["1"]


@pytest.mark.parametrize("data", [b"", b"\x30", b"\x30\x80", b"\x30\x84\xff\xff\xff\xff", b"text", b"\x30\x80" * 5_000])
def test_nonsense_is_refused(data: bytes) -> None:
    with pytest.raises((ValueError, TypeError, RecursionError)):
        open_signed(data)
