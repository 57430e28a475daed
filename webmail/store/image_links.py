"""Addresses of ours under which a message's remote images are asked for: each names one image of one message.

The room's one law: a token is an HMAC over the person, the message and the image's URL, and carries nothing else. The
URL is looked up among those that the message itself has, so a token for anything else finds nothing.
"""

from __future__ import annotations

import base64
import functools
import hmac
from collections.abc import Collection, Iterable, Iterator, Mapping

from django.conf import settings
from django.utils.crypto import salted_hmac

from webmail.models import Message

_OCTETS = 24  # of the HMAC: 32 characters


class ImageLinks(Mapping[str, str]):
    """The path of ours for each remote image of a message, as `html.wash` takes it: made when it is asked for.

    Args:
        message: with its mailbox and account.
        root: URL path to which a token is appended: it says which message inside it is meant, if any.
        without: URLs that get none.
    """

    def __init__(self, message: Message, root: str, without: Collection[str] = ()) -> None:
        self._message = message
        self._root = root
        self._without = without
        self._key = _key_for(message, root)

    @property
    def name(self) -> str:
        """What a document with these links is kept under: another key or another row makes other links."""
        return f"{self._message.pk}-{self.token('')[:8]}"

    def but(self, urls: Collection[str]) -> ImageLinks:
        """The same without these."""
        return ImageLinks(self._message, self._root, urls)

    def token(self, url: str) -> str:
        """The token of one image."""
        digest = hmac.digest(self._key, url.encode("utf-8", "replace"), "sha256")
        return base64.urlsafe_b64encode(digest[:_OCTETS]).decode()

    def find(self, token: str, urls: Iterable[str]) -> str | None:
        """The one of `urls` that `token` is for; None where it is for none."""
        given = token.encode("utf-8", "replace")
        return next((url for url in urls if hmac.compare_digest(self.token(url).encode(), given)), None)

    def __getitem__(self, url: str) -> str:
        if url in self._without:
            raise KeyError(url)
        return f"{self._root}{self.token(url)}/"

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0

    def __bool__(self) -> bool:
        return True  # it can't be gone through, yet it isn't empty


def _key_for(message: Message, root: str) -> bytes:
    mailbox = message.mailbox
    validity = mailbox.uidvalidity if mailbox is not None else 0
    place = (message.account.user_id, message.account_id, message.pk, message.mailbox_id, validity, message.uid, root)
    return hmac.digest(_key(settings.SECRET_KEY), repr(place).encode(), "sha256")


@functools.lru_cache(maxsize=4)
def _key(secret: str) -> bytes:
    return salted_hmac("webmail.store.image_links", "remote images", secret=secret, algorithm="sha256").digest()
