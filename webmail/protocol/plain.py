"""Plain text as safe HTML for the page itself: lines kept, links made, quotes and signatures set apart.

Everything is escaped before it becomes markup. Links are made by Bleach on escaped text, line by line, which parses
and serialises it again; nothing edits its output.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator, MutableMapping, Sequence

from bleach.linkifier import Linker

from . import links
from .charsets import clean_text
from .folding import Block, Line, arrange
from .quoting import shortened

MAX_CHARACTERS = 1024 * 1024
MAX_LINKED = 20_000  # characters in which links are looked for: Bleach is slow

_MAYBE_LINK = re.compile(r"://|www\.|@|mailto:", re.IGNORECASE)
_MARKS = (">", "＞")
_MARK = re.compile("[>＞]")
_QUOTE = re.compile(r"(?:[>＞][ \t]?){1,100}")
# Only what is written as an address becomes a link (Bleach's own expression also takes "README.md" for one, and knows
# no top-level domain younger than itself). Both take linear time.
# They run on escaped text, where "&" begins a reference: "&amp;" may be part of an address, "&gt;" ends it.
_NO_URL = r"""\s<>"{}|\\^`&"""
_URL = re.compile(
    rf"""(?<![@.\w/-])(?:https?://|www\.)(?:[^{_NO_URL}]|&amp;){{0,2000}}(?:[^{_NO_URL}!?:;'*_]|&amp;)""", re.IGNORECASE
)
_EMAIL = re.compile(
    r"""(?:(?<=mailto:)|(?<![\w.!#$%'*+/=?^`{|}~@:-]))[\w.!#$%'*+=^`{|}~-]{1,64}+@(?:[a-z0-9-]{1,63}+\.){1,8}[a-z][a-z0-9-]{1,62}""",
    re.IGNORECASE,
)

_Attributes = MutableMapping[tuple[str | None, str], str]


def text_to_html(text: str, *, flowed: bool = False, delsp: bool = False) -> str:
    """Safe HTML for a plain-text body. What comes back may be put into a page as it is.

    Runs of lines are `<div class="lines">` (style: `white-space: pre-wrap`), quotes nested `<blockquote class="quote">`
    with a `<div class="attribution">` before them, what `folding` folds is `<details class="quoted">`, a signature
    `<div class="signature">`, a list's footer `<div class="footer">`. Web and mail addresses in the first 20,000
    characters are links.

    Args:
        text: decoded; more than 1 MiB characters are cut off.
        flowed: the part says format=flowed (RFC 3676). delsp: it says delsp=yes.
    """
    return _Writer().blocks(arrange(lines_of(text, flowed=flowed, delsp=delsp)))


def lines_of(text: str, *, flowed: bool = False, delsp: bool = False) -> list[Line]:
    """The lines of a plain-text body without the marks of their quotes, those that go on joined; see `text_to_html`."""
    source = clean_text(text[:MAX_CHARACTERS]).replace("\r\n", "\n").replace("\r", "\n").rstrip("\n")
    lines = source.split("\n")
    return list(_flowed(lines, delsp=delsp) if flowed else _fixed(lines))


def picture(path: str, name: str) -> str:
    """A picture between plain texts. `path` is ours, `name` the sender's."""
    return f'<img class="picture" src="{html.escape(path)}" alt="{html.escape(clean_text(name))}" loading="lazy">'


def _fixed(lines: Sequence[str]) -> Iterator[Line]:
    for at, line in enumerate(lines):
        quote = _QUOTE.match(line) if line[:1] in _MARKS else None
        if quote is None:
            yield Line(0, line)
        elif line.startswith(">From ") and not any(
            near[:1] == ">" for near in (*lines[at - 1 : at], *lines[at + 1 : at + 2])
        ):
            yield Line(0, line[1:])  # a mailbox file's mark, not a quote
        else:
            yield Line(len(_MARK.findall(quote[0])), line[quote.end() :])


def _flowed(lines: Iterable[str], *, delsp: bool) -> Iterator[Line]:
    """RFC 3676 §4: lines that end in a space go on in the next one of the same depth; one space of stuffing goes."""
    depth, pieces = 0, list[str]()
    for line in lines:
        content = line.lstrip(">")
        level = len(line) - len(content)
        content = content.removeprefix(" ")
        if pieces and (level != depth or content == "-- "):
            yield Line(depth, "".join(pieces))
            pieces = []
        depth = level
        if content.endswith(" ") and content != "-- ":
            pieces.append(content[:-1] if delsp else content)
            continue
        pieces.append(content)
        yield Line(depth, "".join(pieces))
        pieces = []
    if pieces:
        yield Line(depth, "".join(pieces))


class _Writer:
    """Writes lines as HTML, making links until its budget is used up."""

    def __init__(self) -> None:
        self._left = MAX_LINKED
        # Not shared: Bleach's linker keeps its parser's state and is not safe between threads.
        self._linker = Linker(callbacks=[_in_new_window], parse_email=True, url_re=_URL, email_re=_EMAIL)

    def blocks(self, blocks: Iterable[Block]) -> str:
        """The blocks in order."""
        return "".join(map(self._block, blocks))

    def _block(self, block: Block) -> str:
        if block.kind == "quote":
            return self._quote(block)
        if block.kind == "code":
            code = html.escape("\n".join(block.lines), quote=False)
            return _details(block.label, f'<div class="lines">{code}</div>')
        return f'<div class="{block.kind}">{self._linked(block.lines)}</div>'

    def _quote(self, block: Block) -> str:
        introduction = [line for line in block.lines if line.strip()]
        # Folded, an attribution is the label; a header block says more than its label.
        shown = introduction if not block.is_folded or shortened(" ".join(introduction)) != block.label else []
        said = f'<div class="attribution">{self._linked(shown)}</div>' if shown else ""
        name = "quote forwarded" if block.is_forward else "quote"
        quote = f'<blockquote class="{name}">{self.blocks(block.blocks)}</blockquote>'
        return _details(block.label or "Quoted text", said + quote) if block.is_folded else said + quote

    def _linked(self, lines: list[str]) -> str:
        """Lines escaped, the addresses in them made links as far as the budget goes."""
        linked = 0
        while linked < len(lines) and len(lines[linked]) < self._left:
            self._left -= len(lines[linked]) + 1
            linked += 1
        done = html.escape("\n".join(lines[:linked]), quote=False)
        if _MAYBE_LINK.search(done):
            done = self._linker.linkify(done)
        rest = html.escape("\n".join(lines[linked:]), quote=False)
        return f"{done}\n{rest}" if 0 < linked < len(lines) else done + rest


def _details(label: str, inside: str) -> str:
    return f'<details class="quoted"><summary>{html.escape(label, quote=False)}</summary>{inside}</details>'


def _in_new_window(attributes: _Attributes, new: bool = False) -> _Attributes:
    attributes[(None, "rel")] = "noopener noreferrer nofollow"
    attributes[(None, "target")] = "_blank"
    # Its words are its address; where a browser reads that otherwise than a person does, the place is said.
    url, text = attributes.get((None, "href"), ""), attributes["_text"]  # type: ignore[index]  # Bleach's own key
    fact = links.misleads(text, url)
    if fact:
        attributes["_text"] = f"{text} ({fact})"  # type: ignore[index]
        attributes[(None, "title")] = links.title(url)
    return attributes
