"""Mail for the benchmarks: deterministic, and filed in bulk over plain IMAP."""

from __future__ import annotations

import base64
import email.utils
import random
import re
import socket
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

NEWEST = 1_795_132_800  # 20 November 2026
APART = 1500  # seconds between two messages
BATCH = 500  # messages in one MULTIAPPEND

WORDS = (
    *("harbour", "quay", "lantern", "ledger", "ferry", "winter", "orchard", "copper", "letter", "garden", "meadow"),
    *(
        "bridge",
        "station",
        "museum",
        "theatre",
        "paper",
        "morning",
        "evening",
        "harvest",
        "violin",
        "kitchen",
        "window",
    ),
    *("signal", "compass", "market", "village", "mountain", "river", "island", "engine", "answer", "number", "season"),
    *(
        "meeting",
        "budget",
        "drawing",
        "timber",
        "anchor",
        "weather",
        "journey",
        "reading",
        "teacher",
        "council",
        "plan",
    ),
)
NAMES = ("Ada Berg", "Bruno Costa", "Clara Dahl", "Dmitri Ek", "Elena Fox", "Felix Grau", "Greta Hall", "Hugo Ilves")


@dataclass(frozen=True, slots=True)
class Mail:
    """One message: its bytes, its INTERNALDATE in seconds since 1970, and whether it was read."""

    raw: bytes
    date: int
    seen: bool


def letters(count: int, *, seed: int = 7) -> Iterator[Mail]:
    """Yield `count` messages, oldest first: two plain for each with an HTML alternative, as headers differ in life."""
    rng = random.Random(seed)
    for number in range(count):
        date = NEWEST - (count - number) * APART
        text = f"Hello Alice, this is letter {number}.\r\n\r\n{words(rng, 60)}\r\n"
        content = (
            f"Content-Type: text/plain; charset=utf-8\r\n\r\n{text}"
            if number % 3
            else (
                'Content-Type: multipart/alternative; boundary="=_b"\r\n\r\n--=_b\r\n'
                f"Content-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n--=_b\r\n"
                f"Content-Type: text/html; charset=utf-8\r\n\r\n<p>{text}</p>\r\n--=_b--\r\n"
            )
        )
        yield Mail(_header(rng, number, date) + content.encode(), date, rng.random() > 0.3)


def newsletter(size: int, *, seed: int) -> str:
    """Return an HTML newsletter of about `size` characters: a style block, tables, inline styles, tracked links."""
    rng = random.Random(seed)
    rules = "".join(f".c{n}{{font-size:{10 + n % 9}px;color:#{n * 4321:06x};padding:{n}px}}\n" for n in range(24))
    pieces = [f"<html><head><title>News</title><style>{rules}</style></head><body><table width='100%'>"]
    length = len(pieces[0])
    while length < size:
        code = rng.getrandbits(64)
        pieces.append(
            f'<tr class="c{rng.randrange(24)}"><td width="200" valign="top" style="padding:12px">'
            f'<a href="https://news.example/c/{code:016x}?campaign=w&amp;n=1">'
            f'<img src="https://img.example/{code:016x}.png" width="180" height="120" alt="{rng.choice(WORDS)}"'
            ' style="display:block;border:0"></a></td><td style="padding:12px;font-size:14px;line-height:20px">'
            f'<h2 style="margin:0 0 8px">{words(rng, 5)}</h2><p>{words(rng, 45)}.</p></td></tr>\n'
        )
        length += len(pieces[-1])
    return "".join([*pieces, "</table></body></html>"])


def html_letter(html: str, number: int) -> Mail:
    """Return a message whose only part is `html`."""
    header = _header(random.Random(number), number, NEWEST + number)
    encoded = base64.encodebytes(html.encode()).replace(b"\n", b"\r\n")
    content = b"Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n" + encoded
    return Mail(header + content, NEWEST + number, False)


def with_attachment(size: int) -> Mail:
    """Return a message with one attachment of `size` octets, part 2."""
    encoded = base64.encodebytes(random.Random(1).randbytes(size)).replace(b"\n", b"\r\n")
    content = (
        b'Content-Type: multipart/mixed; boundary="=_b"\r\n\r\n--=_b\r\nContent-Type: text/plain\r\n\r\nAttached.\r\n'
        b'--=_b\r\nContent-Type: application/octet-stream; name="data.bin"\r\n'
        b'Content-Disposition: attachment; filename="data.bin"\r\nContent-Transfer-Encoding: base64\r\n\r\n'
    )
    content += encoded + b"\r\n--=_b--\r\n"
    return Mail(_header(random.Random(2), 1, NEWEST) + content, NEWEST, True)


def words(rng: random.Random, count: int) -> str:
    """Return `count` words."""
    return " ".join(rng.choices(WORDS, k=count))


def file_mail(port: int, user: str, password: str, mailbox: str, mails: Iterable[Mail], *, batch: int = BATCH) -> int:
    """Make `mailbox` and file `mails` in it with MULTIAPPEND (RFC 3502) and non-synchronising literals (RFC 7888).

    Args:
        batch: messages in one command; few where they are large.

    Returns:
        How many there are then.
    """
    with socket.create_connection(("127.0.0.1", port), timeout=300) as client, client.makefile("rb") as answers:
        answers.readline()

        def command(*pieces: bytes) -> list[bytes]:
            client.sendall(b"t " + b"".join(pieces) + b"\r\n")
            lines = []
            while not (line := answers.readline()).startswith(b"t "):
                if not line:
                    raise ConnectionError("the mail server hung up")
                lines.append(line)
            if not line.startswith(b"t OK") and b"ALREADYEXISTS" not in line:
                raise RuntimeError(line.decode(errors="replace"))
            return lines

        name = f'"{mailbox}"'.encode()
        command(f'LOGIN "{user}" "{password}"'.encode())
        if mailbox != "INBOX":
            command(b"CREATE ", name)
        waiting: list[bytes] = []
        for mail in mails:
            when = re.sub(r"^\w+, ", "", email.utils.formatdate(mail.date)).replace(" ", "-", 2)
            flags = "\\Seen" if mail.seen else ""
            waiting.append(f' ({flags}) "{when}" {{{len(mail.raw)}+}}\r\n'.encode() + mail.raw)
            if len(waiting) == batch:
                command(b"APPEND ", name, *waiting)
                waiting.clear()
        if waiting:
            command(b"APPEND ", name, *waiting)
        found = re.search(rb"MESSAGES (\d+)", b"".join(command(b"STATUS ", name, b" (MESSAGES)")))
        command(b"LOGOUT")
    assert found is not None
    return int(found[1])


def file_large(port: int, user: str, password: str, mailbox: str, size: int, pieces: Iterable[bytes]) -> None:
    """Make `mailbox` and file one message in it, of which no more than a piece is ever held.

    Args:
        size: of all pieces together.
    """
    with socket.create_connection(("127.0.0.1", port), timeout=300) as client, client.makefile("rb") as answers:
        client.sendall(f't LOGIN "{user}" "{password}"\r\nt CREATE "{mailbox}"\r\n'.encode())
        client.sendall(f't APPEND "{mailbox}" {{{size}+}}\r\n'.encode())
        for piece in pieces:
            client.sendall(piece)
        client.sendall(b"\r\nl LOGOUT\r\n")
        said = answers.read()
    if said.count(b"t OK") != 3:
        raise RuntimeError(said[-500:].decode(errors="replace"))


def _header(rng: random.Random, number: int, date: int) -> bytes:
    name = rng.choice(NAMES)
    address = f"{name.split()[0].lower()}{rng.randrange(400)}@mail.example"
    subject = words(rng, rng.randrange(3, 9)).capitalize()
    reply = f"In-Reply-To: <{number - 1}.bench@mail.example>\r\n" if number % 4 else ""
    return (
        f"Received: from out.mail.example by mx.demo.test; {email.utils.formatdate(date)}\r\n"
        f"Message-ID: <{number}.bench@mail.example>\r\n{reply}Date: {email.utils.formatdate(date)}\r\n"
        f"From: {name} <{address}>\r\nTo: Alice <alice@demo.test>\r\nSubject: {subject}\r\nMIME-Version: 1.0\r\n"
    ).encode()
