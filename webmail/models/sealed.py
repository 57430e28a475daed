"""Sealed bytes: what lies encrypted in a row or a cache, bound to the one place it may be read from again.

AES-256-GCM with keys derived from `settings.CREDENTIAL_KEYS`, the newest for sealing, any for opening (security §5.3).
The context (a row's field and key, a cache's key) is authenticated beside the bytes, so that what was moved to another
place is refused. A sealed field of a model reads and is written as plain text in memory; in SQL it can only be NULL or
not, and `QuerySet.update` takes nothing but None for it: a value is bound to its row.
"""

from __future__ import annotations

import base64
import functools
import os
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import models
from django.db.models.query_utils import DeferredAttribute

from webmail.protocol.errors import GiveUp

_NONCE = 12  # octets, as AES-GCM wants them (NIST SP 800-38D §5.2.1.1)
_VERSION = b"\x01"  # first octet of sealed bytes: the format below

if TYPE_CHECKING:
    _BinaryField = models.BinaryField[Any, Any]
else:
    _BinaryField = models.BinaryField


class SealError(ValueError):
    """Sealed bytes that no key opens, or that were sealed for another context: treat them as absent."""


class Unreadable(GiveUp):
    """A row's value that no key opens, or that is another row's."""

    sentence = "This can't be read: the key that it was sealed with is missing. Ask your administrator."


class Sealed(bytes):
    """A field's bytes as the database has them."""


def keys() -> tuple[str, ...]:
    """The keys, newest first.

    Raises:
        ImproperlyConfigured: there is none.
    """
    found = tuple(key for key in settings.CREDENTIAL_KEYS if key)
    if not found:
        raise ImproperlyConfigured("CREDENTIAL_KEYS is empty: no mail password can be stored or read.")
    return found


def seal_bytes(context: str, data: bytes) -> bytes:
    """`data` encrypted for `context`, a text that names the one place it may be read from again."""
    nonce = os.urandom(_NONCE)
    return _VERSION + nonce + _ciphers_of(keys())[0].encrypt(nonce, data, context.encode())


def unseal_bytes(context: str, sealed: bytes) -> bytes:
    """What `seal_bytes` sealed for the same `context`, under any of the present keys.

    Raises:
        SealError: no key opens it, or the context differs.
    """
    for cipher in _ciphers_of(keys()):
        data = _opened(cipher, context, sealed)
        if data is not None:
            return data
    raise SealError("No key opens these bytes for this context.")


def is_newest(context: str, sealed: bytes) -> bool:
    """Whether these bytes are sealed with the newest key."""
    return _opened(_ciphers_of(keys())[0], context, sealed) is not None


class _Attribute(DeferredAttribute):
    """Opens a row's sealed value when it is first read."""

    field: SealedBytes

    def __get__(self, instance: models.Model | None, cls: type | None = None) -> Any:
        value = super().__get__(instance, cls)
        if instance is not None and isinstance(value, Sealed):
            value = instance.__dict__[self.field.attname] = self.field.opened(instance.pk, value)
        return value

    def __set__(self, instance: models.Model, value: Any) -> None:
        instance.__dict__[self.field.attname] = value


class SealedBytes(_BinaryField):
    """Bytes, sealed in the database for their field and row. The row's key is known before it is first saved."""

    descriptor_class = _Attribute

    def context(self, key: Any) -> str:
        """What a row's value is bound to."""
        return f"{self.model._meta.db_table}.{self.attname}:{key}"

    def opened(self, key: Any, sealed: bytes) -> Any:
        """The value.

        Raises:
            Unreadable: no key opens it, or it is another row's.
        """
        try:
            return self.decoded(unseal_bytes(self.context(key), sealed))
        except SealError:
            raise Unreadable from None

    def sealed(self, key: Any, value: Any) -> Sealed:
        """The value as the database has it, for `QuerySet.update` of the one row with this key."""
        return Sealed(seal_bytes(self.context(key), self.encoded(value)))

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        value = getattr(model_instance, self.attname)
        if value is None:
            return None
        return self.sealed(model_instance.pk, value)

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        if value is not None and not isinstance(value, Sealed):
            raise TypeError(f"{self.attname} is sealed for its row: save the row.")
        return super().get_db_prep_value(value, connection, prepared)

    def from_db_value(self, value: Any, *_: Any) -> Any:
        return None if value is None else Sealed(value)

    def encoded(self, value: Any) -> bytes:
        return bytes(value)

    def decoded(self, data: bytes) -> Any:
        return data


class SealedText(SealedBytes):
    """Likewise a text."""

    def get_default(self) -> Any:
        default = super().get_default()
        return "" if type(default) is bytes else default  # a BinaryField makes octets of an empty text

    def encoded(self, value: Any) -> bytes:
        return str(value).encode("utf-8", "surrogatepass")

    def decoded(self, data: bytes) -> Any:
        return data.decode("utf-8", "surrogatepass")


def _opened(cipher: AESGCM, context: str, sealed: bytes) -> bytes | None:
    if sealed[:1] != _VERSION:
        return None
    try:
        return cipher.decrypt(sealed[1 : 1 + _NONCE], sealed[1 + _NONCE :], context.encode())
    except (InvalidTag, ValueError):  # ValueError: cut off inside the nonce
        return None


# Kept per tuple of keys, so that a test (or a rotation under way) that changes the setting is obeyed.
@functools.lru_cache(maxsize=4)
def _ciphers_of(found: tuple[str, ...]) -> tuple[AESGCM, ...]:
    return tuple(
        AESGCM(
            HKDF(algorithm=SHA256(), length=32, salt=None, info=b"webmail cached bytes").derive(
                base64.urlsafe_b64decode(key)
            )
        )
        for key in found
    )
