"""A tenth of what `python -m bench.hostile` opens: damaged mail and bombs, each page and each download of them (T5).

Nothing fails, nothing takes long, and nothing is lost: whatever can't be shown can be downloaded.
"""

from __future__ import annotations

import itertools
import re
import time
from collections.abc import Iterator

import pytest
from django.http import HttpResponseBase, StreamingHttpResponse
from django.test import Client

from tests.bombs import BOMBS
from tests.damage import damaged
from tests.reader import indexed
from tests.servers import MailUser
from webmail.models import Account, Message
from webmail.store import prefetch

pytestmark = pytest.mark.django_db(transaction=True)

DAMAGED = 200
LARGEST = 8 * 2**20  # octets; larger ones are the bench's
SLOWEST = 8.0  # seconds for a page beside other tests; the bench holds it to 3
MOST_FOLLOWED = 8  # addresses of one message


def test_damaged_mail(mail_user: MailUser, account: Account, reader: Client) -> None:
    read_all(mail_user, account, reader, damaged(DAMAGED))


@pytest.mark.parametrize("turn", range(4))
def test_bombs(mail_user: MailUser, account: Account, reader: Client, turn: int) -> None:
    made = ((name, make()) for name, make in list(BOMBS.items())[turn::4])
    read_all(mail_user, account, reader, ((name, raw) for name, raw in made if len(raw) <= LARGEST))


def read_all(mail_user: MailUser, account: Account, reader: Client, mails: Iterator[tuple[str, bytes]]) -> None:
    """Deliver, index, list and open all of them, and follow what their pages name."""
    names = {mail_user.append_exactly("INBOX", raw): name for name, raw in mails}
    inbox = indexed(account)
    prefetch.read_previews(inbox, DAMAGED)
    messages = list(inbox.messages.order_by("uid"))
    assert [message.uid for message in messages] == sorted(names)
    for page in range(1, len(messages) // 50 + 2):
        assert reader.get(f"/mailbox/{inbox.pk}/?page={page}").status_code == 200
    slow = []
    for message in messages:
        name = names[message.uid]
        for address, seconds in _opened(reader, message, name):
            if seconds > SLOWEST:
                slow.append((name, address, round(seconds, 1)))
    assert slow == []


def _opened(reader: Client, message: Message, name: str) -> Iterator[tuple[str, float]]:
    """Open the message's page, then what it names, and say how long each took."""
    begin = f"/message/{message.pk}/"
    start = time.perf_counter()
    answer = reader.get(begin, headers={"HX-Request": "true"})
    yield begin, time.perf_counter() - start
    assert answer.status_code == 200, name
    assert answer.context["message"].problem == "", name
    page = answer.content.decode()
    # What is over the limits is shown as text; its design is looked at all the same.
    designed = [f"{begin}frame/", f"{begin}?plain=0"] if '?plain=0"' in page else []
    named = dict.fromkeys([*designed, *re.findall(rf'(?:href|src)="({begin}[^"?#]+)', page)])
    for address in itertools.islice(named, MOST_FOLLOWED):
        start = time.perf_counter()
        answer = reader.get(address, headers={"Sec-Fetch-Dest": "iframe"})
        if not isinstance(answer, StreamingHttpResponse):  # a download may take what it takes
            yield address, time.perf_counter() - start
        _octets(answer)
        assert answer.status_code in (200, 302, 404), (name, address)
    assert _octets(reader.get(f"{begin}raw/")) == message.size, name


def _octets(answer: HttpResponseBase) -> int:
    """How many octets the body has, all of it read, so that a stream gives its connection back."""
    pieces = answer.streaming_content if isinstance(answer, StreamingHttpResponse) else [answer.content]
    return sum(map(len, pieces))
