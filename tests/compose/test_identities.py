"""The page of identities: as whom one writes, within what the provider allows."""

from __future__ import annotations

import pytest

from tests.compose.forms import words_of
from webmail.models import Draft, Identity, Provider

ALICE = {"name": "Alice Quay", "signature_text": "Alice\nQuay 4", "is_default": "on", "is_below": ""}


def make(client, account, **changes):
    return client.post("/settings/identities/", ALICE | {"account": account.pk, "address": account.address} | changes)


def test_a_name_and_a_signature_are_there_in_the_next_message(writer, account):
    assert make(writer, account).status_code == 302
    page = writer.get("/write/").content.decode()
    assert f"Alice Quay &lt;{account.address}&gt;" in page
    assert words_of(page)["text"] == "\n\n-- \nAlice\nQuay 4"


def test_somebody_elses_address_is_refused_and_nothing_typed_is_lost(writer, account):
    response = make(writer, account, address="bob@elsewhere.example")
    assert response.status_code == 422
    page = response.content.decode()
    assert "can&#x27;t write as bob@elsewhere.example" in page
    assert "Quay 4" in page


def test_a_formatted_signature_is_cleaned(writer, account):
    make(writer, account, signature_html="<b>Alice</b><script>alert(1)</script><img src=x onerror=alert(1)>")
    assert "<script" not in Identity.objects.get().signature_html
    assert "onerror" not in Identity.objects.get().signature_html


def test_the_text_is_made_of_the_formatted_one_where_nobody_wrote_it(writer, account):
    html = "<div><b>Alice</b></div><div><a href='https://quay.example/'>Quay 4</a></div>"
    make(writer, account, signature_text="", signature_html=html)
    assert Identity.objects.get().signature_text == "Alice\nQuay 4 <https://quay.example/>"
    make(
        writer,
        account,
        address=account.address.replace("@", "+x@"),
        signature_text="",
        signature_html="<div><br></div>",
    )
    assert [row.signature_html for row in Identity.objects.filter(address__contains="+x")] == [""]


def test_without_scripts_the_formatted_one_stays_unless_a_box_says_otherwise(writer, account):
    make(writer, account, signature_html="<b>Alice</b>")
    path = f"/settings/identities/{Identity.objects.get().pk}/"
    page = writer.get(path).content.decode()
    assert 'name="plain_only"' in page
    assert "data-own" in page
    fields = ALICE | {"account": account.pk, "address": account.address, "act": "save"}
    writer.post(path, fields | {"signature_text": "A.", "signature_html": "<b>Alice</b>"})
    assert (Identity.objects.get().signature_text, Identity.objects.get().signature_html) == ("A.", "<b>Alice</b>")
    writer.post(path, fields | {"signature_text": "A.", "signature_html": "<b>Alice</b>", "plain_only": "1"})
    assert (Identity.objects.get().signature_text, Identity.objects.get().signature_html) == ("A.", "")


def test_an_answer_shows_how_a_signature_will_look(writer):
    answer = writer.post("/settings/identities/preview/", {"signature_html": "<b>Alice</b><script>x</script>"}).json()
    assert answer["words"] == "Alicex"
    assert answer["text"].index("Alicex") < answer["text"].index("> When")
    assert "<div><b>Alice</b>x</div>" in answer["html"]
    below = writer.post("/settings/identities/preview/", {"signature_text": "Alice", "is_below": "1"}).json()
    assert below["text"].endswith("> When does the boat leave?\n\n-- \nAlice")


def test_changed_and_removed(writer, account):
    make(writer, account)
    path = f"/settings/identities/{Identity.objects.get().pk}/"
    assert "Quay 4" in writer.get(path).content.decode()
    fields = ALICE | {"account": account.pk, "address": account.address, "name": "A. Quay", "act": "save"}
    assert writer.post(path, fields).status_code == 302
    assert Identity.objects.get().name == "A. Quay"
    writer.post(path, {"act": "remove"})
    assert not Identity.objects.exists()


def test_of_two_the_form_chooses(writer, account):
    make(writer, account)
    plus = account.address.replace("@", "+lists@")
    make(writer, account, address=plus, name="Lists", is_default="")
    page = writer.get("/write/").content.decode()
    assert f'<option value="{account.pk} {account.address}" selected data-text=' in page
    assert plus in page


def test_one_signature_for_everybody(writer, account):
    make(writer, account)
    Provider.objects.update(signature="{name}, Quay Ltd")
    page = writer.get("/settings/identities/").content.decode()
    assert "Your administrator has set one signature for everybody." in page
    make(writer, account, signature_text="Mine all the same", address=f"{account.address.replace('@', '+x@')}")
    assert words_of(writer.get("/write/").content.decode())["text"] == "\n\n-- \nAlice Quay, Quay Ltd"


def test_the_footer_is_seen_before_anything_is_sent(writer, account):
    assert "puts this below" not in writer.get("/write/").content.decode()
    Provider.objects.update(footer="Quay Ltd, {address}")
    page = writer.get("/write/").content.decode()
    assert f'<pre dir="auto">Quay Ltd, {account.address}</pre>' in page
    assert "Quay Ltd" not in words_of(page)["text"]


@pytest.mark.parametrize(
    ("text", "signed"),
    [
        ("At nine\n\n-- \nAlice\nQuay 4", "At nine\n\n-- \nShop"),
        ("At nine\n\nAlice\nQuay 4\n\nBob wrote:\n> When?", "At nine\n\nShop\n\nBob wrote:\n> When?"),
        ("At nine\n\nBob wrote:\n> When?", "At nine\n\nShop\n\nBob wrote:\n> When?"),
        ("At nine", "At nine\n\n-- \nShop"),
        ("At nine\n\n-- \nAlice\nQuay 5", "At nine\n\n-- \nAlice\nQuay 5"),
    ],
)
def test_without_scripts_a_button_brings_the_other_ones_signature(writer, account, text, signed):
    make(writer, account)
    shop = account.address.replace("@", "+shop@")
    make(writer, account, address=shop, signature_text="Shop", is_default="")
    fields = words_of(writer.get("/write/").content.decode())
    fields |= {"text": text.replace("\n", "\r\n"), "from": f"{account.pk} {shop}", "act": "sign"}
    page = writer.post("/write/", fields, follow=True).content.decode()
    assert words_of(page)["text"] == signed
    assert words_of(page)["from"] == f"{account.pk} {shop}"
    fields = words_of(page) | {"from": f"{account.pk} {account.address}", "act": "sign"}
    back = words_of(writer.post(f"/write/{Draft.objects.get().pk}/", fields, follow=True).content.decode())["text"]
    assert back == signed.replace("Shop", "Alice\nQuay 4")
