"""Received HTML made safe to show in the message frame.

The one law of this room: `nh3` is the last to touch a message's HTML. Whatever has to change (Content-IDs, remote
images, style) changes before it or in the callbacks of that single pass, and nothing edits its output.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .plain import text_to_html

__all__ = ["Washed", "document", "html_to_text", "text_to_html", "wash"]


@dataclass(frozen=True, slots=True)
class Washed:
    """HTML that may be shown.

    Args:
        html: the washed fragment. css: the washed text of its style blocks, without any "<".
        remote: http(s) URLs of images and backgrounds that were left out, each once, in order.
        used: Content-IDs that were resolved, so that the others can be listed as attachments.
        cut: whether something was left out because it was too long or too deep.
    """

    html: str
    remote: tuple[str, ...] = ()
    cut: bool = False
    css: str = ""
    used: tuple[str, ...] = ()


def wash(html: str, *, images: Mapping[str, str]) -> Washed:
    """Wash a message's HTML. `images` maps Content-ID (without brackets) to a URL path of ours."""
    raise NotImplementedError


def document(washed: Washed, *, dark: bool = False) -> str:
    """The complete HTML document of the message frame."""
    raise NotImplementedError


def html_to_text(html: str) -> str:
    """The text of an HTML message, for previews: bounded and cheap."""
    raise NotImplementedError
