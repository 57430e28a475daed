"""What every page needs: whose product it is, who is signed in, which theme they chose."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from webmail.models import User


def every_page(request: HttpRequest) -> dict[str, Any]:
    """The context processor. Costs no query: Django has read the user already, or nobody is signed in."""
    user = getattr(request, "user", None)  # an error page may come before the middleware that sets it
    person = user if user is not None and user.is_authenticated else None
    return {
        "brand": settings.BRAND,
        "person": person,
        "theme": person.theme if person is not None else User.Theme.SYSTEM.value,
    }
