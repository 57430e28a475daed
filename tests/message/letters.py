"""Messages with one thing each to look at."""

from __future__ import annotations

from email.message import EmailMessage
from email.policy import SMTP

PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d4944415478da63fccfc0f01f0005050202"
    "5f8fc5df0000000049454e44ae426082"
)


def letter(subject: str = "Budget for Q3") -> EmailMessage:
    """From bob to alice and carol, without a body."""
    message = EmailMessage(policy=SMTP)
    message["From"] = "Bob Novak <bob@demo.test>"
    message["To"] = "Alice <alice@demo.test>"
    message["Cc"] = "Carol <carol@demo.test>"
    message["Subject"] = subject
    message["Date"] = "Tue, 03 Mar 2026 14:02:00 +0100"
    message["Message-ID"] = f"<{abs(hash(subject))}@demo.test>"
    return message


def plain(subject: str = "Budget for Q3") -> bytes:
    """One part of plain text."""
    message = letter(subject)
    message.set_content("I went through the numbers.\n\nSee https://studio.example/q3 for the sheet.\n")
    return bytes(message)


def newsletter() -> bytes:
    """HTML with an inline image, a remote one, and a script that must not be there when it is read."""
    message = letter("Bread for beginners")
    message.set_content("Dear Alice, bread.\n")
    message.add_alternative(
        "<h1>Bread</h1><script>document.title='run'</script><img src=cid:loaf alt=Loaf>"
        "<img src=https://tracker.example/a.gif onerror=alert(1)><p style='color: teal'>Dear Alice</p>",
        subtype="html",
    )
    message.get_payload()[1].add_related(PIXEL, "image", "png", cid="<loaf>", filename="loaf.png")
    return bytes(message)


def with_attachments(data: bytes = b"%PDF-1.4 plan") -> bytes:
    """Plain text and two attachments, one with a name that wants to leave its folder."""
    message = letter("Plans")
    message.set_content("Two files.\n")
    message.add_attachment(data, "application", "pdf", filename="plán nábřeží.pdf")
    message.add_attachment("<script>alert(1)</script>", subtype="html", filename="../../evil.html")
    return bytes(message)
