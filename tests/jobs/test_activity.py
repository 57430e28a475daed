"""The activity page: what was asked, how it went, and taking it back; nobody else's."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from tests.cast import client_of, give_mail
from tests.reader import letter
from tests.servers import MailUser
from webmail.models import Job, Message, User
from webmail.protocol.types import Flag
from webmail.store import jobs, working

pytestmark = pytest.mark.django_db(transaction=True)
SCRIPT = {"HX-Request": "true"}


def test_recorded_done_undone(reader: Client, received: Callable[..., Message], mail_user: MailUser) -> None:
    message = received(letter(1))
    job = jobs.record_archive([message], idem_key="a")
    page = reader.get("/jobs/").content.decode()
    assert "Archive a message" in page
    assert "1 waiting" in page
    assert "data-pending" in page
    assert not working.work(message.account_id)
    page = reader.get("/jobs/", headers=SCRIPT).content.decode()
    assert "Done" in page
    assert "<html" not in page
    answer = reader.post("/jobs/undo/", {"job": str(job.pk), "idem_key": "u"}, headers=SCRIPT)
    assert (answer.status_code, answer.json()) == (202, {"words": "Undone: archived a message"})
    assert not working.work(message.account_id)
    with mail_user.imap() as client:
        assert client.select("INBOX")[1] == [b"1"]
    answer = reader.post("/jobs/undo/", {"job": str(job.pk), "idem_key": "v"}, headers=SCRIPT)
    assert (answer.status_code, answer.content) == (409, b"This was undone already.")


def test_cancel_and_try_again(reader: Client, received: Callable[..., Message]) -> None:
    message = received(letter(1))
    job = jobs.record_flags([message], add=[Flag.FLAGGED], idem_key="a")
    assert reader.post("/jobs/cancel/", {"job": str(job.pk)}).status_code == 302
    job.refresh_from_db()
    assert job.state == Job.State.CANCELLED
    assert not Message.objects.get(pk=message.pk).flagged
    assert (
        "under way already, or done" in reader.post("/jobs/cancel/", {"job": str(job.pk)}, follow=True).content.decode()
    )
    Job.objects.filter(pk=job.pk).update(state=Job.State.FAILED, error="The server said no.")
    page = reader.get("/jobs/").content.decode()
    assert "The server said no." in page
    assert "Try again" in page
    assert reader.post("/jobs/retry/", {"job": str(job.pk)}, headers=SCRIPT).status_code == 202
    assert not working.work(message.account_id)
    job.refresh_from_db()
    assert job.state == Job.State.DONE


def test_page_by_page(alice: User) -> None:
    message = give_mail(alice)
    for number in range(60):
        jobs.record_flags([message], add=[Flag.FLAGGED], idem_key=str(number))
    client = client_of(alice)
    first = client.get("/jobs/").context["activity"]
    second = client.get(f"/jobs/?after={first.older}").context["activity"]
    assert (len(first.acts), len(second.acts), second.older) == (50, 10, "")
    assert not {act.pk for act in first.acts} & {act.pk for act in second.acts}
    for cursor in ("x", "-1", "9" * 30, "%00"):
        assert client.get(f"/jobs/?after={cursor}").status_code == 200


def test_mallory_sees_and_undoes_nothing_of_alice_s(alice: User, mallory: User) -> None:
    job = jobs.record_flags([give_mail(alice)], add=[Flag.FLAGGED], idem_key="a")
    client = client_of(mallory)
    assert "Flag a message" not in client.get("/jobs/").content.decode()
    for name in ("undo", "retry", "cancel"):
        for key in (str(job.pk), f"{job.pk} x", "", "00000000-0000-4000-8000-000000000000"):
            assert client.post(f"/jobs/{name}/", {"job": key}).status_code == 404
    job.refresh_from_db()
    assert (job.state, Job.objects.count()) == (Job.State.QUEUED, 1)


def test_back_to_pages_of_ours_alone(alice: User) -> None:
    message = give_mail(alice)
    for number, there in enumerate(("https://evil.example/", "//evil.example", "javascript:alert(1)")):
        job = jobs.record_flags([message], add=[Flag.FLAGGED], idem_key=str(number))
        answer = client_of(alice).post("/jobs/cancel/", {"job": str(job.pk), "next": there})
        assert answer["Location"] == "/jobs/"
