"""Drafts: what was typed is there again, two tabs notice one another, files fit or say why not."""

from __future__ import annotations

import uuid

import pytest

from tests.store.writing import LETTER, write
from webmail.models import Account, Draft, DraftFile, User
from webmail.protocol.reply import Start
from webmail.protocol.types import Address
from webmail.store import draft_files, draft_room, drafts
from webmail.store.drafts import Values

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def hers(alice: User) -> Account:
    return alice.accounts.select_related("provider", "user").get()


def test_what_was_typed_is_there_again(hers: Account, alice: User) -> None:
    half = Values(
        to="Bob <bob@", cc="x y z", subject="Fer\x00ry ", text="  Dear\n\n", priority="high", wants_receipt=True
    )
    draft = write(hers, half)
    found = drafts.find(alice, draft.id)
    assert found is not None
    assert found.values == Values(
        to="Bob <bob@", cc="x y z", subject="Ferry ", text="  Dear\n\n", priority="high", wants_receipt=True
    )
    saved = drafts.save(alice, draft.id, LETTER, version=found.version)
    assert (saved.version, saved.values) == (2, LETTER)
    assert [each.id for each in drafts.open_drafts(alice)] == [draft.id]


def test_a_form_that_is_sent_twice_begins_one_draft(hers: Account) -> None:
    one = drafts.start(hers, LETTER, form_key="same")
    assert drafts.start(hers, Values(), form_key="same") == one
    assert Draft.objects.count() == 1


def test_two_tabs(hers: Account, alice: User) -> None:
    draft = write(hers)
    here = drafts.save(alice, draft.id, Values(text="here"), version=1)
    with pytest.raises(drafts.Changed, match="another window") as caught:
        drafts.save(alice, draft.id, Values(text="there"), version=1)
    assert caught.value.current == here
    assert drafts.save(alice, draft.id, Values(text="here"), version=1) == here, "the same words are no conflict"
    assert drafts.save(alice, draft.id, Values(text="there"), version=2).version == 3


def test_html_is_cleaned_and_nothing_else(hers: Account) -> None:
    draft = write(
        hers, Values(html='<p onclick="x()">Dear <b>Bob</b></p><script>x()</script>', text="<b>", is_html=True)
    )
    assert (draft.values.html, draft.values.text) == ("<p>Dear <b>Bob</b></p>", "<b>")


def test_what_is_too_long_is_refused_not_cut(hers: Account, alice: User) -> None:
    draft = write(hers)
    with pytest.raises(drafts.TooLarge, match="too long"):
        drafts.save(alice, draft.id, Values(text="x" * 1_000_001), version=1)
    assert drafts.find(alice, draft.id) == draft


@pytest.mark.parametrize(
    ("values", "blank"),
    [
        (Values(), True),
        (Values(html="<p><br></p>", is_html=True, from_address="alice@demo.test"), True),
        (Values(text="\n -"), False),
        (Values(to="b"), False),
        (Values(html='<img src="cid:x">', is_html=True), False),
    ],
)
def test_blank_drafts_are_known(values: Values, blank: bool) -> None:
    assert values.is_blank is blank


def test_files(hers: Account, alice: User) -> None:
    draft = write(hers)
    paper = draft_files.attach(alice, draft.id, "../plán?.pdf", "Application/PDF", b"%PDF")
    picture = draft_files.attach(alice, draft.id, "quay.png", "image/png", b"png", shown=True)
    assert (paper.name, paper.type, paper.size, paper.content_id) == ("plán_.pdf", "application/pdf", 4, "")
    assert picture.content_id.endswith("@demo.test")
    found = drafts.find(alice, draft.id)
    assert found is not None
    assert found.files == (paper, picture)
    assert draft_files.file_of(alice, draft.id, picture.id) == (picture, b"png")
    Draft.objects.filter(pk=draft.id).update(original_row=1)  # as if it forwarded them
    draft_files.detach(alice, draft.id, paper.id)
    found = drafts.find(alice, draft.id)
    assert found is not None
    assert found.files == (picture,)
    assert not found.is_untouched


def test_files_that_do_not_fit(hers: Account, alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    draft = write(hers)
    free = draft_room.room(draft.id, hers)
    assert 18_000_000 < free < 18_500_000
    with pytest.raises(drafts.TooLarge, match=r"big\.bin has 20\.0 MB and doesn't fit: a message may have 25\.0 MB"):
        draft_files.attach(alice, draft.id, "big.bin", "", bytes(20_000_000))
    monkeypatch.setattr(draft_files, "MAX_FILES", 1)
    draft_files.attach(alice, draft.id, "a", "", b"x")
    assert draft_room.room(draft.id, hers) < free
    with pytest.raises(drafts.TooLarge, match="at most"):
        draft_files.attach(alice, draft.id, "b", "", b"x")


def test_thrown_away(hers: Account, alice: User) -> None:
    draft = write(hers)
    draft_files.attach(alice, draft.id, "a", "", b"x")
    drafts.discard(alice, draft.id)
    drafts.discard(alice, draft.id)
    assert not Draft.objects.exists()
    assert not DraftFile.objects.exists()


def test_sent_by_another_account(hers: Account, alice: User, mallory: User) -> None:
    other = Account.objects.create(user=alice, provider=hers.provider, address="a.moreau@demo.test")
    draft = write(hers)
    assert drafts.move(alice, draft.id, other).account == other.pk
    with pytest.raises(Draft.DoesNotExist):
        drafts.move(alice, draft.id, mallory.accounts.get())


def test_a_reply_as_the_form_shows_it() -> None:
    begin = Start(
        "alice@demo.test", (Address("Bob", "bob@münchen.test"),), subject="Re: x", text="> x", html="<p>x</p>"
    )
    values = drafts.values_of(begin, is_html=True)
    assert (values.to, values.subject, values.html) == ("Bob <bob@münchen.test>", "Re: x", "<p>x</p>")


def test_mallory_sees_nothing(hers: Account, alice: User, mallory: User) -> None:
    draft = write(hers)
    file = draft_files.attach(alice, draft.id, "a", "", b"x")
    assert drafts.open_drafts(mallory) == []
    assert drafts.find(mallory, draft.id) is None
    assert draft_files.file_of(mallory, draft.id, file.id) is None
    # By a key that is somebody else's file nobody gets, or takes, anything.
    theirs = drafts.start(mallory.accounts.get(), Values(), form_key="hers")
    assert draft_files.attach(mallory, theirs.id, "b", "", b"y", key=file.id).id != file.id
    assert draft_files.attach(alice, draft.id, "a", "", b"x", key=file.id) == file
    drafts.discard(mallory, draft.id)
    for act in (
        lambda: drafts.save(mallory, draft.id, LETTER, version=1),
        lambda: draft_files.attach(mallory, draft.id, "a", "", b"x"),
        lambda: draft_files.detach(mallory, draft.id, file.id),
        lambda: drafts.move(mallory, draft.id, mallory.accounts.get()),
        lambda: drafts.save(mallory, uuid.uuid4(), LETTER, version=1),
    ):
        with pytest.raises(Draft.DoesNotExist):
            act()
    assert drafts.find(alice, draft.id) is not None
