"""The signature, put where a person wants it: at the foot of what they write, above the quote or below it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from webmail.protocol.quoting_out import attribution, quoted_html
from webmail.protocol.signing_off import as_formatted

from .drafts import Values
from .identities import Sender

# An answer, to show a signature in.
_ASKED_BY, _ASKED, _ANSWERED = attribution("Bob Novak", ""), "When does the boat leave?", "At nine, from pier four."
# What is somebody else's: the line above a quote, or what is forwarded.
_QUOTE = re.compile(r"^(?:[^>\n][^\n]*\n>|-{5,} ?Forwarded message)", re.MULTILINE)


def signed(values: Values, sender: Sender, *, is_answer: bool = False) -> Values:
    """The beginning of a draft with the signature of `sender`, and with room above to write.

    Args:
        is_answer: what stands in `values` is a quote, or somebody else's message.
    """
    if values.is_html:
        return replace(values, html=_signed_html(values.html, sender, is_answer=is_answer))
    signature = sender.signature_text.strip()
    if not is_answer:
        return replace(values, text=f"{values.text}\n\n-- \n{signature}" if signature else values.text)
    if not signature:
        return replace(values, text=f"\n\n{values.text}")
    if sender.is_below:  # RFC 3676 §4.3: a signature is what follows "-- "
        return replace(values, text=f"\n\n{values.text.rstrip()}\n\n-- \n{signature}")
    return replace(values, text=f"\n\n{signature}\n\n{values.text}")


def signed_anew(text: str, sender: Sender, others: Iterable[Sender]) -> str:
    """A plain text that goes out as another sender now (with scripts `signature.js` does that).

    Args:
        others: whose signature may stand in it; that of `sender` takes its place. What somebody changed stays.
    """
    signature = sender.signature_text.strip()
    known = {each.signature_text.strip() for each in others} - {""}
    for before in sorted(known, key=len, reverse=True):
        for mark in ("-- \n", ""):
            start = f"\n{text}\n".rfind(f"\n{mark}{before}\n")
            if start >= 0:
                start += len(mark)
                text = text[:start] + signature + text[start + len(before) :]
                return text if signature else re.sub(r"\n+-- \n+$", "", text)
    if not signature or "\n-- \n" in f"\n{text}":
        return text
    quote = _QUOTE.search(text)
    if quote is None:
        return f"{text}\n\n-- \n{signature}"
    return f"{text[: quote.start()]}{signature}\n\n{text[quote.start() :]}"


def example(sender: Sender) -> tuple[str, str]:
    """How an answer of `sender` looks, as text and as HTML."""
    text = signed(Values(text=f"{_ASKED_BY}\n> {_ASKED}"), sender, is_answer=True).text
    quote = Values(is_html=True, html=quoted_html(f"<div>{_ASKED}</div>", _ASKED_BY))
    return f"{_ANSWERED}{text}", f"<div>{_ANSWERED}</div>{signed(quote, sender, is_answer=True).html}"


def _signed_html(html: str, sender: Sender, *, is_answer: bool) -> str:
    signature = as_html(sender)
    block = f"<div>{signature}</div>" if signature.strip() else ""
    if not is_answer:
        return f"{html or '<div><br></div>'}{'<div><br></div>' * bool(block)}{block}"
    if sender.is_below:
        return f"<div><br></div><div><br></div>{html}{'<div><br></div>' * bool(block)}{block}"
    return f"<div><br></div>{block}<div><br></div>{html}"


def as_html(sender: Sender) -> str:
    """The signature for a message with formatting."""
    return sender.signature_html or as_formatted(sender.signature_text)
