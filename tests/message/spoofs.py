"""Senders who would like to be somebody else: 150 From fields, each with the domain that must be seen (T21)."""

from __future__ import annotations

import base64
from dataclasses import dataclass


@dataclass(frozen=True)
class Spoof:
    """The octets of a From field's value, and what of the real address must be visible wherever the mail is shown."""

    raw: bytes
    real: str


def _b(text: str | bytes, charset: str = "utf-8") -> bytes:
    data = text.encode(charset) if isinstance(text, str) else text
    return b"=?" + charset.encode() + b"?b?" + base64.b64encode(data) + b"?="


def _q(text: str) -> bytes:
    return b"=?utf-8?Q?" + b"".join(b"=%02X" % octet for octet in text.encode()) + b"?="


REAL = "mallory@evil.example"
FAKE = "bob@demo.test"
_ADDRESS = REAL.encode()

# Forms in which a name can hide or outdo the address behind it; %s is the fake one.
_NAMES = (
    "{}", "{} ", '"{}"', "<{}>", "{}\0", "\0{}", "{}\r\n", "{}\n\nX: y", "{}>", "{}, ", "{};", "({})", "'{}'",
    "{}\u202e", "\u202e{}", "\u2066{}\u2069", "\u200b{}", "{}\u200f", "{}\u2028", "{}\ufeff", "{}\u00ad", "{}\x7f",
    "{}\x1b[2K", "{}\x08\x08\x08", "{}\x85", "Bob {}", "Bob <{}>", "{} via list", "{}\t\t\t", "{}\u3164",
)  # fmt: skip
_FAKES = (FAKE, "bob＠demo.test", "Bob Novak", "bob@demo.test" + "\u00a0" * 200)

_HOMOGRAPHS = (
    ("bob@dеmo.test", "xn--"),
    ("id@аррӏе.com", "xn--80ak6aa92e.com"),
    ("id@xn--80ak6aa92e.com", "xn--80ak6aa92e.com"),
    ("pay@pаypal.com", "xn--"),
    ("pay@paypaı.com", "xn--"),
    ("a@gοogle.com", "xn--"),
    ("a@google.comノx.example", "xn--"),
    ("a@раура.com", "xn--80aa0cbo.com"),
    ("a@bücher.example", "bücher.example"),
    ("a@пример.рф", "пример.рф"),
)


def _all() -> list[Spoof]:
    found = []
    for fake in _FAKES:
        for form in _NAMES:
            name = form.format(fake)
            found.append(Spoof(_b(name) + b" <" + _ADDRESS + b">", REAL))
    for form in _NAMES[:10]:
        found.append(Spoof(_q(form.format(FAKE)) + b" <" + _ADDRESS + b">", REAL))
    # Mailsploit: the address itself from encoded words; they are no address and are shown as they stand.
    for inner in (FAKE + "\0", FAKE + "\n", FAKE, FAKE + "(", FAKE + '"', FAKE + "\0\n<", FAKE + "\u202e"):
        found.append(Spoof(_b(inner) + b"@evil.example", "@evil.example"))
        found.append(Spoof(_b(FAKE) + _q("\0") + _b(inner) + b"@evil.example", "@evil.example"))
    for address, real in _HOMOGRAPHS:
        found.append(Spoof(b"Apple <" + address.encode() + b">", real))
    found += [
        Spoof(f"{FAKE} <{REAL}>".encode(), REAL),
        Spoof(f'"{FAKE}" <{REAL}>'.encode(), REAL),
        Spoof(f'"{FAKE} <{FAKE}>" <{REAL}>'.encode(), REAL),
        Spoof(f"{FAKE} ({FAKE}) <{REAL}>".encode(), REAL),
        Spoof(f"{REAL} ({FAKE})".encode(), REAL),
        Spoof(b"A" * 5_000 + b" <" + _ADDRESS + b">", REAL),
        Spoof(_b("Bob " + "\u00a0" * 2_000) + b" <" + _ADDRESS + b">", REAL),
        Spoof(_b("<" + FAKE + ">" * 500) + b" <" + _ADDRESS + b">", REAL),
        Spoof(b"Bob <" + FAKE.encode() + b"." * 300 + b"@evil.example>", "@evil.example"),
        Spoof(b"Bob <" + FAKE.encode() + b"-" * 5_000 + b"@evil.example>", "@evil.example"),
        Spoof(b"\x00\x01\x02Bob\x7f <" + _ADDRESS + b">", REAL),
        Spoof("Bоb Nоvak".encode() + b" <" + _ADDRESS + b">", REAL),
        Spoof(b"Bob\xff\xfe <" + _ADDRESS + b">", REAL),
        Spoof(b"<" + _ADDRESS + b">", REAL),
    ]
    return found


SPOOFS = _all()
