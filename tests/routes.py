"""Every route of the product, with the form that would change something there. A route without a line fails the build.

Used by the walk of mallory (T10) and by that of the forms from elsewhere (T11). The admin panel's own routes are
Django's and are walked as a whole.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from django.urls import URLPattern, URLResolver, get_resolver, reverse

from webmail.models import User


@dataclass(frozen=True)
class Route:
    """One named route.

    Args:
        of: whose key its path holds: "account", "mailbox", "message", "draft", "submission", "identity",
            "template", "person", "group", or "" for none.
        extra: further arguments of the path.
        posts: a form that its POST would take; {} where it takes none.
        public: whether it answers people who are not signed in.
    """

    name: str
    of: str = ""
    extra: tuple[str, ...] = ()
    posts: dict[str, str] = field(default_factory=dict)
    public: bool = False


NOBODYS = "00000000-0000-0000-0000-0000000003e7"
_PASSWORD = {"old_password": "a", "new_password1": "b", "new_password2": "b"}
ROUTES = (
    Route("home"),
    Route("sign-in", posts={"username": "alice@demo.test", "password": "demo"}, public=True),
    Route("provider-return", public=True),
    Route("sign-out", posts={"on": "1"}, public=True),
    Route("help", public=True),
    Route("settings"),
    Route("preferences", posts={"theme": "dark"}),
    Route("keys", posts={"act:archive": "y"}),
    Route("password", posts=_PASSWORD),
    Route("session-end", posts={"handle": "others"}),
    Route("sender-forget", posts={"pk": "1"}),
    Route("account-add", posts={"address": "carol@demo.test", "password": "demo"}),
    Route("account", of="account", posts={"password": "demo"}),
    Route("account-roles", of="account", posts={"archive": ""}),
    Route("account-doctor", of="account"),
    Route("account-connect", of="account", posts={"on": "1"}),
    Route("account-disconnect", of="account", posts={"on": "1"}),
    Route("account-remove", of="account", posts={"yes": "1"}),
    Route("mailbox", of="mailbox"),
    Route("mailbox-check", of="mailbox", posts={"now": "1"}),
    Route("mailbox-reconcile", of="mailbox", posts={"now": "1"}),
    Route("mailbox-act", of="mailbox", posts={"act": "flag", "m": "1", "all": "1", "idem_key": "a-key-of-the-test"}),
    Route("mailbox-targets", of="mailbox"),
    Route("mailbox-export", of="mailbox", posts={"all": "1", "format": "mbox"}),
    Route("mailbox-import", of="mailbox", posts={"into": "1", "sent": "[]", "idem_key": "a-key-of-the-test"}),
    Route("mailbox-import-piece", of="mailbox", posts={"piece": "x"}),
    Route("mailboxes", of="account"),
    Route("space", of="account"),
    Route("mailbox-create", of="account", posts={"title": "Mallory's", "idem_key": "a-key-of-the-test"}),
    Route("mailbox-rename", of="mailbox", posts={"title": "Mallory's", "idem_key": "a-key-of-the-test"}),
    Route("mailbox-delete", of="mailbox", posts={"idem_key": "a-key-of-the-test"}),
    Route("mailbox-subscribe", of="mailbox", posts={"on": "0", "idem_key": "a-key-of-the-test"}),
    Route("mailbox-colour", of="mailbox", posts={"colour": "1"}),
    Route("mailbox-empty", of="mailbox", posts={"below": "9", "idem_key": "a-key-of-the-test"}),
    Route("activity"),
    Route("job-refusals"),
    Route("job-undo", posts={"job": "00000000-0000-4000-8000-000000000000"}),
    Route("job-retry", posts={"job": "00000000-0000-4000-8000-000000000000"}),
    Route("job-cancel", posts={"job": "00000000-0000-4000-8000-000000000000"}),
    Route("message", of="message"),
    Route("message-flag", of="message", posts={"flag": "flagged", "on": "1", "idem_key": "a-key-of-the-test"}),
    Route("message-source", of="message"),
    Route("message-headers", of="message"),
    Route("message-print", of="message"),
    Route("message-text-size", of="message", posts={"by": "1"}),
    Route("message-darken", of="message", posts={"darken_mail": "1"}),
    Route("message-frame", of="message"),
    Route("message-inside", of="message", extra=("2",)),
    Route("message-inside-frame", of="message", extra=("2",)),
    Route("message-inside-images", of="message", extra=("2",), posts={"show": "once"}),
    Route("message-inside-remote", of="message", extra=("2", "a-token")),
    Route("message-part", of="message", extra=("1",)),
    Route("message-inline", of="message", extra=("1",)),
    Route("message-images", of="message", posts={"show": "once"}),
    Route("message-remote", of="message", extra=("a-token",)),
    Route("message-raw", of="message"),
    Route("message-files", of="message"),
    Route("message-zip", of="message"),
    Route("message-preview", of="message", extra=("1",)),
    Route("message-thumbnail", of="message", extra=("1",)),
    Route("message-picture", of="message", extra=("1", "1")),
    Route("message-save", of="message", extra=("1",), posts={"mailbox": "1", "idem_key": "a-key-of-the-test"}),
    Route("message-receipt", of="message", posts={"act": "send"}),
    Route("message-unsubscribe", of="message", posts={"way": "mail"}),
    Route("live"),
    Route("news"),
    Route("write", posts={"to": "bob@demo.test", "subject": "Ferry", "act": "save"}),
    Route("write-from", of="message", posts={"kind": "reply"}),
    Route("write-from-several", posts={"m": "1"}),
    Route("write-redirect", of="message", posts={"to": "bob@demo.test"}),
    Route("draft", of="draft", posts={"subject": "Ferry", "act": "save"}),
    Route("draft-file", of="draft", extra=(NOBODYS,)),
    Route("outbox"),
    Route("templates", posts={"name": "Ferry", "text": "At nine"}),
    Route("template-preview", posts={"html": "<b>At nine</b>"}),
    Route("template", of="template", posts={"act": "remove"}),
    Route("template-filled", of="template", posts={"to": "bob@demo.test"}),
    Route("identities", posts={"address": "carol@demo.test"}),
    Route("identity-preview", posts={"signature_html": "<b>Alice</b>"}),
    Route("identity", of="identity", posts={"act": "remove"}),
    Route("people", posts={"address": "carol@demo.test"}),
    Route("people-act", posts={"act": "forget", "person": "1"}),
    Route("people-of", posts={"address": "carol@demo.test"}),
    Route("people-complete"),
    Route("people-read", posts={"piece": "bob@demo.test"}),
    Route("people-import", posts={"act": "import"}),
    Route("people-export"),
    Route("person", of="person", posts={"act": "forget"}),
    Route("person-mail", of="person"),
    Route("group-add", posts={"name": "Crew"}),
    Route("group", of="group", posts={"act": "remove"}),
    Route("outbox-act", of="submission", posts={"act": "take_back"}),
    Route("csp-report", posts={"csp-report": "x"}, public=True),
    Route("healthz", public=True),
)


def path_of(route: Route, owner: User) -> str:
    """The path of `route` for what belongs to `owner`."""
    if not route.of:
        return reverse(route.name)
    account = owner.accounts.get()
    rows = {
        "account": [account],
        "mailbox": account.mailboxes.all(),
        "message": account.messages.all(),
        "draft": account.drafts.all(),
        "submission": account.submissions.all(),
        "identity": account.identities.all(),
        "template": owner.templates.all(),
        "person": owner.contacts.all(),
        "group": owner.contact_groups.all(),
    }
    return reverse(route.name, args=[rows[route.of][0].pk, *route.extra])


def path_of_nobody(route: Route) -> str:
    """The path of `route` for what was never there."""
    key = NOBODYS if route.of in ("draft", "submission") else 987654321
    return reverse(route.name, args=[key, *route.extra])


def named_routes() -> set[str]:
    """The names of all routes there are, without the admin panel's."""
    names = set()
    waiting: list[URLPattern | URLResolver] = list(get_resolver().url_patterns)
    while waiting:
        entry = waiting.pop()
        if isinstance(entry, URLResolver):
            if entry.namespace != "admin":
                waiting.extend(entry.url_patterns)
        else:
            names.add(entry.name or f"unnamed {entry.pattern}")
    return names
