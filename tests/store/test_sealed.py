"""What people write lies sealed in the database: bound to its row, readable under every present key, sealed anew."""

from __future__ import annotations

import base64
import logging

import pytest
from cryptography.fernet import Fernet
from django.core.management import call_command
from django.db import connection
from pytest_django import Settings

from tests.cast import client_of, give_mail
from tests.protocol.scripted_smtp import PoliteSmtp
from tests.store.writing import use, write
from webmail.models import Account, Draft, DraftFile, Submission, User
from webmail.models.message import preview_of
from webmail.models.sealed import Sealed, Unreadable
from webmail.store import bodies, credentials, draft_files, drafts, outbox, sending, sync
from webmail.store.drafts import Values

pytestmark = pytest.mark.django_db(transaction=True)
OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()
CANARY = "canary-4be1-šeď"
PASSWORD = "password-canary-77"


@pytest.fixture
def hers(alice: User) -> Account:
    return alice.accounts.select_related("provider", "user").get()


def dump() -> bytes:
    """All rows of all tables, each value as its octets."""
    pieces = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            for row in cursor.fetchall():
                pieces += [bytes(each) if isinstance(each, bytes | memoryview) else str(each).encode() for each in row]
    return b"\n".join(pieces)


def letter(account: Account) -> drafts.Written:
    """A draft and a file that hold the canary."""
    values = Values(to="bob@demo.test", subject="Ferry", text=CANARY, html=f"<p>{CANARY}</p>", is_html=True)
    draft = write(account, values)
    draft_files.attach(account.user, draft.id, "plan.txt", "text/plain", CANARY.encode())
    found = drafts.find(account.user, draft.id)
    assert found is not None
    return found


def test_nothing_of_it_is_in_a_dump(
    hers: Account, redis_url: str, caplog: pytest.LogCaptureFixture, server: PoliteSmtp
) -> None:
    """Written, put into the outbox, and refused by a server that is asked with the wrong password (T17)."""
    caplog.set_level(logging.DEBUG)
    sync.list_mailboxes(hers)
    use(hers, server)
    server.change = lambda line, usual: b"535 5.7.8 wrong\r\n" if line.startswith(b"AUTH") else usual
    hers.credential = credentials.seal(hers, PASSWORD)
    hers.save()
    draft = letter(hers)
    submission = outbox.send(hers.user, draft.id, version=draft.version, form_key="x")
    sending.carry_out(submission.pk)
    submission.refresh_from_db()
    assert "password" in submission.error
    everything = dump() + caplog.text.encode()
    everything += b"".join(bodies.client.dump(key) or b"" for key in bodies.client.scan_iter())
    assert b"Ferry" in everything, "what lists show is there, so the dump is one"
    for secret in (CANARY, PASSWORD):
        plain = secret.encode()
        quoted = b"canary-4be1-=C5=A1e=C4=8F"
        for form in (plain, plain.hex().encode(), base64.b64encode(plain)[:-4], quoted):
            assert form not in everything
    assert CANARY in Draft.objects.get().text
    assert CANARY.encode() in base64.b64decode(base64.b64encode(DraftFile.objects.get().data))


def test_a_text_of_nothing_is_empty(hers: Account) -> None:
    made = Draft.objects.create(account=hers, form_key="empty")
    assert (made.text, Draft.objects.get().html) == ("", "")


def test_it_is_bound_to_its_row(hers: Account, alice: User) -> None:
    one, two = letter(hers), write(hers)
    stored = Draft.objects.filter(pk=one.id).values_list("text", flat=True).get()
    assert isinstance(stored, Sealed)
    Draft.objects.filter(pk=two.id).update(text=stored)
    with pytest.raises(Unreadable, match="administrator"):
        drafts.find(alice, two.id)
    with pytest.raises(TypeError, match="save the row"):
        Draft.objects.update(text="plain")


def test_with_a_new_key(hers: Account, settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    settings.CREDENTIAL_KEYS = [OLD]
    draft = letter(hers)
    hers.provider.smtp_host = "127.0.0.1"
    hers.provider.save()
    outbox.send(hers.user, draft.id, version=draft.version, form_key="x")
    Account.objects.update(credential=b"")
    settings.CREDENTIAL_KEYS = [NEW, OLD]
    call_command("rotate_credentials")
    assert "4 texts and files: 4 sealed with the newest key, 0 already were, 0 unreadable" in capsys.readouterr().out
    settings.CREDENTIAL_KEYS = [NEW]
    row = Draft.objects.get()
    assert (row.text, row.html, row.files.get().data.decode()) == (CANARY, f"<p>{CANARY}</p>", CANARY)
    assert b"Subject: Ferry" in bytes(Submission.objects.get().message or b"")


def test_what_no_key_opens_is_said(hers: Account, settings: Settings, server: PoliteSmtp) -> None:
    use(hers, server)
    draft = letter(hers)
    submission = outbox.send(hers.user, draft.id, version=draft.version, form_key="x")
    settings.CREDENTIAL_KEYS = [NEW]
    sending.carry_out(submission.pk)
    submission = Submission.objects.defer("message").get()
    assert (submission.state, server.messages) == (Submission.State.FAILED, [])
    assert "administrator" in submission.error


def test_first_words_that_no_key_opens_leave_the_list_readable(alice: User, settings: Settings) -> None:
    message = give_mail(alice)
    message.preview = CANARY
    message.save()
    path = f"/mailbox/{message.mailbox_id}/"
    assert CANARY in client_of(alice).get(path).content.decode()
    settings.CREDENTIAL_KEYS = [NEW]
    preview_of.cache_clear()
    page = client_of(alice).get(path).content.decode()
    assert message.subject in page
    assert CANARY not in page
