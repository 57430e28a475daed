"""HTML that was washed: what may be shown, and what is to be said about it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Washed:
    """HTML that may be shown, in the frame only.

    Args:
        html: the washed fragment. css: the washed text of its style blocks, without any "<".
        body: the washed attributes of its body, " name="value"" each.
        remote: http(s) URLs of all its remote images and backgrounds, each once, in order; at most 1,000.
        used: Content-IDs (keys of `images`) that were put in, so that the other images can be listed as attachments.
        cut: whether something was left out because it was too long or too deep.
        misleading: a sentence for each link whose words say another place than where it goes; at most 20.
        coloured: whether it brings colours of its own, so that it wants the white paper they were chosen for.
        darkened: whether those were exchanged for colours on dark paper.
        for_both: whether it brings a design for dark screens too.
        designed: whether it has a layout of its own (style blocks, tables) rather than being a letter.
        standards, quirks: how its doctype asks a browser to lay it out; neither is the usual case.
    """

    html: str
    remote: tuple[str, ...] = ()
    cut: bool = False
    css: str = ""
    used: tuple[str, ...] = ()
    body: str = ""
    misleading: tuple[str, ...] = ()
    coloured: bool = False
    darkened: bool = False
    for_both: bool = False
    designed: bool = False
    standards: bool = False
    quirks: bool = False
