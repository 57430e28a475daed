"""Files that people attach, made in code: PDF, spreadsheet, text document, calendar entry, business card."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from xml.sax.saxutils import escape

from webmail.demo.mail.letters import File, digest
from webmail.demo.mail.people import Person

PDF = "application/pdf"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
ZIP = "application/zip"

_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006"


def pdf(name: str, title: str, lines: Sequence[str]) -> File:
    """One A4 page: a coloured band with the title, then the lines.  Letters outside Latin-1 become "?"."""
    text = ["BT /F1 11 Tf 14 TL 56 716 Td"]
    text += [f"({_pdf_text(line)}) Tj T*" for line in lines]
    drawing = "\n".join(
        [
            "0.10 0.33 0.48 rg 0 772 595 70 re f",
            "1 1 1 rg BT /F2 20 Tf 56 798 Td",
            f"({_pdf_text(title)}) Tj ET",
            "0.13 0.16 0.2 rg",
            *text,
            "ET",
        ]
    ).encode("latin-1")
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
        b" /Resources << /Font << /F1 5 0 R /F2 6 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(drawing), drawing),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica-Bold /Encoding /WinAnsiEncoding >>",
    ]
    out = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    places = []
    for number, body in enumerate(objects, start=1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
    return File(name, PDF, bytes(out))


def spreadsheet(name: str, rows: Sequence[Sequence[str | float]]) -> File:
    """A workbook of one sheet that office programs open."""
    cells = "".join(
        f'<row r="{number}">{"".join(_cell(value) for value in row)}</row>' for number, row in enumerate(rows, start=1)
    )
    main = f"{_OFFICE.replace('officeDocument', 'spreadsheetml')}/main"
    sheet = f'<worksheet xmlns="{main}"><sheetData>{cells}</sheetData></worksheet>'
    book = (
        f'<workbook xmlns="{main}" xmlns:r="{_OFFICE}/relationships">'
        '<sheets><sheet name="Sheet 1" sheetId="1" r:id="rId1"/></sheets></workbook>'
    )
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    return File(
        name,
        XLSX,
        _office(
            {
                "xl/workbook.xml": (book, f"{kind}.sheet.main+xml"),
                "xl/worksheets/sheet1.xml": (sheet, f"{kind}.worksheet+xml"),
            },
            "xl/workbook.xml",
            {"xl/_rels/workbook.xml.rels": _relation("worksheet", "worksheets/sheet1.xml")},
        ),
    )


def document(name: str, paragraphs: Sequence[str]) -> File:
    """A text document that office programs open."""
    main = f"{_OFFICE.replace('officeDocument', 'wordprocessingml')}/main"
    body = "".join(f"<w:p><w:r><w:t>{escape(text)}</w:t></w:r></w:p>" for text in paragraphs)
    text = f'<w:document xmlns:w="{main}"><w:body>{body}</w:body></w:document>'
    kind = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
    return File(name, DOCX, _office({"word/document.xml": (text, kind)}, "word/document.xml", {}))


def archive(name: str, members: dict[str, bytes]) -> File:
    """A ZIP file."""
    return File(name, ZIP, _zip(members))


def invitation(
    title: str,
    *,
    start: datetime,
    hours: float,
    place: str,
    organiser: Person,
    guests: Sequence[Person],
    method: str = "REQUEST",
    sequence: int = 0,
) -> str:
    """A calendar entry (RFC 5545) as scheduling programs send it (RFC 5546)."""
    end = start + timedelta(hours=hours)
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Demo//Harbour calendar//EN",
        f"METHOD:{method}",
        "BEGIN:VEVENT",
        f"UID:{digest(title)}@calendar.example",
        f"SEQUENCE:{sequence}",
        f"DTSTAMP:{_utc(start - timedelta(days=9))}",
        f"DTSTART:{_utc(start)}",
        f"DTEND:{_utc(end)}",
        f"SUMMARY:{_escape(title)}",
        f"LOCATION:{_escape(place)}",
        f"ORGANIZER;CN={organiser.name}:mailto:{organiser.email}",
        *(f"ATTENDEE;CN={guest.name};PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:{guest.email}" for guest in guests),
        f"STATUS:{'CANCELLED' if method == 'CANCEL' else 'CONFIRMED'}",
        "BEGIN:VALARM",
        "ACTION:DISPLAY",
        "TRIGGER:-PT15M",
        f"DESCRIPTION:{_escape(title)}",
        "END:VALARM",
        "END:VEVENT",
        "END:VCALENDAR",
    ]
    return "\r\n".join(_fold(line) for line in lines) + "\r\n"


def card(name: str, person: Person, phone: str, note: str = "") -> File:
    """A business card (vCard 4, RFC 6350)."""
    family = person.name.split()[-1]
    lines = [
        "BEGIN:VCARD",
        "VERSION:4.0",
        f"FN:{person.name}",
        f"N:{family};{person.name.split()[0]};;;",
        f"EMAIL;TYPE=work:{person.email}",
        f"TEL;TYPE=cell:{phone}",
        f"NOTE:{_escape(note)}",
        "END:VCARD",
    ]
    return File(name, "text/vcard", ("\r\n".join(lines) + "\r\n").encode())


def _pdf_text(line: str) -> str:
    safe = line.encode("cp1252", "replace").decode("latin-1")
    return safe.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")


def _cell(value: str | float) -> str:
    if isinstance(value, str):
        return f'<c t="inlineStr"><is><t>{escape(value)}</t></is></c>'
    return f"<c><v>{value}</v></c>"


def _office(parts: dict[str, tuple[str, str]], main: str, relations: dict[str, str]) -> bytes:
    types = "".join(f'<Override PartName="/{path}" ContentType="{kind}"/>' for path, (_, kind) in parts.items())
    content = (
        f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels"'
        f' ContentType="application/vnd.openxmlformats-package.relationships+xml"/>{types}</Types>'
    )
    files = {"[Content_Types].xml": content, "_rels/.rels": _relation("officeDocument", main), **relations}
    files |= {path: text for path, (text, _) in parts.items()}
    head = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
    return _zip({path: (head + text).encode() for path, text in files.items()})


def _relation(kind: str, target: str) -> str:
    return (
        f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1"'
        f' Type="{_OFFICE}/relationships/{kind}" Target="{target}"/></Relationships>'
    )


def _zip(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as box:
        for path, data in members.items():
            # A fixed date: the same demo gives the same bytes.
            box.writestr(zipfile.ZipInfo(path, (2020, 1, 1, 0, 0, 0)), data, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def _utc(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,").replace("\n", "\\n")


def _fold(line: str) -> str:
    """Lines of at most 75 octets (RFC 5545 §3.1)."""
    data = line.encode()
    pieces: list[str] = []
    while len(data) > 75:
        cut = 75 if not pieces else 74
        while data[cut] & 0xC0 == 0x80:
            cut -= 1
        pieces.append(data[:cut].decode())
        data = data[cut:]
    return "\r\n ".join([*pieces, data.decode()])
