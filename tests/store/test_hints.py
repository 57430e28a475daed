"""Before it leaves: each line where it is true, and nowhere else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.cast import give_mail
from webmail.models import Draft
from webmail.protocol.types import Address
from webmail.store import drafts, identities, people
from webmail.store.drafts import Values
from webmail.store.hints import hints

BOB = Values(to="bob@demo.test", subject="Ferry", text="At nine.")


@pytest.fixture
def said(alice):
    """What is said of these values, once alice has written to bob before."""
    people.note_use(alice, [Address("", "bob@demo.test")])
    account = alice.accounts.get()
    draft = drafts.start(account, BOB, form_key="a-key")

    def say(files=(), **more):
        values = {name: more.pop(name) for name in list(more) if name in Values.__dataclass_fields__}
        return hints(alice, replace(draft, values=replace(BOB, **values), files=files, **more))

    return say


def test_nothing_to_be_said(said):
    assert said() == ()


def test_somebody_new(said):
    assert said(to="bob@demo.test, carol@demo.test") == ("You have not written to carol@demo.test before.",)


def test_outside_the_organisation_only_beside_somebody_inside(said, alice):
    people.note_use(alice, [Address("", "dan@far.example")])
    assert said(to="bob@demo.test", cc="dan@far.example") == ("It also goes outside demo.test: dan@far.example.",)
    assert said(to="dan@far.example") == ()


def test_many_who_see_one_another(said):
    many = ", ".join(f"p{number}@demo.test" for number in range(21))
    assert any("21 people will see one another" in line for line in said(to=many))
    assert not any("see one another" in line for line in said(to="bob@demo.test", bcc=many))


# Those that a line above a quote is written in: see `attributions`.
ATTACHED = [
    "I attach the plan.", "The attachments", "Σας στέλνω συνημμένο το σχέδιο", "מצורף התכנית", "계획을 첨부합니다",
    "Viz příloha.", "Planen er vedhæftet.", "Plan anbei.",
    "Mit zwei Anhängen.", "Va adjunto.",
    "Suunnitelma on liitteenä.", "Le plan est en pièce jointe.", "Mellékelem a tervet.", "In allegato.",
    "添付します", "Se vedlegg.", "Zie bijlage.", "W załączniku.", "Segue em anexo.", "План во вложении.", "V prílohe.",
    "Jag bifogar planen.", "Plan ekte.", "План у вкладенні.", "附件です",
]  # fmt: skip


@pytest.mark.parametrize("text", ATTACHED)
def test_an_attachment_that_is_none(said, text):
    assert said(text=text) == ("You write of an attachment, and there is none.",)
    file = drafts.Attached(id=None, name="plan.txt", type="text/plain", size=1)
    assert said(text=text, files=(file,)) == ()


def test_what_others_wrote_of_attachments_is_not_asked_about(said):
    assert said(text="Thanks.\n\nOn Tuesday, Bob wrote:\n> I attach the plan.") == ()


def test_a_reply_as_another_address(said, alice):
    message = give_mail(alice)
    message.recipients = "Alice <alice+lists@demo.test>"
    message.save()
    reply = {"kind": Draft.Kind.REPLY, "original_row": message.pk}
    assert said(from_address="alice+lists@demo.test", **reply) == ()
    assert said(**reply) == ("They wrote to alice+lists@demo.test; this goes out as alice@demo.test.",)


def test_each_can_be_switched_off(said, alice):
    lines = {"to": "carol@demo.test", "text": "I attach it."}
    new, attachment = (
        "You have not written to carol@demo.test before.",
        "You write of an attachment, and there is none.",
    )
    for hidden, left in (
        ("", (new, attachment)),
        ("new", (attachment,)),
        ("attachment", (new,)),
        ("new attachment", ()),
    ):
        alice.hidden_hints = hidden
        assert said(**lines) == left
    alice.hidden_hints = " ".join(alice.Hint.values)
    assert said(**lines) == ()


def test_a_signature_that_speaks_of_attachments_is_not_asked_about(said, alice):
    legal = "Delete this mail with its attachments."
    identities.save(
        alice.accounts.get(), address="alice@demo.test", signature_text=legal, signature_html=f"<p>{legal}</p>"
    )
    assert said(text=f"At nine.\n\n-- \n{legal}") == ()
    assert said(is_html=True, html=f"<p>At nine.</p><div><p>{legal}</p></div>") == ()
    assert said(is_html=True, html=f"<p>Attached.</p><div><p>{legal}</p></div>") != ()


def test_addresses_are_shown_as_people_write_them(said):
    assert said(to="dan@bücher.example") == ("You have not written to dan@bücher.example before.",)
