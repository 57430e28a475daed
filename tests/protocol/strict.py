"""A reader of what we send that forgives nothing: RFC 5322, 2045–2047, 2183, 2231, 2387, written from their grammars.

It shares no code with the product and none with the standard library's parser. `check` raises AssertionError with the
rule that was broken.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass, field

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\x80-\U0010ffff-]+"
_DOT_ATOM = rf"{_ATOM}(?:\.{_ATOM})*"
_QUOTED = r'"(?:[^"\\\r\n\x00-\x08\x0a-\x1f]|\\[\x20-\x7e])*"'
_ADDR = rf"{_DOT_ATOM}@{_DOT_ATOM}"
_WORD = rf"(?:{_ATOM}|{_QUOTED})"
_MAILBOX = rf"(?:(?:{_WORD}(?: {_WORD})* )?<{_ADDR}>|{_ADDR})"
_MAILBOXES = re.compile(rf"{_MAILBOX}(?:, {_MAILBOX})*")
_GROUP = re.compile(r"undisclosed-recipients:;")
_ID = r"<[!-;=?-~]+@[!-;=?-~]+>"
_DATE = re.compile(
    r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{2} (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4}"
    r" (?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d [+-]\d{4}"
)
_FIELD = re.compile(r"([!-9;-~]+):(?: |$)")
_ENCODED = re.compile(r"=\?([A-Za-z0-9-]+)\?([bqBQ])\?([!->@-~]*)\?=")
_TOKEN = r"[!#$%&'*+.0-9A-Z^_`a-z{|}~-]+"
_PARAMETER = re.compile(rf"; ({_TOKEN})=({_TOKEN}|{_QUOTED})")
_QP_LINE = re.compile(rb"(?:[!-<>-~ \t]|=[0-9A-F]{2})*(?:=|(?<![ \t]))", re.DOTALL)
_CID = re.compile(rb'src="cid:([^"]+)"')
_ONCE = ("date", "from", "sender", "reply-to", "to", "cc", "bcc", "message-id", "in-reply-to", "references", "subject",
         "mime-version", "content-type", "content-transfer-encoding", "content-disposition", "content-id")  # fmt: skip
_RANK = {"7bit": 0, "8bit": 1}


@dataclass
class Part:
    """One entity: its fields unfolded, its type with parameters, its body as it stands and decoded, its parts."""

    fields: dict[str, str]
    type: str
    parameters: dict[str, str]
    encoding: str
    body: bytes
    data: bytes
    parts: list[Part] = field(default_factory=list)

    def walk(self) -> list[Part]:
        return [self, *(each for part in self.parts for each in part.walk())]


def check(octets: bytes, *, is_utf8: bool = False) -> Part:
    """The message, which breaks no rule.

    Args:
        is_utf8: it goes to a server with SMTPUTF8, so that its header may hold other letters (RFC 6532).
    """
    assert octets.endswith(b"\r\n"), "the last line ends too"
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)|\0", octets), "every line ends in CR LF, and nothing is NUL"
    assert max(map(len, octets.split(b"\r\n"))) <= 998, "no line is too long"
    whole = _part(octets, is_utf8=is_utf8)
    assert {"date", "from", "message-id", "mime-version"} <= whole.fields.keys()
    assert whole.fields["mime-version"] == "1.0"
    assert _DATE.fullmatch(whole.fields["date"]), whole.fields["date"]
    for name in ("from", "to", "cc", "reply-to", "disposition-notification-to"):
        value = whole.fields.get(name)
        assert value is None or _MAILBOXES.fullmatch(value) or (name == "to" and _GROUP.fullmatch(value)), value
    assert re.fullmatch(_ID, whole.fields["message-id"])
    for name in ("in-reply-to", "references"):  # strangers', who forget the "@"
        value = whole.fields.get(name)
        assert value is None or re.fullmatch(r"<[!-;=?-~]+>(?: <[!-;=?-~]+>)*", value), value
    assert {"to", "cc"} & whole.fields.keys(), "there is a field of recipients"
    assert not {"bcc", "x-mailer", "user-agent", "received", "x-originating-ip"} & whole.fields.keys()
    return whole


def _part(octets: bytes, *, is_utf8: bool = False) -> Part:
    head, blank, body = octets.partition(b"\r\n\r\n")
    assert blank, "an empty line ends the header"
    fields = _fields(head.decode("utf-8" if is_utf8 else "ascii"))
    kind, parameters = _typed(fields.get("content-type", "text/plain"))
    encoding = fields.get("content-transfer-encoding", "7bit")
    part = Part(fields, kind, parameters, encoding, body, body)
    if "content-disposition" in fields:
        assert _typed(fields["content-disposition"])[0] in ("inline", "attachment")
    if kind.startswith("multipart/"):
        _take_apart(part)
    elif encoding == "base64":
        lines = body.removesuffix(b"\r\n").split(b"\r\n")
        assert all(len(line) <= 76 for line in lines), "lines of base64 are short"
        part.data = base64.b64decode(b"".join(lines), validate=True)
    elif encoding == "quoted-printable":
        for line in body.split(b"\r\n"):
            assert len(line) <= 76, line
            assert _QP_LINE.fullmatch(line), line
        part.data = binascii.a2b_qp(body)
    else:
        assert encoding in _RANK
        assert encoding == "8bit" or body.isascii(), "what isn't ASCII is said to be 8bit"
    if kind.startswith("text/"):
        part.data.decode(parameters.get("charset", "us-ascii"))
    return part


def _take_apart(part: Part) -> None:
    boundary = part.parameters["boundary"]
    assert re.fullmatch(r"[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]", boundary), "RFC 2046 §5.1.1"
    line = b"--" + boundary.encode()
    assert part.body.startswith(line + b"\r\n"), "no preamble"
    body, end, epilogue = (b"\r\n" + part.body).partition(b"\r\n" + line + b"--\r\n")
    assert end, "it is closed"
    assert epilogue.strip() == b"" or epilogue.startswith(b"--"), "nothing comes behind it but its parent's delimiter"
    _, *pieces = body.split(b"\r\n" + line + b"\r\n")
    assert pieces
    assert not any(line in piece for piece in pieces), "no part holds the delimiter"
    part.parts = [_part(piece + b"\r\n") for piece in pieces]
    assert part.encoding in _RANK, "RFC 2045 §6.4"
    children = max(_RANK.get(each.encoding, 0) for each in part.parts)
    assert _RANK[part.encoding] == children, "a multipart says what the most of its parts needs (RFC 2045 §6.4)"
    if part.type == "multipart/related":
        assert part.parameters["type"] == part.parts[0].type, "RFC 2387 §3.1"
        shown = set(_CID.findall(part.parts[0].data))
        ids = [each.fields["content-id"] for each in part.parts[1:]]
        assert all(re.fullmatch(_ID, each) or re.fullmatch(r"<[^<>\s]+>", each) for each in ids)
        assert {each[1:-1].encode() for each in ids} <= shown, "every picture is shown"
    if part.type == "multipart/alternative":
        assert [each.type for each in part.parts][:1] == ["text/plain"], "the plainest first"


def _fields(head: str) -> dict[str, str]:
    fields: dict[str, str] = {}
    name = ""
    for line in head.split("\r\n"):
        assert line.strip(), "no line of a header is blank"
        if line[0] in " \t":
            fields[name] += " " + line.strip()
        else:
            found = _FIELD.match(line)
            assert found is not None, line
            name = found[1].lower()
            assert name not in fields or name not in _ONCE, f"{name} stands once"
            fields[name] = line[found.end() :].strip()
        longest = 76 if "=?" in line else 78
        words = 0 if "*=" in line else 1 if line[0] == " " else 2  # long parameters come in pieces
        assert len(line) <= longest or len(line.split()) <= words, f"could be folded: {line}"
    for each, value in fields.items():
        if each not in ("message-id", "in-reply-to", "references"):  # where a stranger's word is none
            _encoded_words(each, value)
    return fields


def _encoded_words(name: str, value: str) -> None:
    """Encoded words stand alone between blanks, are short, and hold whole characters each (RFC 2047)."""
    if name == "content-type":
        value = re.sub(r'"([^"]*)"', r"\1", value)  # for old Outlooks
    assert "=?" not in re.sub(_QUOTED, "", value) or name == "content-type" or '"=?' not in value
    for word in re.sub(_QUOTED, "", value).replace(",", " ").split(" "):
        word = word.partition("name=")[2] or word if name == "content-type" else word  # noqa: PLW2901
        if "=?" not in word:
            continue
        found = _ENCODED.fullmatch(word.rstrip(";"))
        assert found is not None, word
        assert len(found[0]) <= 75, word
        if found[2].lower() == "b":
            data = base64.b64decode(found[3], validate=True)
        else:
            assert re.fullmatch(r"(?:[!-<>@-^`-~]|_|=[0-9A-F]{2})*", found[3]), word
            data = binascii.a2b_qp(found[3].replace("_", " ").encode(), header=True)
        data.decode(found[1])


def _typed(value: str) -> tuple[str, dict[str, str]]:
    """A type or disposition with its parameters, those of RFC 2231 put together."""
    kind, semicolon, rest = value.partition(";")
    assert re.fullmatch(rf"{_TOKEN}(?:/{_TOKEN})?", kind), kind
    rest = semicolon + rest
    raw: dict[str, str] = {}
    at = 0
    while at < len(rest):
        found = _PARAMETER.match(rest, at)
        assert found is not None, rest[at:]
        key = found[1].lower()
        assert key not in raw, key
        raw[key] = re.sub(r"\\(.)", r"\1", found[2][1:-1]) if found[2].startswith('"') else found[2]
        at = found.end()
    return kind.lower(), _joined(raw)


def _joined(raw: dict[str, str]) -> dict[str, str]:
    parameters: dict[str, str] = {}
    for key, value in raw.items():
        name, star, number = key.rstrip("*").partition("*")
        if key.endswith("*"):
            assert re.fullmatch(r"(?:utf-8''|)(?:[!#$&+.0-9A-Z^_`a-z{|}~-]|%[0-9A-F]{2})*", value), value
        assert not star or number == "0" or f"{name}*{int(number) - 1}*" in raw, "none is missing"
        parameters[name] = parameters.get(name, "") + value
    return parameters
