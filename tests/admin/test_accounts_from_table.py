"""Accounts from a table: every problem by its line, and all of it or nothing."""

from __future__ import annotations

import pytest
from django.contrib.admin.models import LogEntry
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError

from tests.cast import client_of
from webmail.models import Account, Provider, Session, User
from webmail.store import credentials
from webmail.store.importing import MAX_BYTES, MAX_ROWS, Unreadable, carry_out, decode, plan

PAGE = "/admin/webmail/account/import/"
CANARY = "canary,9c1;ü"
TABLE = f"""address,password,provider,name,user,signs_in
bob@demo.test,demo,,Bob Novak,,
carol@demo.test,"{CANARY}",Demo,Carol,,yes
dave@demo.test,,demo,,alice@demo.test,no
"""


def problems(table: str) -> list[tuple[int, str]]:
    return [(problem.line, problem.sentence) for problem in plan(table).problems]


def test_a_table_becomes_people_and_accounts(alice, provider):
    checked = plan(TABLE)
    assert checked.problems == ()
    assert checked.new_people == 2
    assert CANARY not in repr(checked)
    carry_out(checked)
    bob, carol, dave = (Account.objects.get(address=f"{name}@demo.test") for name in ("bob", "carol", "dave"))
    assert (bob.user.username, bob.user.first_name, bob.user.last_name) == ("bob@demo.test", "Bob", "Novak")
    assert bob.signs_in
    assert credentials.unseal(bob) == "demo"
    assert not bob.user.has_usable_password()
    assert (carol.user.first_name, carol.user.last_name) == ("Carol", "")
    assert credentials.unseal(carol) == CANARY
    assert dave.user == alice
    assert (dave.signs_in, dave.state) == (False, Account.State.LOGIN_NEEDED)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_however_a_spreadsheet_writes_it(provider, delimiter, ends, mark):
    rows = [["Address", "Password", "Signs in", ""], ["bob@demo.test", " geheim ", "YES", ""], ["", "", "", ""]]
    data = (mark + "".join(delimiter.join(row) + ends for row in rows)).encode()
    checked = plan(decode(data))
    assert checked.problems == ()
    assert [(entry.address, entry.password, entry.signs_in) for entry in checked.entries] == [
        ("bob@demo.test", " geheim ", True)
    ]


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (",x,,,,", "The address is missing."),
        ("nonsense,x,,,,", "“nonsense” is not a mail address."),
        ("bob@demo.test\x00,x,,,,", "another control character"),
        ("bob@demo.test,x,,,\x00,", "another control character"),
        ('bob@demo.test,x,,"Bob\nNovak",,', "another control character"),
        ("bob\u202e@demo.test,x,,,,", "is not a mail address."),
        ("bob@nowhere.test,x,,,,", "No provider serves nowhere.test"),
        ("bob@demo.test,x,Nobody,,,", "There is no provider called “Nobody”."),
        ("bob@demo.test,x,,,,perhaps", "“perhaps” under signs_in: write yes or no."),
        ("bob@demo.test,x,,,,no", "Nobody could sign in as “bob@demo.test”"),
        ('bob@demo.test,"x\ny",,,,', "The password holds a line break"),
        (f"bob@demo.test,x,,{'n' * 151},,", "The name is longer than 150 characters."),
        (f"bob@demo.test,x,,,{'n' * 151},", "The user name is longer than 150 characters"),
        ("alice@demo.test,x,,,,", "alice@demo.test at Demo is there already"),
        ("alice@demo.test,x,,,mallory@demo.test,yes", "alice@demo.test already signs in “alice@demo.test”"),
        ("bob@demo.test,x,,,,,surplus", "This line has 7 cells, but there are 6 columns."),
        (f"bob@demo.test,{'x' * 1001},,,,", "A cell of this line is longer than 1,000 characters."),
        ('bob@demo.test,"x,,,,', "The quotation marks of this line don't match."),
    ],
)
def test_what_is_wrong_is_said_with_its_line(alice, mallory, row, words):
    found = problems("address,password,provider,name,user,signs_in\n\n" + row + "\n")
    assert [line for line, _ in found] == [3]
    assert words in found[0][1]
    with pytest.raises(ValueError, match="problems"):
        carry_out(plan("address\nnonsense\n"))


def test_all_problems_at_once(provider):
    found = problems("address,signs_in\nnonsense,perhaps\nbob@demo.test,\nx@nowhere.test,\nBOB@demo.test,\n")
    assert [line for line, _ in found] == [2, 2, 4, 5]


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("", "The table is empty."),
        ("\n , \n", "The table is empty."),
        ("address,password\n", "no rows below its heading"),
        ("password,user\nx,y\n", "There is no column “address”."),
        ("address,address\na,b\n", "The column “address” is there twice."),
        ("bob@demo.test,hunter2\n", "The first line must name the columns"),
        ("address\n" + "a@demo.test\n" * (MAX_ROWS + 1), "may have 5,000 rows"),
        ("x" * (MAX_BYTES + 1), "larger than 1024 kB"),
    ],
)
def test_what_is_no_table(provider, table, words):
    found = problems(table)
    assert len(found) == 1
    assert words in found[0][1]
    assert "hunter2" not in found[0][1]


def test_files_that_are_not_text():
    with pytest.raises(Unreadable, match="CSV UTF-8"):
        decode("bücher".encode("latin-1"))
    with pytest.raises(Unreadable, match="CSV UTF-8"):
        decode("address\n".encode("utf-16"))
    with pytest.raises(Unreadable, match="larger"):
        decode(b"x" * (MAX_BYTES + 1))


def test_a_thousand_rows_are_written_in_batches(provider, django_assert_max_num_queries):
    table = "address,password\n" + "".join(f"person{number}@demo.test,secret\n" for number in range(1_000))
    with django_assert_max_num_queries(100):  # SQLite takes fewer rows at once the more columns they have
        checked = plan(table)
        carry_out(checked)
    assert Account.objects.count() == User.objects.count() == 1_000


def test_all_or_nothing_when_somebody_is_faster(provider):
    checked = plan("address\nbob@demo.test\ncarol@demo.test\n")
    User.objects.create_user("carol@demo.test")
    with pytest.raises(IntegrityError):
        carry_out(checked)
    assert not Account.objects.exists()
    assert User.objects.count() == 1


# ---- The page


def preview(client, table: str = TABLE):
    return client.post(PAGE, {"file": SimpleUploadedFile("accounts.csv", table.encode())})


def test_the_preview_makes_nothing_and_shows_no_password(admin, alice, caplog):
    client = client_of(admin)
    page = preview(client).content.decode()
    assert "3 accounts, 2 new people" in page
    assert "canary" not in page
    assert "canary" not in str([session.get_decoded() for session in Session.objects.all()])
    assert "canary" not in caplog.text
    assert Account.objects.count() == 1


def test_what_was_previewed_is_made(admin, alice):
    client = client_of(admin)
    response = client.post(PAGE, {"sealed": preview(client).context["sealed"]})
    assert response.url == "/admin/webmail/account/"
    assert Account.objects.count() == 4
    assert credentials.unseal(Account.objects.get(address="carol@demo.test")) == CANARY
    assert LogEntry.objects.filter(user=admin).count() == 3
    assert "canary" not in str(list(LogEntry.objects.values()))
    assert "3 accounts made, and 2 people." in client.get(response.url).content.decode()


def test_it_can_be_pasted(admin, alice):
    client = client_of(admin)
    assert client.post(PAGE, {"text": TABLE}).context["entry_total"] == 3


def test_twice_makes_nothing_more(admin, alice):
    client = client_of(admin)
    sealed = preview(client).context["sealed"]
    client.post(PAGE, {"sealed": sealed})
    again = client.post(PAGE, {"sealed": sealed})
    assert again.status_code == 422
    assert "is there already" in again.content.decode()
    assert Account.objects.count() == 4


def test_one_bad_line_makes_nothing(admin, alice):
    response = preview(client_of(admin), TABLE + "nonsense,canary,,,,\n")
    page = response.content.decode()
    assert response.status_code == 422
    assert "1 problem in the table" in page
    assert "canary" not in page
    assert Account.objects.count() == 1


def test_a_seal_is_for_one_administrator_and_half_an_hour(admin, alice, monkeypatch):
    client = client_of(admin)
    sealed = preview(client).context["sealed"]
    other = User.objects.create_superuser("other", password=None)
    for browser, seal in ((client_of(other), sealed), (client, sealed[:-8] + "AAAAAAAA"), (client, "nonsense")):
        assert browser.post(PAGE, {"sealed": seal}).url == PAGE
    monkeypatch.setattr("webmail.admin.importing.VALID_SECONDS", -1)
    assert client.post(PAGE, {"sealed": preview(client).context["sealed"]}).url == PAGE
    assert Account.objects.count() == 1


@pytest.mark.parametrize("data", [{}, {"text": "  "}, {"text": "address\n", "file": True}, {"file": b"\xff\xfe"}])
def test_a_form_without_a_table(admin, data):
    if data.get("file"):
        content = data["file"] if isinstance(data["file"], bytes) else TABLE.encode()
        data = {**data, "file": SimpleUploadedFile("a.csv", content)}
    response = client_of(admin).post(PAGE, {**data})
    assert response.status_code == 422
    assert response.context["form"].errors


def test_pasted_passwords_do_not_come_back_with_the_errors(admin):
    table = SimpleUploadedFile("a.csv", TABLE.encode())
    page = client_of(admin).post(PAGE, {"text": TABLE, "file": table}).content.decode()
    assert "not both" in page
    assert "canary" not in page


def test_providers_with_hostile_names(admin, provider):
    Provider.objects.create(name="<img src=x onerror=alert(1)>", imap_host="imap.example.test")
    table = "address,provider,name\nbob@demo.test,<img src=x onerror=alert(1)>,<script>alert(1)</script>\n"
    page = preview(client_of(admin), table).content.decode()
    assert "<img src=x" not in page
    assert "<script>alert" not in page
