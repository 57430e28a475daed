"""Sessions that know whose they are, so that a person can see and end them."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any, ClassVar, cast

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseSessionStore
from django.contrib.sessions.base_session import AbstractBaseSession, BaseSessionManager
from django.db import models
from django.utils import timezone

from .compiled import Compiled, Parameter
from .user import User

TOUCH_AFTER = timedelta(minutes=5)  # how old `seen_at` may grow before a request writes it again


class SessionManager(BaseSessionManager["Session"]):
    def for_user(self, user: User) -> models.QuerySet[Session]:
        """The sessions of one signed-in user that have not run out."""
        return self.filter(user=user, expire_date__gt=timezone.now())


class Session(AbstractBaseSession):
    """A browser, signed in or about to be.

    `expire_date` is the end of its idleness or of its whole life since `created_at`, whichever comes first.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="sessions")
    created_at = models.DateTimeField(auto_now_add=True)
    seen_at = models.DateTimeField(auto_now_add=True)
    ip_address = models.GenericIPAddressField(null=True)
    user_agent = models.CharField(max_length=200, blank=True)

    objects: ClassVar[SessionManager] = SessionManager()

    @classmethod
    def get_session_store_class(cls) -> type[SessionStore]:
        return SessionStore


class SessionStore(DatabaseSessionStore):
    """Django's database sessions (JSON, never pickle) over our model. `settings.SESSION_ENGINE` names this module."""

    row: Session | None = None  # as it was last read or written by this request
    user: User | None = None  # whose it was when it was read

    @classmethod
    def get_model_class(cls) -> type[Session]:
        return Session

    @property
    def is_stale(self) -> bool:
        """Whether `seen_at` has grown so old that it, the idle limit and the cookie should be written again."""
        return self.row is not None and timezone.now() - self.row.seen_at > TOUCH_AFTER

    def encode(self, session_dict: dict[str, Any]) -> str:
        """JSON as it is. Django signs it too, but whoever can write this table can do anything."""
        return json.dumps(session_dict)

    def decode(self, session_data: bytes | str) -> dict[str, Any]:
        try:
            data: dict[str, Any] = json.loads(session_data)
        except ValueError:  # of an older release: one more sign-in
            return {}
        return data

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        """Copy out of the data what lists and revocation look for."""
        now = timezone.now()
        row = cast(Session, super().create_model_instance(data))
        # A new key (at log-in) begins a new life.
        same = self.row is not None and self.row.session_key == row.session_key
        row.created_at = self.row.created_at if self.row is not None and same else now
        row.seen_at = now
        row.expire_date = min(row.expire_date, row.created_at + timedelta(seconds=settings.SESSION_LIFE_SECONDS))
        user_id = data.get(SESSION_KEY)
        row.user_id = int(user_id) if user_id else None
        row.ip_address = data.get("ip_address")
        row.user_agent = data.get("user_agent", "")
        self.row = row
        return row

    def load(self) -> dict[str, Any]:
        """The data of the session, {} where there is none or it has run out. Its row and its user are kept."""
        found = _SESSION_AND_USER(key=self.session_key, now=timezone.now())
        self.row = Session.from_db(None, _SESSION, found[0][: len(_SESSION)]) if found else None
        if self.row is None:
            self._session_key = None  # a key of the browser's own making is never taken over
            return {}
        if self.row.user_id is not None:
            self.user = User.from_db(None, _USER, found[0][len(_SESSION) :])
        return self.decode(self.row.session_data)


_SESSION = [field.attname for field in Session._meta.concrete_fields]
_USER = [field.attname for field in User._meta.concrete_fields]
# Every page begins with it.
_SESSION_AND_USER = Compiled(
    lambda: Session.objects.filter(
        session_key=Parameter("key", models.CharField()), expire_date__gt=Parameter("now", models.DateTimeField())
    ),
    [*_SESSION, *(f"user__{name}" for name in _USER)],
    [*_SESSION, *(f"of_user_{name}" for name in _USER)],
)
