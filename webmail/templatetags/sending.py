"""What a page says of a message that was just sent, with the way to take it back."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Any

from django import template

register = template.Library()


@dataclass(frozen=True, slots=True)
class Toast:
    """A sentence about a submission. `left`: seconds until it goes out, 0 where it waits longer.

    Seconds, not the moment: the clock of the person's computer may be another than ours.
    """

    words: str
    pk: str
    left: int


@register.inclusion_tag("compose/_sent.html", takes_context=True)
def sent_toasts(context: dict[str, Any]) -> dict[str, Any]:
    """Print a toast for each message of Django's that says of a submission; its tags are "sent <key> <until>"."""
    toasts = []
    for message in context.get("messages") or ():
        mark, *rest = (message.extra_tags or "").split()[:3] or [""]
        if mark == "sent" and len(rest) == 2:
            until = int(rest[1])
            toasts.append(Toast(str(message), rest[0], max(1, math.ceil(until - time.time())) if until else 0))
    return {"toasts": toasts, "csrf_token": context.get("csrf_token", "")}


@register.filter
def is_toast(tags: str) -> bool:
    """Whether these tags are those of a toast, which isn't said a second time in the page."""
    return (tags or "").startswith("sent ")
