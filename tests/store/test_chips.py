"""A field of recipients as chips."""

from __future__ import annotations

from webmail.store.chips import chips, chips_of_each


def test_people_and_what_is_nobody():
    found = chips("Bob Novák <bob@demo.test>, nobody, carol@xn--bcher-kva.example")
    assert [each["label"] for each in found] == ["Bob Novák", "carol@bücher.example", "nobody"]
    assert [each["text"] for each in found] == ["Bob Novák <bob@demo.test>", "carol@bücher.example", "nobody"]
    assert found[2]["sentence"] == "“nobody” is not a mail address: it has no @."


def test_each_piece_by_itself():
    one, group, none = chips_of_each(["bob@demo.test", "Crew: erin@demo.test, frank@demo.test;", " "])
    assert [each["detail"] for each in one] == ["bob@demo.test"]
    assert [each["detail"] for each in group] == ["erin@demo.test", "frank@demo.test"]
    assert none == []
