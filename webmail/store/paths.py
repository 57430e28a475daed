"""URL paths that washed documents carry, and so the cache: made in one place, for pages and for workers."""

from __future__ import annotations

from django.urls import reverse

from webmail.models import Message


def inline_root(message: Message) -> str:
    """The path to which a section is appended for an inline image."""
    return reverse("message-inline", args=[message.pk, "1"]).removesuffix("1/")


def remote_root(message: Message, inside: str = "") -> str:
    """The path to which a token is appended for a remote image, of the message inside it at section `inside`."""
    if not inside:
        return reverse("message-remote", args=[message.pk, "1"]).removesuffix("1/")
    # The wash lets no "!" pass in a path of ours.
    return reverse("message-inside-remote", args=[message.pk, inside, "1"]).removesuffix("1/").replace("!", "%21")
