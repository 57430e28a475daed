"""What a form that changes mail carries beside its fields."""

from __future__ import annotations

import uuid

from django import template

register = template.Library()


@register.simple_tag
def idem_key() -> str:
    """Print a key of this one intent: sending the form twice, by a double click or a reload, records one job."""
    return str(uuid.uuid4())
