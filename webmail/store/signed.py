"""The signature, put where a person wants it: at the foot of what they write, above the quote or below it."""

from __future__ import annotations

import html as entities
from dataclasses import replace

from .drafts import Values
from .identities import Sender


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
    return sender.signature_html or entities.escape(sender.signature_text).replace("\n", "<br>")
