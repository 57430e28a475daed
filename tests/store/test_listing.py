"""Pages of a list: every row once, in order, from the index alone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl

import pytest
from django.utils import timezone

from tests.reader import letter
from tests.servers import MailUser
from webmail.models import Account, Mailbox, Message, Provider, User
from webmail.protocol.errors import ConnectionFailed
from webmail.store import pools, slices, sync
from webmail.store.cursors import SORTS, Query, read_query
from webmail.store.listing import ListPage, mailbox_page

BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
pytestmark = pytest.mark.django_db


@pytest.fixture
def alice() -> User:
    return User.objects.create_user("alice", time_zone="Europe/Prague")


@pytest.fixture
def box(alice: User) -> Mailbox:
    """123 indexed messages; many share a date, a sender, a subject and a size."""
    provider = Provider.objects.create(name="Nowhere", imap_host="imap.nowhere.test")
    account = Account.objects.create(user=alice, provider=provider, address="alice@nowhere.test")
    mailbox = Mailbox.objects.create(
        account=account, name="INBOX", role="inbox", uidvalidity=1, uidnext=124, lowest_uid=1, exists=123, unread=41
    )
    Message.objects.bulk_create(
        Message(
            account=account,
            mailbox=mailbox,
            uid=uid,
            date=BEGIN + timedelta(minutes=uid // 7),
            size=uid % 5 * 1000,
            seen=bool(uid % 3),
            flagged=uid % 10 == 0,
            has_attachment=uid % 4 == 0,
            subject=f"Letter {uid % 11}",
            subject_key=f"letter {uid % 11}",
            sender_name=f"Person {uid % 6}",
            sender_address=f"p{uid % 6}@demo.test",
            sender_key=f"person {uid % 6}",
        )
        for uid in range(1, 124)
    )
    return mailbox


def walk(user: User, mailbox: Mailbox, query: str, link: str) -> list[ListPage]:
    """The pages from `query` on, following the links named `link`."""
    pages = []
    while True:
        pages.append(mailbox_page(user, mailbox, read_query(dict(parse_qsl(query.lstrip("?"))))))
        query = getattr(pages[-1], link)
        if not query:
            return pages


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("order", ["asc", "desc"])
def test_older_walks_every_row_once_and_newer_walks_back(alice: User, box: Mailbox, sort: str, order: str) -> None:
    forward = walk(alice, box, f"?sort={sort}&order={order}", "older")
    rows = [int(row.pk) for page in forward for row in page.rows]
    column = SORTS[sort]
    minus = "-" if order == "desc" else ""
    assert rows == list(box.messages.order_by(f"{minus}{column}", f"{minus}uid").values_list("pk", flat=True))
    assert [page.position for page in forward] == ["1–50 of 123", "51–100 of 123", "101–123 of 123"]
    last = forward[-1].newer
    back = walk(alice, box, last, "newer")
    assert [page.rows for page in back] == [forward[1].rows, forward[0].rows]


@pytest.mark.parametrize(("only", "total"), [("unread", 41), ("flagged", 12), ("attachment", 30)])
def test_filters(alice: User, box: Mailbox, only: str, total: int) -> None:
    pages = walk(alice, box, f"?filter={only}", "older")
    assert sum(len(page.rows) for page in pages) == total
    assert pages[0].position.endswith(f"of {total}")
    assert [choice.key for choice in pages[0].filters if choice.current] == [only]


def test_a_page_by_number_is_the_page_of_the_walk(alice: User, box: Mailbox) -> None:
    walked = walk(alice, box, "", "older")
    for number, page in enumerate(walked, 1):
        assert mailbox_page(alice, box, Query(page=number)).rows == page.rows
    assert mailbox_page(alice, box, read_query(dict(parse_qsl(walked[0].oldest[1:])))).rows == walked[-1].rows
    middle = box.messages.get(pk=walked[1].rows[7].pk)
    assert slices.page_number(box, middle, Query()) == 2


def test_a_page_past_the_end_is_empty_and_says_so(alice: User, box: Mailbox) -> None:
    page = mailbox_page(alice, box, Query(page=900_000))
    assert page.rows == ()
    assert page.empty_title


def test_each_day_of_a_page_has_one_heading(alice: User, box: Mailbox) -> None:
    headings = [row.day for page in walk(alice, box, "", "older") for row in page.rows if row.day]
    assert headings == ["Sunday 1 March"] * 3  # one at the head of each page
    assert not any(row.day for row in mailbox_page(alice, box, Query(sort="size")).rows)


def test_dates_are_in_the_persons_zone(alice: User, box: Mailbox) -> None:
    assert mailbox_page(alice, box, Query()).rows[0].when == "Sunday 1 March 2026, 01:17"


def test_sent_mail_shows_whom_it_went_to(alice: User, box: Mailbox) -> None:
    box.role = "sent"
    box.messages.update(recipients="Bob Novak <bob@demo.test>, carol@demo.test")
    assert mailbox_page(alice, box, Query()).rows[0].people == "Bob Novak, carol@demo.test"


def test_a_warm_page_asks_the_database_once(
    alice: User, box: Mailbox, django_assert_num_queries: Callable[..., object]
) -> None:
    with django_assert_num_queries(1):
        mailbox_page(alice, box, Query())


class TestColdMailbox:
    """Against a real server, which has more than the index."""

    pytestmark = pytest.mark.django_db(transaction=True)

    @pytest.fixture
    def mail_user(self, mailbox_user: Callable[..., MailUser]) -> MailUser:
        user = mailbox_user()
        with user.imap() as client:
            for number in range(1, 121):
                client.append("INBOX", "", "", letter(number))
        return user

    def test_the_page_asked_for_is_shown_and_indexed(self, inbox: Mailbox, account: Account) -> None:
        page = mailbox_page(account.user, inbox, Query())
        assert [row.subject for row in page.rows] == [f"Letter {number}" for number in range(120, 70, -1)]
        assert inbox.messages.count() == 50
        assert page.older
        assert "42 %" in page.coverage or "41 %" in page.coverage

    def test_a_deep_page_fetches_itself_alone(self, inbox: Mailbox, account: Account) -> None:
        mailbox_page(account.user, inbox, Query())
        page = mailbox_page(account.user, inbox, Query(page=3))
        assert [row.subject for row in page.rows] == [f"Letter {number}" for number in range(20, 0, -1)]
        assert page.older == ""
        assert inbox.messages.count() == 70
        again = mailbox_page(account.user, inbox, Query())
        assert [row.subject for row in again.rows][-1] == "Letter 71"

    def test_the_oldest_first(self, inbox: Mailbox, account: Account) -> None:
        page = mailbox_page(account.user, inbox, Query(descending=False))
        assert [row.subject for row in page.rows] == [f"Letter {number}" for number in range(1, 51)]

    def test_the_server_away(self, inbox: Mailbox, account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
        sync.first_page(inbox, 50)

        def away(account_id: int) -> None:
            raise ConnectionFailed

        pools.forget(account)
        monkeypatch.setattr(pools, "_connect", away)
        page = mailbox_page(account.user, inbox, Query(page=2))
        assert page.rows == ()
        assert "can't be reached" in page.empty_sentence
        assert "can't be reached" in page.notice
        assert len(mailbox_page(account.user, inbox, Query()).rows) == 50
        assert inbox.account.state_since <= timezone.now()
