"""`python -m tests.corpus_containers`: writes the mails of tests/corpus whose octets nobody can write by hand.

Signatures are made with keys that are thrown away, so each run writes other octets that say the same.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence

from tests import outlook, signing
from tests.odd_mail import CORPUS

_FERRY = "the ferry leaves at ten"
_UNKNOWN = "but the certificate is not from a known authority"
_PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d4944415478da63fccfc0f01f0005050202"
    "5f8fc5df0000000049454e44ae426082"
)


def main() -> None:
    """Write every pair of files."""
    _signed()
    _containers()


def _signed() -> None:
    ca = signing.authority()
    bob, carol = signing.identity(ca), signing.identity(ca, "carol@demo.test", "Carol")
    content = signing.entity()
    der = signing.signature(content, bob)
    detached = signing.signed_mail(content, der, key="smime-detached")
    _write("smime-detached", detached, page=["Signed by Bob Novak <bob@demo.test>", _UNKNOWN], files=["smime.p7s"])
    changed = detached.replace(b"at ten", b"at two")
    _write("smime-changed", changed, "leaves at two", ["the message was changed"], ["smime.p7s"])
    other = signing.signed_mail(content, signing.signature(content, carol), key="smime-by-somebody-else")
    _write(
        "smime-by-somebody-else", other, page=["Carol <carol@demo.test>, who is not the sender"], files=["smime.p7s"]
    )
    short = signing.identity(ca, days=30)
    expired = signing.signed_mail(content, signing.signature(content, short), key="smime-expired")
    _write("smime-expired", expired, page=["the certificate has expired"], files=["smime.p7s"])
    garbage = signing.signed_mail(content, b"\x30\x82\xff\xff" + der[9:60], key="smime-garbage")
    _write("smime-garbage", garbage, page=["the signature can't be read"], files=["smime.p7s"])
    bare = detached.replace(b"\r\n", b"\n")
    _write("smime-with-bare-line-feeds", bare, page=["Signed by Bob Novak"], files=["smime.p7s"])

    opaque = signing.enveloping(content, bob)
    mail = signing.opaque_mail(opaque, key="smime-with-its-content")
    _write("smime-with-its-content", mail, page=["Signed by Bob Novak", _UNKNOWN])
    silent = signing.opaque_mail(opaque, "", key="smime-that-does-not-say-so")
    _write("smime-that-does-not-say-so", silent, page=["Signed by Bob Novak"])
    rich = (
        b'Content-Type: multipart/mixed; boundary="i"\r\n\r\n--i\r\nContent-Type: text/html\r\n\r\n'
        b"<p>Hello Alice, the ferry leaves at ten.<script>pwn</script></p>\r\n--i\r\nContent-Type: application/pdf\r\n"
        b"Content-Disposition: attachment; filename=plan.pdf\r\n\r\n%PDF-1.4\r\n--i--\r\n"
    )
    mail = signing.opaque_mail(signing.enveloping(rich, bob), key="smime-with-html-and-a-file")
    _write("smime-with-html-and-a-file", mail, page=["Signed by Bob Novak"], files=["plan.pdf"])
    sealed = signing.opaque_mail(b"\x30\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03", "enveloped-data")
    _write("smime-encrypted", sealed, [], ["encrypted (S/MIME) and can't be opened here"], ["smime.p7m"])
    silent = signing.opaque_mail(b"\x30\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03", "")
    _write("smime-that-is-no-container", silent, [], ["can't be opened here"], ["smime.p7m"])
    listed = (
        signing.head(key="smime-under-a-footer").encode()
        + b'Content-Type: multipart/mixed; boundary="l"\r\n\r\n--l\r\n'
        + detached[detached.index(b"Content-Type: multipart/signed") :]
        + b"\r\n--l\r\nContent-Type: text/plain\r\n\r\nFooter of the list\r\n--l--\r\n"
    )
    _write("smime-under-a-footer", listed, [_FERRY, "Footer of the list"],
           ["Only a part of this message is signed. Signed by Bob Novak"], ["smime.p7s"])  # fmt: skip
    framed = (
        signing.head(key="smime-below-other-words").encode()
        + b'Content-Type: multipart/mixed; boundary="l"\r\n\r\n--l\r\nContent-Type: text/plain\r\n\r\n'
        + b"Pay to this account instead.\r\n--l\r\n"
        + mail[mail.index(b"Content-Type: application/pkcs7-mime") :]
        + b"\r\n--l--\r\n"
    )
    _write("smime-below-other-words", framed, "Pay to this account", ["Only a part of this message is signed."],
           ["plan.pdf"])  # fmt: skip


def _containers() -> None:
    files = [
        outlook.file("PLAN~1.PDF", b"%PDF-1.4 plan", long_name="plán nábřeží.pdf"),
        outlook.file("notes.txt", b"notes"),
    ]
    _tnef("tnef-with-files", outlook.tnef(*files), files=["plán nábřeží.pdf", "notes.txt"])
    html = f"<p>Hello Alice, {_FERRY}.<script>pwn</script><img src=cid:logo@x></p>"
    picture = outlook.file("logo.png", _PIXEL, content_id="logo@x")
    _tnef("tnef-with-the-text", outlook.tnef(outlook.html_body(html), *files, picture), text="",
          files=["plán nábřeží.pdf", "notes.txt"])  # fmt: skip
    _tnef("tnef-cut-off", outlook.tnef(*files)[:-4], files=["plán nábřeží.pdf", "notes.txt"])
    rtf = b"{\\rtf1 the ferry leaves at ten}"
    packed = (len(rtf) + 12).to_bytes(4, "little") + len(rtf).to_bytes(4, "little") + b"MELA" + bytes(4) + rtf
    _tnef("tnef-with-rtf", outlook.tnef(outlook.rtf_body(packed)), files=["message.rtf"])
    inner = outlook.tnef(outlook.item("body", b"inner text\0"), outlook.file("inner.txt", b"x"))
    _tnef("tnef-with-an-item-inside", outlook.tnef(outlook.embedded("Meeting", inner)), messages=["Meeting.dat"])
    _tnef("tnef-called-a-file", outlook.tnef(*files), kind="application/octet-stream",
          files=["plán nábřeží.pdf", "notes.txt"])  # fmt: skip
    hostile = outlook.tnef(
        outlook.file("..\\..\\evil.exe", b"MZ"), outlook.file("x", b"y", long_name="a\u202egnp.exe/../b\r\nc.html")
    )
    _tnef("tnef-with-hostile-names", hostile, files=["evil.exe", "b c.html"])
    _tnef("tnef-empty", outlook.tnef(), files=["winmail.dat"])


def _tnef(
    name: str,
    data: bytes,
    *,
    text: str = "Hello Alice,\r\nthe ferry leaves at ten.\r\n",
    kind: str = "application/ms-tnef",
    files: Sequence[str] = (),
    messages: Sequence[str] = (),
) -> None:
    lines = base64.encodebytes(data).replace(b"\n", b"\r\n")
    raw = signing.head(key=name).encode() + (
        b'Content-Type: multipart/mixed; boundary="b1"\r\n\r\n--b1\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n'
        + text.encode()
        + f'\r\n--b1\r\nContent-Type: {kind}; name="winmail.dat"\r\n'.encode()
        + b"Content-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename=winmail.dat\r\n\r\n"
        + lines
        + b"--b1--\r\n"
    )
    _write(name, raw, _FERRY, files=files, messages=messages)


def _write(
    name: str,
    raw: bytes,
    text: str | list[str] = _FERRY,
    page: Sequence[str] = (),
    files: Sequence[str] = (),
    messages: Sequence[str] = (),
) -> None:
    facts: dict[str, object] = {
        "subject": "A subject",
        "from": [["Bob Novak", "bob@demo.test"]],
        "to": [["", "alice@demo.test"]],
        "date": "2026-11-23T09:30:00+01:00",
        "text": text,
        **({"page": list(page)} if page else {}),
        "attachments": list(files),
        **({"messages": list(messages)} if messages else {}),
    }
    (CORPUS / f"{name}.eml").write_bytes(raw)
    (CORPUS / f"{name}.json").write_text(json.dumps(facts, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
