"""What the editor's form holds. Nothing typed is ever refused here: whether it can be sent is asked when it is sent."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.http import HttpRequest, QueryDict
from django.urls import Resolver404, resolve
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme

from webmail.models import Draft, User
from webmail.store.drafts import Values
from webmail.store.listing import zone_of

MAX_KEY = 64
_ELSEWHERE = frozenset(("write", "draft", "write-from", "draft-file", "sign-in", "sign-out"))


@dataclass(frozen=True, slots=True)
class LetterForm:
    """The form as it was sent.

    Args:
        values: what was typed. account: the key of the account that sends, 0 where the form names none.
        version: of the draft as the form showed it. form_key: of the draft. send_key: of the sending.
        act: the button that was pressed: "send", "later", "save", "stay", "discard", "detach <file>", "template <key>",
            which puts that one above the words, or "sign", which puts the sender's signature below them; "attach" is a
            script's, which brings a file and no words. A button of the preset times, "later <time>", puts its own in
            the place of what is typed.
        at: when to send, in the person's zone as they typed it. back: where they came from.
    """

    values: Values
    account: int
    version: int
    form_key: str
    send_key: str
    act: str
    at: str
    back: str

    @classmethod
    def of(cls, request: HttpRequest) -> LetterForm:
        """Read the request's form. Never raises: what is missing or odd is as if it were empty."""
        posted = request.POST
        account, _, address = posted.get("from", "").partition(" ")
        act = posted.get("act", "stay")
        act, _, preset = act.partition(" ") if act.startswith("later ") else (act, "", "")
        return cls(
            values=Values(
                from_address=address.strip(),
                **{name: posted.get(name, "") for name in ("to", "cc", "bcc", "reply_to", "subject")},
                text=_lines(posted.get("text", "")),
                html=posted.get("html", ""),
                is_html=posted.get("is_html") == "1",
                priority=posted.get("priority", Draft.Priority.NORMAL.value),
                wants_receipt=posted.get("wants_receipt") == "1",
            ),
            account=_number(account),
            version=_number(posted.get("version", "")),
            form_key=_key(posted, "form_key"),
            send_key=_key(posted, "send_key"),
            act=act,
            at=(preset or posted.get("at", ""))[:40],
            back=way_back(request, posted.get("back", "")),
        )

    def when(self, user: User) -> datetime | None:
        """The time typed in `at`, in UTC; None where there is none, or nothing that is one.

        Where the clocks are put back an hour comes twice: meant is the one that is still to come, the first of two.
        """
        try:
            local = datetime.fromisoformat(self.at).replace(tzinfo=zone_of(user), second=0, microsecond=0)
            first, second = (local.replace(fold=fold).astimezone(UTC) for fold in (0, 1))
        except (ValueError, OverflowError):
            return None
        return first if first >= timezone.now() else max(first, second)


def way_back(request: HttpRequest, wanted: str = "") -> str:
    """Where a person goes once they have written: the page of ours they came from, else the inbox.

    Args:
        wanted: a path; "" for the page that the browser says it came from.
    """
    came_from = wanted or request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(came_from, {request.get_host()}, require_https=request.is_secure()):
        return "/"
    path = came_from.partition(request.get_host())[2] if "://" in came_from else came_from
    try:
        name = resolve(path.partition("?")[0].partition("#")[0]).url_name
    except Resolver404:
        return "/"
    return "/" if name in _ELSEWHERE else path


def _lines(text: str) -> str:
    """As it stands in the field: browsers send its lines with CRLF."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 18 else 0


def _key(posted: QueryDict | Any, name: str) -> str:
    return str(posted.get(name, ""))[:MAX_KEY] or uuid.uuid4().hex
