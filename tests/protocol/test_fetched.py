"""The reader of FETCH responses: what servers say, what hostile ones could say, and both of its paths alike."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from webmail.protocol.bodystructure import MAX_DEPTH, MAX_PARTS, read_structure
from webmail.protocol.common_structure import read_common
from webmail.protocol.errors import BadAnswer
from webmail.protocol.fetched import Fetched, read_date, read_fetch
from webmail.protocol.flagging import read_change
from webmail.protocol.tokens import tokenize
from webmail.protocol.types import Flag, Flags, Part

HEADER = b"Subject: Ferry\r\n\r\n"
TEXT = (
    b'("text" "plain" ("charset" "UTF-8" "format" "flowed") "<a@b.test>" NIL "quoted-printable" 1523 43 '
    b"NIL NIL NIL NIL)"
)
HTML = b'("text" "html" ("charset" "utf-8") NIL NIL "base64" 5023 143 NIL NIL NIL NIL)'
PDF = (
    b'("application" "pdf" ("name" "plan.pdf") NIL NIL "base64" 50230 NIL '
    b'("attachment" ("filename" "Plan.pdf")) NIL NIL)'
)
PNG = b'("image" "png" NIL "<logo@demo.test>" NIL "base64" 77 NIL ("inline" NIL) NIL NIL)'
ALTERNATIVE = b"(" + TEXT + HTML + b' "alternative" ("boundary" "=_b 1") NIL NIL NIL)'
MIXED = b"(" + ALTERNATIVE + PDF + PNG + b' "mixed" ("boundary" "x") NIL NIL NIL)'
NESTED = (
    b'("message" "rfc822" NIL NIL NIL "7bit" 9000 '
    b'("Mon" "Re: Ferry" (("Bob" NIL "bob" "demo.test")) NIL NIL NIL NIL NIL NIL "<i@d.test>") '
    + MIXED
    + b" 120 NIL NIL NIL NIL)"
)
REPORT = b"(" + TEXT + NESTED + b' "report" ("report-type" "delivery-status" "boundary" "q") NIL NIL NIL)'


def response(structure: bytes, header: bytes = HEADER, items: bytes = b"") -> list[bytes]:
    line = (
        b'* 7 FETCH (UID 42 FLAGS (\\Seen $Forwarded Work) INTERNALDATE " 1-Nov-2026 10:11:12 +0100" RFC822.SIZE 4711 '
        b"MODSEQ (99) %bBODYSTRUCTURE %b BODY[HEADER.FIELDS (SUBJECT FROM)] {%d}\r\n" % (items, structure, len(header))
    )
    return [line, header, b")\r\n"]


def fetched(segments: list[bytes]) -> Fetched:
    read = read_fetch(segments)
    assert read is not None
    return read


def structure(text: bytes) -> Part:
    """By the thorough path."""
    tokens = tokenize([text])
    part = read_structure(tokens, 0, len(tokens))
    assert part is not None
    return part


def sections(part: Part) -> list[tuple[str, str]]:
    return [(each.section, each.type) for each in part.walk()]


@pytest.mark.parametrize("extra", [b"", b"X-UNKNOWN (1 (2 3)) "], ids=["usual order", "general path"])
def test_an_ordinary_message(extra: bytes) -> None:
    message = fetched(response(TEXT, items=extra)).message()
    assert (message.uid, message.size, message.modseq, message.header) == (42, 4711, 99, HEADER)
    assert message.internal_date == datetime(2026, 11, 1, 9, 11, 12, tzinfo=UTC)
    assert message.flags == Flags(frozenset({Flag.SEEN, Flag.FORWARDED}), frozenset({"Work"}))
    assert message.structure == Part(
        section="1", type="text/plain", encoding="quoted-printable", size=1523, charset="utf-8", content_id="a@b.test",
        params=(("format", "flowed"),),
    )  # fmt: skip


def test_sections_are_numbered_as_fetch_wants_them() -> None:
    assert sections(structure(MIXED)) == [
        ("", "multipart/mixed"), ("1", "multipart/alternative"), ("1.1", "text/plain"), ("1.2", "text/html"),
        ("2", "application/pdf"), ("3", "image/png"),
    ]  # fmt: skip
    assert sections(structure(REPORT)) == [
        ("", "multipart/report"), ("1", "text/plain"), ("2", "message/rfc822"), ("2.TEXT", "multipart/mixed"),
        ("2.1", "multipart/alternative"), ("2.1.1", "text/plain"), ("2.1.2", "text/html"), ("2.2", "application/pdf"),
        ("2.3", "image/png"),
    ]  # fmt: skip
    inner = b'("message" "rfc822" NIL NIL NIL "7bit" 90 NIL ' + TEXT + b" 12 NIL NIL NIL NIL)"
    assert sections(structure(inner)) == [("1", "message/rfc822"), ("1.1", "text/plain")]


def test_a_type_that_the_server_could_not_read() -> None:
    # Dovecot: empty words, and no count of lines as other texts have.
    odd = structure(b'("" "" NIL NIL NIL "7bit" 3 NIL ("attachment" ("filename" "plan.bin")) NIL NIL)')
    assert (odd.type, odd.disposition, odd.filename) == ("text/plain", "attachment", "plan.bin")


def test_attachments_and_inline_pictures() -> None:
    pdf, png = structure(MIXED).children[1:]
    assert (pdf.disposition, pdf.filename, pdf.size) == ("attachment", "Plan.pdf", 50230)
    assert (png.disposition, png.filename, png.content_id) == ("inline", "", "logo@demo.test")
    assert structure(REPORT).params == (("report-type", "delivery-status"),)


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        (b'("attachment" ("filename" "a (1).pdf"))', "a (1).pdf"),
        (b'("attachment" ("filename*" "utf-8\'\'%C3%9A%C4%8Det.pdf"))', "Účet.pdf"),
        (b'("attachment" ("filename*0" "long " "filename*1" "name.pdf"))', "long name.pdf"),
        (b'("attachment" ("filename*0*" "utf-8\'\'%C3%9A%C4" "filename*1*" "%8Det.pdf"))', "Účet.pdf"),
        (b'("attachment" ("filename" "=?utf-8?B?w5rEjWV0LnBkZg==?="))', "Účet.pdf"),
        (b'("attachment" ("filename" "say \\"hi\\" \\\\ all.pdf"))', 'say "hi" \\ all.pdf'),
        (b'("attachment" NIL)', "plan.pdf"),
        (b"NIL", "plan.pdf"),
        (b'"attachment"', "plan.pdf"),
        (b'("attachment" ("filename"))', "plan.pdf"),
    ],
)
def test_file_names(disposition: bytes, name: str) -> None:
    text = b'("application" "pdf" ("name" "plan.pdf") NIL NIL "base64" 5 NIL %b NIL NIL)' % disposition
    assert structure(text).filename == name


def test_a_file_name_in_a_literal() -> None:
    raw = "Účet č. 5.pdf".encode()
    segments = [
        b'* 1 FETCH (UID 3 BODYSTRUCTURE ("application" "pdf" ("name" {%d}\r\n' % len(raw),
        raw,
        b') NIL NIL "base64" 5) FLAGS ())\r\n',
    ]
    part = fetched(segments).structure
    assert part is not None
    assert part.filename == "Účet č. 5.pdf"


@pytest.mark.parametrize("text", [TEXT, HTML, PDF, PNG, ALTERNATIVE, MIXED])
def test_the_fast_path_is_taken_for_common_mail_and_agrees(text: bytes) -> None:
    assert read_common(text) == structure(text)


@pytest.mark.parametrize(
    "text", [NESTED, REPORT, b"NIL", b"", b"()", b"(())", TEXT[:-1], TEXT + b")", b"(" + TEXT + b")"]
)
def test_the_fast_path_leaves_the_rest_alone(text: bytes) -> None:
    assert read_common(text) is None


_words = st.sampled_from([b"text", b"plain", b"html", b"image", b"png", b"application", b"x-a", b"A B", b"multipart"])
_strings = st.one_of(_words, st.binary(max_size=8).map(lambda raw: raw.translate(None, b'"\\\r\n'))).map(
    lambda w: b'"%b"' % w
)
_values = st.one_of(st.just(b"NIL"), _strings)
_params = st.one_of(
    st.just(b"NIL"),
    st.lists(st.tuples(_strings, _strings).map(b" ".join), min_size=1, max_size=3).map(
        lambda p: b"(%b)" % b" ".join(p)
    ),
)
_dispositions = st.one_of(st.just(b"NIL"), st.tuples(_strings, _params).map(lambda p: b"(%b)" % b" ".join(p)))
_leaves = st.tuples(
    _strings, _strings, _params, _values, _values, _strings, st.integers(0, 10**12).map(lambda n: b"%d" % n),
    st.sampled_from([b"7 NIL", b"NIL", b'3 "md5"']), _dispositions, _values, _values,
).map(lambda leaf: b"(%b)" % b" ".join(leaf))  # fmt: skip
_trees = st.recursive(
    _leaves,
    lambda inner: st.tuples(
        st.lists(inner, min_size=1, max_size=4).map(b"".join),
        st.sampled_from([b'"mixed"', b'"alternative"', b'"Related"']),
        st.sampled_from([b"NIL", b'("boundary" "x")', b'("report-type" "x" "boundary" "y")']),
    ).map(lambda parts: b"(%b %b %b NIL NIL NIL)" % parts),
    max_leaves=12,
)


@settings(max_examples=150)
@given(_trees)
def test_both_paths_agree(text: bytes) -> None:
    common = read_common(text)
    if common is not None:
        assert common == structure(text)


@settings(max_examples=150)
@given(_trees)
def test_both_paths_agree_on_the_whole_message(text: bytes) -> None:
    segments = response(text)
    general = response(text, items=b"X-OTHER 1 ")
    assert fetched(segments) == fetched(general)


def test_a_deep_structure_is_cut() -> None:
    text = TEXT
    for _ in range(400):
        text = b"(" + text + b' "mixed")'
    part = structure(text)
    assert len(list(part.walk())) == MAX_DEPTH
    message = TEXT
    for _ in range(400):
        message = b'("message" "rfc822" NIL NIL NIL "7bit" 9 NIL ' + message + b" 1)"
    assert len(list(structure(message).walk())) <= MAX_DEPTH


@pytest.mark.parametrize("depth", [1_000, 100_000])
def test_no_depth_overflows_the_stack(depth: int) -> None:
    for text in (b"(" * depth + b")" * depth, b"(" * depth + TEXT + b")" * depth):
        structure(text)
        read_fetch([b"* 1 FETCH (UID 5 BODYSTRUCTURE " + text + b")\r\n"])
        read_fetch([b"* 1 FETCH (UID 5 X " + text + b")\r\n"])


def test_many_parts_are_cut() -> None:
    text = b"(" + TEXT * 3_000 + b' "mixed")'
    assert len(list(structure(text).walk())) == MAX_PARTS
    assert structure(text).type == "multipart/mixed", "what follows the parts is still read"


@pytest.mark.parametrize(
    "line",
    [
        b"* 1 FETCH (UID 5", b"* 1 FETCH (UID", b"* 1 FETCH (", b"* 1 FETCH (UID 5 FLAGS (\\Seen)",
        b"* 1 FETCH (FLAGS (", b"* 1 FETCH (UID 5 BODYSTRUCTURE (((", b"* 1 FETCH (((((", b"* 1 FETCH (UID 5 BODY[1]",
    ],
)  # fmt: skip
def test_what_never_closes(line: bytes) -> None:
    with pytest.raises(BadAnswer):
        read_fetch([line + b"\r\n"])


@pytest.mark.parametrize(
    "line", [b"", b"* OK hello", b"* 5 EXISTS", b"* FETCH (UID 5)", b"W1 OK FETCH (UID 5)", b"* 1 FETCH"]
)
def test_what_is_no_fetch(line: bytes) -> None:
    assert read_fetch([line + b"\r\n"]) is None


def test_odd_numbers_are_none() -> None:
    read = fetched([b"* 1 FETCH (UID 99999999999 RFC822.SIZE -5 MODSEQ (99999999999999999999) FLAGS NIL)\r\n"])
    assert (read.uid, read.size, read.modseq, read.flags) == (0, 0, 0, Flags())


@settings(max_examples=300)
@given(st.lists(st.binary(max_size=80), min_size=1, max_size=4))
@example([b"(UID 5 BODY[" + b"(" * 70, b"", b"", b""])
def test_nothing_but_bad_answer_comes_out(parts: Sequence[bytes]) -> None:
    segments = [b"* 1 FETCH (" + parts[0], *parts[1:]]
    for read in (read_fetch, read_change):
        try:
            read(segments)
        except BadAnswer:
            continue


@settings(max_examples=300)
@given(
    st.lists(
        st.sampled_from([b"(", b")", b'"', b"NIL", b" ", b"text", b'"a"', b"5", b"\\", b"BODY[", b"]", b"{3}"]),
        max_size=60,
    )
)
def test_no_soup_of_tokens_upsets_it(soup: list[bytes]) -> None:
    for middle in (b"UID 5 BODYSTRUCTURE ", b"UID 5 FLAGS ", b""):
        try:
            read_fetch([b"* 1 FETCH (" + middle + b"".join(soup) + b")\r\n"])
        except BadAnswer:
            continue


@given(st.datetimes(min_value=datetime(1000, 1, 2), max_value=datetime(9998, 12, 30)), st.integers(-720, 840))
def test_dates(moment: datetime, minutes: int) -> None:
    aware = moment.replace(microsecond=0, tzinfo=timezone(timedelta(minutes=minutes)))
    months = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
    sign = "-" if minutes < 0 else "+"
    text = (
        f"{aware.day:2}-{months[aware.month - 1]}-{aware.year:04} {aware:%H:%M:%S} "
        f"{sign}{abs(minutes) // 60:02}{abs(minutes) % 60:02}"
    )
    assert read_date(text.encode()) == aware


@pytest.mark.parametrize("text", [b"", b"x" * 26, b"31-Feb-2026 10:11:12 +0000", b"01-Foo-2026 10:11:12 +0000", b"NIL"])
def test_no_dates(text: bytes) -> None:
    assert read_date(text) is None


def test_flags_are_shared_between_messages() -> None:
    first, second = (read_change([b"* %d FETCH (UID %d FLAGS (\\Seen) MODSEQ (5))\r\n" % (n, n)]) for n in (1, 2))
    assert first is not None
    assert second is not None
    assert first.flags is second.flags
