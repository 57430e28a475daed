"""Secrets at rest: mail passwords, each bound to its account's row; and new keys for all that is sealed.

The room's one law: plain text lives in memory only. The keys come from `settings.CREDENTIAL_KEYS`, never from
the database, and are neither logged nor shown (security §5.3).

Passwords are Fernet tokens of a JSON object that names the account's `key`, so a token copied into another
row is refused. What is written, and what lies in caches, is sealed by `models/sealed.py`.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from dataclasses import dataclass

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction

from webmail.models import Account
from webmail.models.sealed import Sealed, SealedBytes, SealError, is_newest, keys, seal_bytes, unseal_bytes
from webmail.protocol.errors import LoginNeeded


class CredentialUnreadable(LoginNeeded):
    """There is no stored password, or no key opens it, or it belongs to another row: the person must type it again."""

    sentence = "The stored password can't be read. Please enter it again."


@dataclass(frozen=True, slots=True)
class Rotation:
    """How far a rotation came: what was looked at, sealed again, already under the newest key, and unreadable."""

    seen: int = 0
    sealed: int = 0
    current: int = 0
    unreadable: int = 0


def seal(account: Account, secret: str) -> bytes:
    """The password `secret` as `account.credential` holds it. Nothing is saved.

    Bound to `account.key`, which exists before the row is first saved.
    """
    return _fernet().encrypt(json.dumps({"account": account.key.hex, "secret": secret}).encode())


def unseal(account: Account) -> str:
    """The password of `account`.

    Raises:
        CredentialUnreadable: none is stored, no key opens it, or it was sealed for another account.
    """
    if not account.credential:
        raise CredentialUnreadable(detail="No password is stored.")
    try:
        sealed = json.loads(_fernet().decrypt(bytes(account.credential)))
    except InvalidToken:
        raise CredentialUnreadable(detail="No key in CREDENTIAL_KEYS opens the stored password.") from None
    if sealed["account"] != account.key.hex:
        raise CredentialUnreadable(detail="The stored password was sealed for another account.")
    return str(sealed["secret"])


def rotate(batch: int = 500) -> Iterator[Rotation]:
    """Seal every stored password again with the newest key, `batch` rows a transaction; yields the sum after each.

    May be stopped and started again at any moment: what is under the newest key already is left alone. A
    password that a person changes meanwhile wins, because a row is only written if it still holds what was read.
    """
    newest, anyone = Fernet(keys()[0]), _fernet()
    seen = sealed = current = unreadable = last = 0
    while rows := list(
        Account.objects.filter(pk__gt=last).order_by("pk").values_list("pk", "credential")[:batch],
    ):
        with transaction.atomic():
            for pk, stored in rows:
                credential = bytes(stored)
                if not credential or _opens(newest, credential):
                    current += 1
                elif _opens(anyone, credential):
                    sealed += Account.objects.filter(pk=pk, credential=stored).update(
                        credential=anyone.rotate(credential)
                    )
                else:
                    unreadable += 1
        seen += len(rows)
        last = rows[-1][0]
        yield Rotation(seen, sealed, current, unreadable)


def rotate_written() -> Iterator[Rotation]:
    """Likewise what lies sealed in fields of rows (drafts, files, what is sent), one value after the other."""
    seen = resealed = current = unreadable = 0
    for field in _sealed_fields():
        rows = field.model._base_manager.exclude(**{field.attname: None})
        for key in list(rows.values_list("pk", flat=True)):
            stored = rows.filter(pk=key).values_list(field.attname, flat=True).first()
            context = field.context(key)
            seen += 1
            if stored is None or is_newest(context, stored):
                current += 1
            else:
                try:
                    again = Sealed(seal_bytes(context, unseal_bytes(context, stored)))
                except SealError:
                    unreadable += 1
                else:  # unless it was written anew meanwhile, which sealed it with the newest key
                    resealed += rows.filter(pk=key, **{field.attname: stored}).update(**{field.attname: again})
            yield Rotation(seen, resealed, current, unreadable)


def _sealed_fields() -> Iterator[SealedBytes]:
    for model in apps.get_app_config("webmail").get_models():
        yield from (field for field in model._meta.concrete_fields if isinstance(field, SealedBytes))


def _opens(fernet: Fernet | MultiFernet, credential: bytes) -> bool:
    try:
        fernet.decrypt(credential)
    except InvalidToken:
        return False
    return True


def _fernet() -> MultiFernet:
    return _fernet_of(keys())


# Kept per tuple of keys, so that a test (or a rotation under way) that changes the setting is obeyed.
@functools.lru_cache(maxsize=4)
def _fernet_of(keys: tuple[str, ...]) -> MultiFernet:
    try:
        return MultiFernet([Fernet(key) for key in keys])
    except ValueError:
        # The library's message is fine, but its chain would carry the key into a log.
        raise ImproperlyConfigured(
            "A key in CREDENTIAL_KEYS is not 32 octets in URL-safe base64. "
            "Make one with: python -c 'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())'"
        ) from None
