"""Who may open the panel, what its pages are made of, and that every one of them opens."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from django.urls import reverse

from tests.cast import client_of
from webmail.models import Account, Job, Mailbox

LISTS = (
    "index",
    "webmail_provider_changelist",
    "webmail_user_changelist",
    "webmail_account_changelist",
    "webmail_job_changelist",
    "admin_logentry_changelist",
    "axes_accessfailurelog_changelist",
)
OTHERS = (
    "webmail_provider_add",
    "webmail_user_add",
    "webmail_account_add",
    "webmail_account_import",
)
HOSTILE = '<script>alert(1)</script><img src=x onerror="alert(1)">'


class Inline(HTMLParser):
    """Collects what the pages' Content-Security-Policy would refuse, and what nobody here wrote."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = {name for name, _ in attrs}
        if (
            tag == "style"
            or (tag == "script" and "src" not in names)
            or any(name == "style" or name.startswith("on") for name in names)
        ):
            self.found.append(self.get_starttag_text() or tag)


def pages_of(account: Account, job: Job) -> list[str]:
    """The address of every page of the panel that shows these rows."""
    rows = {"provider": account.provider, "user": account.user, "account": account}
    each = [
        reverse(f"admin:webmail_{name}_{page}", args=[row.pk])
        for name, row in rows.items()
        for page in ("change", "history", "delete")
    ]
    return [
        *(reverse(f"admin:{name}") for name in (*LISTS, *OTHERS)),
        *each,
        reverse("admin:webmail_provider_test", args=[account.provider_id]),
        reverse("admin:webmail_account_test", args=[account.pk]),
        reverse("admin:webmail_job_change", args=[job.pk]),
        reverse("admin:auth_user_password_change", args=[account.user_id]),
    ]


@pytest.fixture
def job(alice):
    account = alice.accounts.get()
    mailbox = Mailbox.objects.create(account=account, name="Letters of my lawyer", uidvalidity=1)
    return Job.objects.create(
        account=account,
        sequence=1,
        idem_key="one",
        kind=Job.Kind.FLAG,
        mailbox=mailbox,
        mailbox_name=mailbox.name,
        uidvalidity=1,
        uid_set="1:2",
        count=2,
        digests={"1": "<secret@demo.test>"},
        state=Job.State.FAILED,
        error="Over quota",
    )


@pytest.mark.parametrize("name", [*LISTS, *OTHERS])
def test_strangers_are_asked_to_sign_in(client, db, name):
    response = client.get(reverse(f"admin:{name}"), follow=True)
    address, _ = response.redirect_chain[-1]
    assert address.startswith("/sign-in/?next=%2Fadmin%2F")


@pytest.mark.parametrize("name", [*LISTS, *OTHERS])
def test_other_people_never_get_in(mallory, name):
    client = client_of(mallory)
    assert client.get(reverse(f"admin:{name}"), follow=True).status_code == 403
    assert client.post(reverse(f"admin:{name}"), {"_selected_action": "1"}, follow=True).status_code == 403


def test_the_panel_has_one_sign_in_page(client, admin):
    assert client.post(reverse("admin:login"), {"username": "admin", "password": "x"}).url.startswith("/sign-in/")
    assert client_of(admin).get(reverse("admin:login")).url == reverse("admin:index")


def test_signing_out_is_the_products_own(admin):
    response = client_of(admin).post(reverse("admin:logout"))
    assert (response.status_code, response.url) == (307, "/sign-out/")


def test_every_page_opens_and_holds_nothing_the_policy_refuses(admin, alice, job):
    client = client_of(admin)
    for address in pages_of(alice.accounts.get(), job):
        response = client.get(address)
        assert response.status_code == 200, address
        assert not Inline(response.content.decode()).found, address
        assert "jquery" not in response.content.decode().lower(), address


def test_what_others_wrote_is_shown_as_text(admin, alice, job):
    """T18: names, addresses, server errors and job errors that are HTML."""
    account = alice.accounts.get()
    account.provider.name = HOSTILE[:80]
    account.provider.save()
    alice.username = alice.first_name = alice.last_name = HOSTILE[:150]
    alice.save()
    account.login_name = HOSTILE
    account.state, account.state_detail = Account.State.AWAY, HOSTILE
    account.save()
    job.error = HOSTILE
    job.save()
    client = client_of(admin)
    client.post(reverse("admin:webmail_user_changelist"), {"action": "switch_off", "_selected_action": [alice.pk]})
    shown = 0
    for address in pages_of(account, job):
        page = client.get(address).content.decode()
        assert not Inline(page).found, address
        shown += "&lt;script&gt;alert(1)" in page
    assert shown > 10


def test_jobs_say_nothing_of_the_mail(admin, job):
    client = client_of(admin)
    for address in (
        reverse("admin:webmail_job_changelist"),
        reverse("admin:webmail_job_change", args=[job.pk]),
        reverse("admin:index"),
    ):
        page = client.get(address).content.decode()
        assert "lawyer" not in page
        assert "secret@demo.test" not in page
    assert "Over quota" in client.get(reverse("admin:webmail_job_changelist") + "?state=failed").content.decode()


def test_jobs_cannot_be_touched(admin, job):
    client = client_of(admin)
    assert client.post(reverse("admin:webmail_job_change", args=[job.pk]), {"state": "done"}).status_code == 403
    assert client.post(reverse("admin:webmail_job_delete", args=[job.pk]), {"post": "yes"}).status_code == 403
    assert client.get(reverse("admin:webmail_job_add")).status_code == 403


def test_the_overview_names_what_needs_somebody(admin, alice, bob, job):
    Account.objects.filter(user=bob).update(state=Account.State.LOGIN_NEEDED, state_detail="Authentication failed.")
    Account.objects.filter(user=alice).update(state=Account.State.AWAY, state_detail="Connection refused")
    page = client_of(admin).get(reverse("admin:index")).content.decode()
    for words in ("Need a password", "bob@demo.test", "Authentication failed.", "Server away", "Connection refused"):
        assert words in page
    assert "How to begin" not in page


def test_an_empty_overview_says_how_to_begin(admin):
    assert "How to begin" in client_of(admin).get(reverse("admin:index")).content.decode()


def test_the_overview_costs_a_fixed_number_of_queries(admin, alice, bob, job, django_assert_max_num_queries):
    client = client_of(admin)
    with django_assert_max_num_queries(16):
        client.get(reverse("admin:index"))


def test_a_password_typed_as_name_is_not_shown(admin, alice, client):
    for name in ("hunter2 hunter2", "nobody@demo.test", "Admin"):
        client.post("/sign-in/", {"username": name, "password": "wrong"})
    page = client_of(admin).get(reverse("admin:axes_accessfailurelog_changelist")).content.decode()
    assert "hunter2" not in page
    assert "not a name known here" in page
    assert "nobody@demo.test" in page
    assert ">admin<" in page
