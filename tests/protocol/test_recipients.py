"""However people write addresses, they are read; and what is none is kept, with a sentence."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from webmail.protocol.recipients import Link, field_text, read, read_link
from webmail.protocol.types import Address

BOB = Address("Bob Novák", "bob@demo.test")
CAROL = Address("", "carol@demo.test")


@pytest.mark.parametrize(
    "text",
    [
        "Bob Novák <bob@demo.test>, carol@demo.test",
        "Bob Novák <bob@demo.test>; carol@demo.test;",
        "Bob Novák <bob@demo.test>\ncarol@demo.test\n",
        "Bob Novák <bob@demo.test>\r\n\r\n<carol@demo.test>",
        "Bob Novák bob@demo.test carol@demo.test",
        "Bob Novák <bob@demo.test> carol@demo.test",
        '"Bob Novák" <bob@demo.test>,, carol@demo.test,',
        "bob@demo.test (Bob Novák), carol@demo.test",
        "The team: Bob Novák <bob@demo.test>, carol@demo.test;",
        "=?utf-8?q?Bob_Nov=C3=A1k?= <bob@demo.test>, mailto:carol@demo.test",
        "Bob Novák <bob@demo.test>,carol@demo.test,Bob <BOB@demo.test>",
        "Bob Novák <mailto:bob@demo.test>, carol@DEMO.test",
    ],
)
def test_many_at_once(text: str) -> None:
    typed = read(text)
    assert typed.problems == ()
    assert typed.addresses == (BOB, CAROL)


@pytest.mark.parametrize("local", ["a b", "a@b", "a,b"])
def test_quotes_before_the_at_never_lead_to_somebody_else(local: str) -> None:
    for typed in (f'"{local}"@x.test, carol@demo.test', f'Bob <"{local}"@x.test>, carol@demo.test'):
        assert read(typed).addresses == (CAROL,)
        assert f'"{local}"@x.test' in read(typed).problems[0].text
    assert read('"bob.novak"@demo.test').addresses == (Address("", "bob.novak@demo.test"),)


def test_a_name_with_a_comma() -> None:
    assert read("Novák, Bob <bob@demo.test>").addresses == (Address("Novák, Bob", "bob@demo.test"),)


def test_many_with_blanks_between() -> None:
    text = " ".join(f"u{number}@demo.test" for number in range(50))
    assert [each.address for each in read(text).addresses] == text.split()


def test_international_domains() -> None:
    assert read("bob@münchen.test").addresses == (Address("", "bob@xn--mnchen-3ya.test"),)
    assert field_text(read("bob@münchen.test").addresses) == "bob@münchen.test"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("bob", "no @"),
        ("bob@", "after the @ is missing"),
        ("@demo.test", "before the @ is missing"),
        ("bob@demo", "with a dot"),
        ("bob@@demo.test", "more than one @"),
        ("bob@demo..test", "can be written to"),
        ("bob@[127.0.0.1]", "can be written to"),
        ("Bob <bob@-demo.test>", "can be written to"),
        ("bob\u202e@demo.test\x00 x", "“"),
    ],
)
def test_what_is_no_address_says_why_and_stays(text: str, words: str) -> None:
    typed = read(f"carol@demo.test, {text}, dave@demo.test")
    if typed.problems:
        assert [each.address for each in typed.addresses] == ["carol@demo.test", "dave@demo.test"]
        [problem] = typed.problems
        assert words in problem.sentence
        assert problem.text in text or problem.text in text.replace("\u202e", "")
    else:  # it could be made an address of
        assert text.startswith("bob\u202e")


def test_too_many_are_given_back() -> None:
    text = ", ".join(f"u{number}@demo.test" for number in range(1500))
    typed = read(text)
    assert typed.addresses == ()
    assert typed.problems[0].text == text
    assert read("x" * 70_000).problems[0].text == "x" * 70_000


NAMES = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=40)


@given(st.lists(NAMES, max_size=6))
@example(["Nov,ák;", 'a"b\\', "(x)", "<y>", "a@b", "t:", "=?x"])
def test_what_is_shown_reads_the_same(names: list[str]) -> None:
    people = tuple(Address(name, f"u{number}@demo.test") for number, name in enumerate(names))
    typed = read(field_text(people))
    assert [each.address for each in typed.addresses] == [each.address for each in people]
    assert typed.problems == ()
    for shown, person in zip(typed.addresses, people, strict=True):
        if person.name.isalpha():
            assert shown.name == person.name


@given(st.text(max_size=200))
def test_nothing_raises_and_nothing_unsound_comes_out(text: str) -> None:
    for address in read(text).addresses:
        assert not any(char in address.address for char in "\r\n\0 <>,")
    read_link(text)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("mailto:carol@demo.test", {"to": "carol@demo.test"}),
        ("MAILTO:carol@demo.test?subject=Ferry%20at%209", {"to": "carol@demo.test", "subject": "Ferry at 9"}),
        ("mailto:carol@demo.test,bob@demo.test", {"to": "carol@demo.test, bob@demo.test"}),
        ("mailto:?to=carol@demo.test&cc=bob@demo.test&bcc=dave@demo.test",
         {"to": "carol@demo.test", "cc": "bob@demo.test", "bcc": "dave@demo.test"}),
        ("mailto:carol@demo.test?body=one%0D%0Atwo+three&amp;subject=x", {"body": "one\ntwo+three", "subject": "x"}),
        ("mailto:carol@demo.test?subject=x%0D%0ABcc:%20eve@demo.test", {"subject": "x Bcc: eve@demo.test"}),
        ("mailto:carol%2Bx@demo.test", {"to": "carol+x@demo.test"}),
        ("mailto:carol@demo.test?attach=/etc/passwd&attachment=x&from=eve@demo.test&in-reply-to=x&x-y=z",
         {"to": "carol@demo.test"}),
        ("mailto:carol@demo.test?subject=%E2%9A%93&subject=second", {"subject": "⚓"}),
    ],
)  # fmt: skip
def test_links(url: str, expected: dict[str, str]) -> None:
    link = read_link(url)
    found = {
        "to": field_text(link.to.addresses),
        "cc": field_text(link.cc.addresses),
        "bcc": field_text(link.bcc.addresses),
        "subject": link.subject,
        "body": link.body,
    }
    assert found == {"to": "carol@demo.test", "cc": "", "bcc": "", "subject": "", "body": ""} | expected
    assert set(Link.__slots__) == set(found)
