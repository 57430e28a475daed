"""Alice reads every message of the demo, opens every frame and every attachment; nothing fails."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from django.utils import timezone

from tests.reader import indexed
from tests.servers import MailUser
from webmail.demo.mail.all import all_messages
from webmail.models import Account, Message

# In the junk: a web page that calls itself a paper.
LIARS = {"statement.pdf"}

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def mail_user(mailbox_user: Callable[..., MailUser]) -> MailUser:
    """Somebody who has got all of alice's mail in one mailbox."""
    user = mailbox_user()
    with user.imap() as client:
        for mail in all_messages(timezone.now()):
            if mail.user.startswith("alice"):
                client.append("INBOX", f"({' '.join(mail.flags)})", "", mail.raw)
    return user


def test_every_message(reader: Client, account: Account) -> None:
    messages = Message.objects.filter(mailbox=indexed(account))
    assert messages.count() > 250
    for message in messages:
        response = reader.get(f"/message/{message.pk}/", headers={"HX-Request": "true"})
        assert response.status_code == 200, message.subject
        shown = response.context["message"]
        assert shown.problem == "", message.subject
        assert shown.html or shown.texts or shown.attachments or shown.note, message.subject
        if shown.html:
            assert reader.get(f"/message/{message.pk}/frame/").status_code == 200, message.subject
        for card in shown.attachments:
            answer = reader.get(f"/message/{message.pk}/part/{card.section}/")
            assert answer.status_code == 200, (message.subject, card)
            assert sum(map(len, answer.streaming_content)) > 0, (message.subject, card)
            if card.preview:
                preview = reader.get(f"/message/{message.pk}/preview/{card.section}/")
                assert preview.status_code == 200, (message.subject, card)
                problem = preview.context["preview"].problem
                assert ("not what its name says" in problem) == (card.name in LIARS), (message.subject, card, problem)
                assert not problem or card.name in LIARS, (message.subject, card, problem)
