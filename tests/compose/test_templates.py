"""Templates: written in the settings, filled for whom a message is for, put into it with and without scripts."""

from __future__ import annotations

import pytest

from tests.compose.forms import words_of
from webmail.models import Draft, Template
from webmail.store import persons, templates

TEXT = "Dear {first_name},\n\nsee you on {date} about {subject}.\n\n{my_name}"


@pytest.fixture
def template(writer, account):
    account.user.first_name = "Alice Quay"
    account.user.save()
    return templates.save(account.user, name="Ferry", text=TEXT, html="<p>Dear <b>{name}</b><script>x</script></p>")


def test_written_changed_and_removed(writer):
    writer.post("/settings/templates/", {"name": " Ferry ", "html": "<p onclick=x>Dear {name}<img src=x></p>"})
    row = Template.objects.get()
    assert (row.name, row.text, row.html) == ("Ferry", "Dear {name}", "<p>Dear {name}</p>")
    assert "Dear {name}" in writer.get("/settings/templates/").content.decode()
    writer.post(f"/settings/templates/{row.pk}/", {"act": "save", "name": "Boat", "text": "Dear {name}"})
    row.refresh_from_db()
    assert (row.name, row.html) == ("Boat", "")
    writer.post(f"/settings/templates/{row.pk}/", {"act": "remove"})
    assert not Template.objects.exists()


@pytest.mark.parametrize(("name", "text"), [("", "a"), ("a", " "), ("Ferry", "a")])
def test_what_is_none_is_said(writer, template, name, text):
    response = writer.post("/settings/templates/", {"name": name, "text": text})
    assert response.status_code == 422
    assert Template.objects.count() == 1


def test_filled_for_whom_it_is_for(writer, template, account):
    persons.save(account.user, "bob@demo.test", persons.Facts("Novák, Bob"))
    filled = writer.post(f"/write/templates/{template.pk}/", {"to": "bob@demo.test", "subject": "a < b"}).json()
    assert filled["text"].startswith("Dear Bob,\n\nsee you on ")
    assert filled["text"].endswith(" about a < b.\n\nAlice Quay")
    assert filled["html"] == "<p>Dear <b>Novák, Bob</b>x</p>"


def test_a_line_that_begins_a_signature_is_kept_in_both_forms(writer, account):
    row = templates.save(account.user, name="Ferry", text="At nine\n\n-- \nAlice <quay>")
    filled = writer.post(f"/write/templates/{row.pk}/", {}).json()
    assert filled["text"] == "At nine\n\n-- \nAlice <quay>"
    assert filled["html"] == "<div>At nine<br><br>-- <br>Alice &lt;quay&gt;</div>"


def test_an_example_shows_how_it_will_look(writer, template):
    shown = writer.post("/settings/templates/preview/", {"html": "<p>Dear <b>{first_name}</b><i onclick=x>!</i></p>"})
    words, text, html = (shown.json()[name] for name in ("words", "text", "html"))
    assert (words, text, html) == ("Dear {first_name}!", "Dear Bob!", "<p>Dear <b>Bob</b><i>!</i></p>")


def test_whoever_is_not_known_stays_to_be_seen(writer, template, account):
    filled = writer.post(f"/write/templates/{template.pk}/", {"to": "Bob <bob@demo.test>, carol@demo.test"}).json()
    assert filled["text"].startswith("Dear {first_name},")
    both = writer.post(f"/write/templates/{template.pk}/", {"to": "Bob B <bob@demo.test>, Carol <carol@demo.test>"})
    assert both.json()["text"].startswith("Dear Bob and Carol,")


def test_without_scripts_a_button_puts_it_above_the_words(writer, template):
    fields = words_of(writer.get("/write/").content.decode())
    fields |= {"to": "Bob Novak <bob@demo.test>", "text": "> At ten?", "act": f"template {template.pk}"}
    page = writer.post("/write/", fields, follow=True).content.decode()
    assert words_of(page)["text"].startswith("Dear Bob,\n\n")
    assert words_of(page)["text"].endswith("Alice Quay\n> At ten?")
    assert "A template&#x27;s {subject} still stands in it." in page
    assert Draft.objects.count() == 1
