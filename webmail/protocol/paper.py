"""The document around a washed message: what it may take for granted where it says nothing, and the paper it is on.

The law of this room: what was washed is put in as it is. Mail that was designed (with tables or style blocks) gets what
a browser gives, for that is what its author saw; a letter gets the type and the margins of our own pages.
"""

from __future__ import annotations

import re

from .washed import Washed

_OWN_DARK = re.compile(r"\(\s*prefers-color-scheme\s*:\s*(dark|light)\s*\)", re.IGNORECASE)
_BODY_GROUND = re.compile(r"(?:^|[\s,}>])body\b[^{}]*\{[^}]*background", re.IGNORECASE)
_ALWAYS, _NEVER = "(min-width:0)", "(max-width:0)"


def document(washed: Washed, *, theme: str = "light") -> str:
    """The complete HTML document of the message frame.

    Args:
        washed: from `html.wash`.
        theme: the page's: "light", "dark", or "system" for that of the device. Mail that brings no colours of its own
            follows it, and so does mail that was designed for both; other mail keeps its white paper, for which it
            was made, unless it was darkened.
    """
    follows = washed.for_both or not washed.coloured
    paper: str = "dark" if washed.darkened else theme if follows else "light"
    # A doctype without its address is for browsers the mode of nearly all mail: standards, but for the height of lines.
    doctype = "<!doctype html>" if washed.standards else _TRANSITIONAL
    style = _BASE + ("" if washed.designed else _LETTER) + _PAPER[paper]
    if washed.quirks and washed.designed:
        style += _QUIRKS
    if not washed.coloured or washed.darkened:
        style += _INK[paper]
        if "background" in washed.body or "bgcolor" in washed.body or _BODY_GROUND.search(washed.css):
            style += _OWN_GROUND
    return (
        f'{doctype}\n<html><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="referrer" content="no-referrer"><title>Message</title>\n'
        f"<style>\n{style}{_on_paper(washed, paper)}\n</style></head>\n"
        f"<body{washed.body}>{washed.html}</body></html>\n"
    )


def _on_paper(washed: Washed, paper: str) -> str:
    """The mail's own CSS, what it says for dark screens only where the paper is dark."""
    if "prefers" not in washed.css or (paper == "system" and washed.for_both):
        return washed.css
    scheme = paper if washed.for_both and not washed.darkened else "light"
    return _OWN_DARK.sub(lambda asked: _ALWAYS if asked[1].lower() == scheme else _NEVER, washed.css)


_TRANSITIONAL = '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN">'

# Layered, so that every rule the mail brings wins over these; what it may not change is important, which turns that.
_BASE = """@layer base {
  :root { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; overflow-wrap: break-word;
    font-family: system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; }
  img:not(td img, th img) { max-width: 100%; object-fit: contain; }
  img:not([src]) { border: 1px dashed color-mix(in srgb, currentColor 25%, transparent); border-radius: 4px;
    box-sizing: border-box; font-size: 12px; color: color-mix(in srgb, currentColor 60%, transparent); }
  img:not([src])[width="1"], img:not([src])[height="1"], img:not([src])[width="0"] { display: none; }
  pre { white-space: pre-wrap; }
  .quoted > summary { display: block; inline-size: fit-content; margin-block: 12px; padding: 2px 10px;
    border-radius: 99px; background: color-mix(in srgb, currentColor 9%, transparent); cursor: pointer;
    font: 13px/1.5 system-ui, sans-serif; }
  @media (pointer: coarse) { .quoted > summary { padding-block: 12px; } }
}
"""
_LETTER = """@layer base {
  :root { font-size: 15px; line-height: 1.5; }
  body { margin: 16px; }
  blockquote { margin: 0.75em 0; padding-inline-start: 1em;
    border-inline-start: 2px solid color-mix(in srgb, currentColor 20%, transparent); }
}
"""
# What tables don't take from around them in a document without a doctype (HTML Standard §15.3.8).
_QUIRKS = """@layer base {
  table { font-size: medium; font-weight: normal; font-style: normal; font-variant: normal; line-height: normal;
    white-space: normal; text-align: start; }
}
"""
# A body's own ground covers the whole canvas only where the root has none.
_OWN_GROUND = "@layer base { :root { background: none; } }\n"
_PAPER: dict[str, str] = {
    "light": "@layer base { :root { color-scheme: light !important; } }\n",
    "dark": "@layer base { :root { color-scheme: dark !important; } }\n",
    "system": "@layer base { :root { color-scheme: light dark !important; } }\n",
}
_INK: dict[str, str] = {
    "light": "@layer base { :root { background: #fff; color: #1c2026; } a { color: #1a56c4; } }\n",
    "dark": "@layer base { :root { background: oklch(0.218 0.013 262); color: #e3e6eb; } a { color: #86b4ff; } }\n",
    "system": (
        "@layer base { :root { background: light-dark(#fff, oklch(0.218 0.013 262)); "
        "color: light-dark(#1c2026, #e3e6eb); } a { color: light-dark(#1a56c4, #86b4ff); } }\n"
    ),
}
