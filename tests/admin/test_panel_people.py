"""Making people with a local password, switching them off, and what an administrator can't do to themselves."""

from __future__ import annotations

from django.contrib.admin.models import LogEntry
from django.urls import reverse

from tests.cast import LOCAL_PASSWORD, client_of
from webmail.models import Account, Message, Session, User

LIST = "/admin/webmail/user/"
ADD = "/admin/webmail/user/add/"


def change(user: User) -> str:
    return reverse("admin:webmail_user_change", args=[user.pk])


def fields(user: User, **changes: str) -> dict[str, str]:
    now = {"username": user.username, "first_name": "", "last_name": "", "email": "", "time_zone": "UTC"}
    if user.is_active:
        now["is_active"] = "on"
    return {**now, **changes}


def test_a_local_user_signs_in(admin, client):
    new = {"username": "carol", "first_name": "Carol", "password1": LOCAL_PASSWORD, "password2": LOCAL_PASSWORD}
    response = client_of(admin).post(ADD, new)
    carol = User.objects.get(username="carol")
    assert response.url == change(carol)
    assert not carol.is_staff
    assert not carol.is_superuser
    client.post("/sign-in/", {"username": "carol", "password": LOCAL_PASSWORD})
    assert client.session["_auth_user_id"] == str(carol.pk)


def test_passwords_are_checked(admin):
    response = client_of(admin).post(ADD, {"username": "carol", "password1": "short", "password2": "short"})
    assert "at least 12 characters" in response.content.decode()
    assert not User.objects.filter(username="carol").exists()


def test_an_administrator_may_do_everything(admin):
    new = {"username": "dave", "is_staff": "on", "password1": LOCAL_PASSWORD, "password2": LOCAL_PASSWORD}
    client = client_of(admin)
    client.post(ADD, new)
    dave = User.objects.get(username="dave")
    assert dave.is_superuser
    client.post(change(dave), fields(dave))
    dave.refresh_from_db()
    assert not dave.is_staff
    assert not dave.is_superuser


def test_switched_off_is_signed_out_at_once(admin, alice):
    browser = client_of(alice)
    assert browser.get("/settings/").status_code == 200
    client_of(admin).post(change(alice), {**fields(alice), "is_active": ""})
    assert not Session.objects.filter(user=alice).exists()
    assert browser.get("/settings/").status_code == 302
    alice.refresh_from_db()
    assert not alice.is_active


def test_several_at_once_but_never_oneself(admin, alice, bob):
    browser = client_of(alice)
    client = client_of(admin)
    everyone = [alice.pk, bob.pk, admin.pk]
    client.post(LIST, {"action": "switch_off", "_selected_action": everyone})
    assert set(User.objects.filter(is_active=True)) == {admin}
    assert browser.get("/settings/").status_code == 302
    assert client.get(reverse("admin:index")).status_code == 200
    assert LogEntry.objects.count() == 2
    client.post(LIST, {"action": "switch_on", "_selected_action": everyone})
    assert User.objects.filter(is_active=True).count() == 3


def test_signing_out_everywhere_leaves_the_person_on(admin, alice):
    browser = client_of(alice)
    client_of(admin).post(LIST, {"action": "sign_out", "_selected_action": [alice.pk]})
    assert browser.get("/settings/").status_code == 302
    alice.refresh_from_db()
    assert alice.is_active


def test_nobody_locks_themselves_out(admin):
    client = client_of(admin)
    client.post(change(admin), {"username": "admin", "time_zone": "UTC"})
    client.post(reverse("admin:webmail_user_delete", args=[admin.pk]), {"post": "yes"})
    admin.refresh_from_db()
    assert admin.is_active
    assert admin.is_staff


def test_nobody_makes_themselves_administrator(alice):
    browser = client_of(alice)
    browser.post(change(alice), fields(alice, is_staff="on"))
    alice.refresh_from_db()
    assert not alice.is_staff


def test_a_local_password_is_set_and_removed(admin, alice):
    client = client_of(admin)
    address = reverse("admin:auth_user_password_change", args=[alice.pk])
    other = "another long password"
    client.post(address, {"usable_password": "true", "password1": other, "password2": other})
    alice.refresh_from_db()
    assert alice.check_password(other)
    page = client.get(change(alice)).content.decode()
    assert "There is one." in page
    assert alice.password not in page
    client.post(address, {"usable_password": "false", "unset-password": "1"})
    alice.refresh_from_db()
    assert not alice.has_usable_password()


def test_a_new_password_ends_the_old_sessions(admin, alice):
    browser = client_of(alice)
    address = reverse("admin:auth_user_password_change", args=[alice.pk])
    new = {"usable_password": "true", "password1": LOCAL_PASSWORD, "password2": LOCAL_PASSWORD}
    client_of(admin).post(address, new)
    assert browser.get("/settings/").status_code == 302


def test_the_page_before_deletion_counts_and_does_not_read(admin, alice, django_assert_max_num_queries):
    account = alice.accounts.get()
    mailbox = account.mailboxes.create(name="Letters of my lawyer", uidvalidity=1)
    Message.objects.bulk_create(
        Message(account=account, mailbox=mailbox, uid=uid, date="2026-01-01T00:00Z", subject="Strictly between us")
        for uid in range(1, 301)
    )
    client = client_of(admin)
    addresses = (
        reverse("admin:webmail_user_delete", args=[alice.pk]),
        reverse("admin:webmail_account_delete", args=[account.pk]),
        change(alice),
        reverse("admin:webmail_account_change", args=[account.pk]),
    )
    for address in addresses:
        with django_assert_max_num_queries(20):
            page = client.get(address).content.decode()
        assert "lawyer" not in page
        assert "between us" not in page
    both = {"action": "delete_selected", "_selected_action": [alice.pk]}
    page = client.post(LIST, both).content.decode()
    assert "Messages in the index" in page
    assert "between us" not in page
    client.post(LIST, {**both, "post": "yes"})
    assert not User.objects.filter(pk=alice.pk).exists()
    assert not Account.objects.exists()
    assert not Message.objects.exists()
