"""Sessions that know whose they are, so that a person can see and end them."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore as DatabaseSessionStore
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models


class SessionQuerySet(models.QuerySet["Session"]):
    def for_user(self, user: object) -> SessionQuerySet:
        """The sessions of one signed-in user."""
        return self.filter(user=user)


class Session(AbstractBaseSession):
    """A signed-in browser. `created_at` bounds its whole life, `seen_at` its idleness; times are kept to the minute."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="sessions")
    created_at = models.DateTimeField(auto_now_add=True)
    seen_at = models.DateTimeField(auto_now_add=True)
    ip_address = models.GenericIPAddressField(null=True)
    user_agent = models.CharField(max_length=200, blank=True)

    objects = SessionQuerySet.as_manager()

    @classmethod
    def get_session_store_class(cls) -> type[SessionStore]:
        return SessionStore


class SessionStore(DatabaseSessionStore):
    """Django's database sessions (JSON, never pickle) over our model. `settings.SESSION_ENGINE` names this module."""

    @classmethod
    def get_model_class(cls) -> type[Session]:
        return Session

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        """Copy out of the data what lists and revocation look for."""
        row: Session = super().create_model_instance(data)
        user_id = data.get("_auth_user_id")
        row.user_id = int(user_id) if user_id else None
        row.ip_address = data.get("ip_address")
        row.user_agent = data.get("user_agent", "")
        return row
