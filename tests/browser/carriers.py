"""Mail that carries payloads: one in the HTML, the subject and the names, or some in every field that can carry one."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from email.header import Header
from email.message import EmailMessage
from email.policy import SMTP
from urllib.parse import quote

from tests import outlook
from tests.message.letters import PIXEL

DATE = b"Date: Tue, 03 Mar 2026 14:02:00 +0100\r\n"
_ADDRESS = '"<img src=x onerror=pwn()>"@demo.test'


def framed(number: int, payload: str) -> bytes:
    """The payload as the HTML of a mail with an ordinary header."""
    message = EmailMessage(policy=SMTP)
    message["From"] = "Mallory <mallory@demo.test>"
    message["To"] = "Alice <alice@demo.test>"
    message["Subject"] = f"Payload {number}"
    message["Date"] = "Tue, 03 Mar 2026 14:02:00 +0100"
    # Whole in its octets, whatever it is: NUL and line ends too.
    message.set_content(payload.encode(), "text", "html", cte="base64", params={"charset": "utf-8"})
    return bytes(message)


def named(payload: str) -> bytes:
    """The payload as HTML, subject, names and the name of a file."""
    words = _words(payload)
    head = f"From: {words} <mallory@demo.test>\r\nTo: {words} <alice@demo.test>\r\nSubject: {words}\r\n".encode()
    parts = [_part("text/html; charset=utf-8", payload.encode()), _file("application/pdf", b"%PDF-1.4", payload)]
    return head + DATE + _multipart("mixed", parts)


def texts(payloads: Sequence[str]) -> bytes:
    """These payloads as plain text, subject, people, and names of files. Encoded words carry any character."""
    words = _words(" ".join(payloads))
    files = [_file("application/octet-stream", b"x", f"{n}{payload}.txt") for n, payload in enumerate(payloads[:3])]
    head = f"From: {words} <{_ADDRESS}>\r\nTo: {words} <alice@demo.test>\r\nSubject: {words}\r\n"
    head += 'Cc: =?utf-8?q?=3Csvg_onload=3Dpwn()=3E?= <"\'onclick=pwn()"@demo.test>\r\n'
    plain = _part("text/plain; charset=utf-8", "\n".join(payloads).encode())
    return head.encode() + DATE + _multipart("mixed", [plain, *files, _file("image/png", PIXEL, f"{payloads[-1]}.png")])


def everywhere(payloads: Sequence[str]) -> bytes:
    """Each of these payloads in every field and part that can carry one, the HTML body apart."""
    head = [f"Subject: {_words(payloads[0])}", f"From: {_words(payloads[0])} <{_ADDRESS}>"]
    for field in ("To", "Cc", "Reply-To", "Sender"):
        head.append(f"{field}: " + ",\r\n ".join(f"{_words(each)} <{_quoted(each)}@demo.test>" for each in payloads))
    for field in ("List-Id", "List-Unsubscribe", "Authentication-Results", "Organization", "User-Agent", "Received",
                  "References", "X-Odd", "DKIM-Signature", "Comments"):  # fmt: skip
        head += [f"{field}: {_words(each)}" for each in payloads]
        head += [f"{field}: {each}" for each in payloads if each.isprintable()]
    parts = [
        _part("text/plain; charset=utf-8; format=flowed", "\n".join(payloads).encode()),
        _part("text/enriched; charset=utf-8", "\n".join(payloads).encode()),
        _part("text/markdown; charset=utf-8", "\n".join(payloads).encode()),
        *(_file("application/octet-stream", b"x", each) for each in payloads),
        *(_file("image/png", PIXEL, each) for each in payloads[:2]),
        *(_typed(each) for each in payloads if each.isprintable()),
        _file("text/html", "\n".join(payloads).encode(), "page.html"),
        _file("image/svg+xml", f"<svg xmlns='http://www.w3.org/2000/svg'>{payloads[0]}</svg>".encode(), "a.svg"),
        _file("application/xml", f"<x>{payloads[0]}</x>".encode(), "a.xml"),
        _part("text/calendar; charset=utf-8; method=REQUEST", _calendar(payloads)),
        _part("text/vcard; charset=utf-8", _cards(payloads)),
        _file("application/ms-tnef", _winmail(payloads), "winmail.dat"),
        *(_part("message/rfc822", _inner(each), encoded=False) for each in payloads),
        _part("multipart/report; report-type=delivery-status; boundary=r", _report(payloads), encoded=False),
    ]
    return "\r\n".join([*head, ""]).encode("utf-8", "replace") + DATE + _multipart("mixed", parts)


def _words(text: str) -> str:
    return str(Header(text, "utf-8", maxlinelen=70))


def _quoted(text: str) -> str:
    """A local part that holds the text."""
    plain = "".join(letter for letter in text if letter.isprintable()).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{plain}"'


def _multipart(kind: str, parts: Iterable[bytes]) -> bytes:
    body = b"".join(b"--=_c\r\n" + part + b"\r\n" for part in parts)
    return (
        f'MIME-Version: 1.0\r\nContent-Type: multipart/{kind}; boundary="=_c"\r\n\r\n'.encode() + body + b"--=_c--\r\n"
    )


def _part(kind: str, data: bytes, more: str = "", *, encoded: bool = True) -> bytes:
    head = f"Content-Type: {kind}\r\n{more}"
    if not encoded:
        return f"{head}\r\n".encode() + data
    return f"{head}Content-Transfer-Encoding: base64\r\n\r\n".encode() + base64.encodebytes(data).replace(
        b"\n", b"\r\n"
    )


def _file(kind: str, data: bytes, name: str) -> bytes:
    where = f"Content-Disposition: attachment; filename*=utf-8''{quote(name, safe='')}\r\n"
    return _part(kind, data, f"{where}Content-Description: {_words(name)}\r\nContent-ID: <{quote(name)}@demo.test>\r\n")


def _typed(payload: str) -> bytes:
    """A part whose type is the payload, as it stands."""
    return _part(f'application/{payload}; name="{payload}"'.encode("utf-8", "replace").decode(), b"x")


def _calendar(payloads: Sequence[str]) -> bytes:
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//demo.test//EN", "METHOD:REQUEST"]
    for number, payload in enumerate(payloads):
        text = (
            payload.replace("\\", "\\\\").replace("\r", "").replace("\n", "\\n").replace(",", "\\,").replace(";", "\\;")
        )
        bare = text.replace('"', "'")
        lines += [
            "BEGIN:VEVENT", f"UID:{number}{text}", "DTSTAMP:20260303T140200Z", "DTSTART:20260303T140200Z",
            f"SUMMARY:{text}", f"LOCATION:{text}", f"DESCRIPTION:{text}", f"URL:{text}", f"ATTACH:{text}",
            f'ORGANIZER;CN="{bare}":mailto:{text}', f'ATTENDEE;CN="{bare}";ROLE="{bare}":mailto:{text}',
            f"X-ALT-DESC;FMTTYPE=text/html:{text}", f"CATEGORIES:{text}", f"STATUS:{text}", f"RRULE:FREQ={bare}",
            f"DTEND;TZID={bare}:20260303T150200", f"CONFERENCE:{text}", f"COMMENT:{text}", "END:VEVENT",
        ]  # fmt: skip
    return "\r\n".join([*lines, "END:VCALENDAR", ""]).encode("utf-8", "replace")


def _cards(payloads: Sequence[str]) -> bytes:
    lines = []
    for payload in payloads:
        text = (
            payload.replace("\\", "\\\\").replace("\r", "").replace("\n", "\\n").replace(",", "\\,").replace(";", "\\;")
        )
        fields = ("FN", "N", "ORG", "TITLE", "NOTE", "URL", "EMAIL", "TEL", "ADR", "LABEL", "NICKNAME", "ROLE", "IMPP",
                  "BDAY", "PHOTO;VALUE=uri", "LOGO;VALUE=uri", "KEY;VALUE=uri", "GEO", "X-ODD", "UID")  # fmt: skip
        lines += ["BEGIN:VCARD", "VERSION:3.0", *(f"{field}:{text}" for field in fields), "END:VCARD"]
    return "\r\n".join([*lines, ""]).encode("utf-8", "replace")


def _winmail(payloads: Sequence[str]) -> bytes:
    files = [outlook.file("a.txt", b"x", long_name=payload.replace("\0", "")) for payload in payloads]
    page = payloads[0].encode("utf-8", "replace").decode().replace("\0", "")
    return outlook.tnef(outlook.html_body(page), *files)


def _inner(payload: str) -> bytes:
    words = _words(payload)
    head = f"From: {words} <{_quoted(payload)}@demo.test>\r\nTo: {words} <alice@demo.test>\r\nSubject: {words}\r\n"
    html = _part("text/html; charset=utf-8", payload.encode("utf-8", "replace"))
    return head.encode("utf-8", "replace") + DATE + html


def _report(payloads: Sequence[str]) -> bytes:
    bare = [" ".join(payload.split()) for payload in payloads]
    status = [f"Reporting-MTA: {bare[0]}\r\nReceived-From-MTA: {bare[0]}\r\n"]
    status += [
        f"\r\nFinal-Recipient: rfc822; {each}\r\nOriginal-Recipient: {each}\r\nAction: {each}\r\n"
        f"Status: 5.1.1 {each}\r\n"
        f"Remote-MTA: dns; {each}\r\nDiagnostic-Code: smtp; {each}\r\nWill-Retry-Until: {each}\r\n"
        for each in bare
    ]
    text = _part("text/plain; charset=utf-8", "\n".join(payloads).encode("utf-8", "replace"))
    told = _part("message/delivery-status", "".join(status).encode("utf-8", "replace"), encoded=False)
    back = _part("text/rfc822-headers", "\r\n".join(f"Subject: {each}" for each in bare).encode("utf-8", "replace"))
    return b"--r\r\n" + text + b"\r\n--r\r\n" + told + b"\r\n--r\r\n" + back + b"\r\n--r--\r\n"
