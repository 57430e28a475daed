"""An HTML mail as plain text for somebody to read: its words in order, quotes, lists and links kept, looks left out.

One pass over what `tidy` wrote, in linear time. Links are numbered and their targets listed at the end, so that the
text reads as text (of the few lines of a signature, beside their words); what hides from view in HTML stays hidden.
"""

from __future__ import annotations

import html as entities
import re

from . import links
from .charsets import clean_text
from .elements import words
from .tidy import tidy
from .words import one_line

MAX_CHARACTERS = 512 * 1024  # of text that comes out
MAX_LINKS = 200  # listed at the end
MAX_QUOTES = 8

_PIECE = re.compile(r"<(/?)([a-z0-9]+)([^>]*)>|([^<]+)")
_SPACES = re.compile(r"[ \t\r\n\f\xa0]+")
_HIDDEN = re.compile(r"(?:display\s*:\s*none|visibility\s*:\s*hidden|mso-hide\s*:\s*all)", re.IGNORECASE)
_STYLE = re.compile(r"""\bstyle\s*=\s*(?:"([^"]*)"|'([^']*)')""", re.IGNORECASE)
_ALT = re.compile(r"""\balt\s*=\s*(?:"([^"]*)"|'([^']*)')""", re.IGNORECASE)
_VOID = words("br col hr img wbr")
_APART = words("p h1 h2 h3 h4 h5 h6 ul ol dl pre table blockquote")  # an empty line around them
_BLOCKS = words(
    "address article aside caption center details dd dir div dt figcaption figure footer header li main menu nav "
    "section summary tbody td tfoot th thead tr"
)
_LISTS = words("ul ol dir menu")
_CELLS = words("td th")
_RULE = "—" * 20


def readable(html: str, *, has_targets_beside: bool = False) -> str:
    """The text of an HTML message. Never raises; of more than 1 MiB of HTML or 512 KiB of text the beginning.

    Args:
        has_targets_beside: where a link goes stands behind its words, instead of a number.
    """
    writer = _Writer(has_targets_beside)
    hidden = 0  # open elements inside one that hides
    for close, name, attributes, text in _PIECE.findall(tidy(clean_text(html), folding=False).html):
        if hidden:
            if name and name not in _VOID:
                hidden += -1 if close else 1
        elif text:
            writer.text(entities.unescape(text))
        elif not close and name not in _VOID and _hides(attributes):
            hidden = 1
        elif close:
            writer.end(name)
        else:
            writer.start(name, attributes)
        if writer.length > MAX_CHARACTERS:
            break
    return writer.finished()


class _Writer:
    """Collects lines; knows the quotes, lists and links it is in."""

    def __init__(self, has_targets_beside: bool) -> None:
        self.length = 0
        self._has_targets_beside = has_targets_beside
        self._lines: list[str] = []
        self._line: list[str] = []
        self._quotes = 0
        self._pre = 0
        self._lists: list[int] = []  # the next number, or -1 for bullets
        self._mark = ""
        self._links: list[tuple[str, int]] = []  # the target, and where in the line its words begin
        self._targets: dict[str, int] = {}

    def text(self, text: str) -> None:
        """Write words; outside of `<pre>` white space is one blank."""
        if self._pre:
            first, *rest = text.replace("\r", "").split("\n")
            self._line.append(first)
            for line in rest:
                self._break()
                self._line.append(line)
            return
        text = _SPACES.sub(" ", text)
        if not self._line or self._line[-1].endswith(" "):
            text = text.lstrip(" ")
        if text:
            self._line.append(text)

    def start(self, name: str, attributes: str) -> None:
        """Begin an element."""
        if name == "br":
            self._break(keep=True)
        elif name == "hr":
            self._apart()
            self._line.append(_RULE)
            self._apart()
        elif name == "img":
            alt = _ALT.search(attributes)
            words = entities.unescape(alt[1] or alt[2] or "") if alt else ""
            self.text(f" {words} " if words.strip() else "")
        elif name == "a":
            self._links.append((links.target_of(attributes), len(self._line)))
        elif name in _CELLS:
            if any(piece.strip() for piece in self._line):
                self._line.append("  ")
        elif name in _LISTS and self._lists:
            self._break()
        elif name in _APART:
            self._apart()
        elif name in _BLOCKS:
            self._break()
        if name in _LISTS:
            self._lists.append(1 if name == "ol" else -1)
        elif name == "li":
            self._begin_item()
        elif name == "blockquote":
            self._quotes += 1
        elif name == "pre":
            self._pre += 1

    def end(self, name: str) -> None:
        """End an element."""
        if name == "a" and self._links:
            self._end_link(*self._links.pop())
        elif name == "blockquote":
            self._end_quote()
        elif name in _LISTS:
            self._break()
            self._lists = self._lists[:-1]
            if not self._lists:
                self._apart()
        elif name in _APART:
            self._apart()
            self._pre -= name == "pre"
        elif name in _BLOCKS and name not in _CELLS:
            self._break()

    def finished(self) -> str:
        """All of it, with the list of links."""
        self._break()
        if self._targets:
            self._apart()
            self._lines += [_RULE, *(f"[{number}] {target}" for target, number in self._targets.items())]
        return "\n".join(self._lines).strip("\n")

    def _end_quote(self) -> None:
        self._break()
        if self._lines and not self._lines[-1].strip(">"):
            self._lines.pop()
        self._quotes -= 1
        self._apart()

    def _begin_item(self) -> None:
        depth = max(0, len(self._lists) - 1)
        number = self._lists[-1] if self._lists else -1
        if number > 0:
            self._lists[-1] += 1
        self._mark = "  " * min(depth, 8) + (f"{number}. " if number > 0 else "• ")

    def _end_link(self, target: str, start: int) -> None:
        """Write the number of a link, or where it goes, behind its words, wherever a block within it ended the line."""
        label = one_line("".join(self._line[max(0, start) :]))
        over = not label and start < 0 and bool(self._lines)
        if not target or not (label or over):
            return
        fact = links.misleads(label, target)
        place = target[7:].partition("?")[0] if target.startswith("mailto:") else target
        said = ""
        if self._has_targets_beside:
            said = "" if _is_place(label, place) else f" <{place}>"
        elif not _is_place(label, place) and (place in self._targets or len(self._targets) < MAX_LINKS):
            said = f" [{self._targets.setdefault(place, len(self._targets) + 1)}]"
        said += f" ({fact})" if fact else ""
        if over:
            last = max((place for place, line in enumerate(self._lines) if line.strip("> ")), default=-1)
            self._lines[last] += said
        else:
            self._line.append(said)

    def _break(self, *, keep: bool = False) -> None:
        """End the line; an empty one is written only where it is meant (`keep`)."""
        line = "".join(self._line) if self._pre else "".join(self._line).strip(" ")
        self._line = []
        if self._links and line:
            self._links = [(target, -1) for target, _start in self._links]
        if not line and not keep and not self._pre:
            return
        quotes = ">" * min(self._quotes, MAX_QUOTES)
        mark, self._mark = (self._mark, "") if line else ("", self._mark)
        written = f"{quotes} {mark}{line}".rstrip() if quotes else _stuffed(f"{mark}{line}")
        if written or (self._lines and self._lines[-1]):
            self._lines.append(written)
            self.length += len(written) + 1

    def _apart(self) -> None:
        """End the line, and leave an empty one below it."""
        self._break()
        empty = (">" * min(self._quotes, MAX_QUOTES)) if self._quotes else ""
        if self._lines and self._lines[-1].strip("> "):
            self._lines.append(empty)


def _stuffed(line: str) -> str:
    """A line of the mail's own that begins like a quote is set off from the edge."""
    return f" {line}" if line.startswith(">") else line


def _is_place(label: str, place: str) -> bool:
    """Whether a link's words are its target, in a form that becomes a link in plain text too."""
    return ("://" in label or "@" in label) and _bare(label) == _bare(place)


def _bare(address: str) -> str:
    return address.partition("://")[2].removeprefix("www.").rstrip("/") if "://" in address else address


def _hides(attributes: str) -> bool:
    style = _STYLE.search(attributes)
    return style is not None and _HIDDEN.search(style[1] or style[2] or "") is not None
