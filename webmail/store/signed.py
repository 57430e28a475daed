"""The signature, put where a person wants it: at the foot of what they write, above the quote or below it."""

from __future__ import annotations

from dataclasses import replace

from webmail.protocol.quoting_out import attribution, quoted_html
from webmail.protocol.signing_off import as_formatted

from .drafts import Values
from .identities import Sender

# An answer, to show a signature in.
_ASKED_BY, _ASKED, _ANSWERED = attribution("Bob Novak", ""), "When does the boat leave?", "At nine, from pier four."


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
