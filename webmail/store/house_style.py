"""What an administrator puts under the mail of a provider's people: a signature for all of them, and a footer.

The signature stands in for everybody's own where a draft begins, and may be edited like any text; the footer is put
below what is sent, whatever anybody typed. `{name}` and `{address}` in them are the sender's.
"""

from __future__ import annotations

from html import escape

from webmail.models import Provider
from webmail.protocol import written
from webmail.protocol.readable import readable

NAME, ADDRESS = "{name}", "{address}"


def signature_of(provider: Provider, name: str, address: str) -> tuple[str, str]:
    """The signature that everybody has, as text and as HTML; "" twice where everybody has their own."""
    return _both(provider.signature, provider.signature_html, name, address)


def footer_of(provider: Provider, name: str, address: str) -> tuple[str, str]:
    """What stands below every message, as text and as HTML; "" twice for nothing."""
    return _both(provider.footer, provider.footer_html, name, address)


def below(provider: Provider, name: str, address: str, *, text: str, html: str) -> tuple[str, str]:
    """A message's text and its clean HTML ("" for none) with the footer below, which stands there once."""
    footer, footer_html = footer_of(provider, name, address)
    if not footer:
        return text, html
    text, html = above(provider, name, address, text=text, html=html)
    return (text, html + footer_html) if html else (f"{text.rstrip()}\n\n{footer}", html)


def above(provider: Provider, name: str, address: str, *, text: str, html: str) -> tuple[str, str]:
    """Likewise without the footer: what was sent is edited and sent anew."""
    footer, footer_html = footer_of(provider, name, address)
    if footer:
        for each in (footer, readable(footer_html).strip()):
            if f"\n{text.rstrip()}".endswith(f"\n{each}"):
                text = text.rstrip().removesuffix(each).rstrip()
        html = html.rstrip().removesuffix(written.clean(footer_html))
    return text, html


def _both(text: str, html: str, name: str, address: str) -> tuple[str, str]:
    """Each form, made from the other where that is all there is. The HTML was cleaned when it was saved."""
    text, html = text.strip(), html.strip()
    if not text and html:
        text = readable(html).strip()
    elif text and not html:
        html = "<p>{}</p>".format("<br>".join(escape(line, quote=False) for line in text.splitlines()))
    return (
        text.replace(NAME, name or address).replace(ADDRESS, address),
        html.replace(NAME, escape(name or address)).replace(ADDRESS, escape(address)),
    )
