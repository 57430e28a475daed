"""Received HTML brought into bounds before it is washed: nesting, number of tags, unclosed formatting.

This is no sanitiser (`html.wash` is, with nh3, and it comes after). It exists because an HTML5 parser can be made to
work without end: nh3 takes seconds for 20,000 nested `<div>`, and unclosed `<font>` is opened again in every following
paragraph, which made 52 MB out of 40 kB. So the text is read tag by tag and written again well nested, with attributes
that end where they seem to end and without comments, scripts and foreign content: what comes out costs a parser linear
time. Style blocks are handed out, not written.
"""

from __future__ import annotations

import html as entities
import re
from collections import defaultdict
from dataclasses import dataclass, field

from . import quotes
from .odd_tags import MAX_ATTRIBUTES, odd_tag

MAX_CHARACTERS = 1024 * 1024
MAX_DEPTH = 500
MAX_TAGS = 100_000
MAX_REFERENCES = 200_000  # "&" in all: each makes the parser copy the text before it
_MAX_REFERENCES_IN_TAG = 1_000
_LONG_TAG = 2_000  # characters of attributes from which on they are counted
_MAX_REOPENED = 5  # formatting carried over into the next block, as HTML5 §13.2.4.3 does without bound


def words(text: str) -> frozenset[str]:
    """The words of a text, as the sets of names below are written."""
    return frozenset(text.split())


TAGS = words(
    "a abbr acronym address article aside b bdi bdo big blockquote br caption center cite code col colgroup dd del "
    "details dfn dir div dl dt em figcaption figure font footer h1 h2 h3 h4 h5 h6 header hr i img ins kbd li main mark "
    "menu nav ol p pre q rp rt ruby s samp section small span strike strong sub summary sup table tbody td tfoot th "
    "thead time tr tt u ul var wbr"
)
_VOID = frozenset(("br", "col", "hr", "img", "wbr"))
_FORMATTING = words("b big code em font i s small strike strong tt u")
_CLOSES_P = words(
    "address article aside blockquote center details dir div dl figcaption figure footer h1 h2 h3 h4 h5 h6 header hr "
    "main menu nav ol p pre section summary table ul"
)
# Elements that an open one of their kind gives way to, and where looking for it stops.
_P = words("p")
_NOTHING = words("")
_GIVES_WAY: dict[str, tuple[frozenset[str], frozenset[str]]] = {
    "li": (frozenset(("li",)), frozenset(("ul", "ol", "dir", "menu", "blockquote", "dl"))),
    "dd": (frozenset(("dd", "dt")), frozenset(("dl", "ul", "ol", "blockquote"))),
    "dt": (frozenset(("dd", "dt")), frozenset(("dl", "ul", "ol", "blockquote"))),
    "a": (frozenset(("a",)), frozenset()),
}
_ROWS = frozenset(("tr", "tbody", "thead", "tfoot", "caption", "colgroup"))
_CELLS = frozenset(("td", "th", "caption"))
_TABLE_PARTS = {
    "td": frozenset(("td", "th")),
    "th": frozenset(("td", "th")),
    "tr": frozenset(("td", "th", "tr", "caption", "colgroup")),
    **dict.fromkeys(("tbody", "thead", "tfoot", "caption", "colgroup"), frozenset(("td", "th")) | _ROWS),
}
_BOUNDARIES = _CELLS | {"table"}

# Content that is no HTML (§13.2.5.2–4): skipped with its element.
_RAW = words("iframe noembed noframes script style textarea title xmp")
_RAW_END = {name: re.compile(rf"</{name}(?=[\s/>])[^>]*>", re.IGNORECASE) for name in _RAW}

_VALUE = r"""(?:"[^"<>]*+"|'[^'<>]*+'|[\w#%.:/?&;,+-]++)"""
_MARK = re.compile(
    r"<(?:/([a-zA-Z][^\s/>]*+)[^>]*+>"
    r"|([a-zA-Z][a-zA-Z0-9]*+)((?:\s++[a-zA-Z][\w:.-]*+(?:\s*+=\s*+" + _VALUE + r")?+)*+)\s*+/?>"
    r"|([a-zA-Z!?/])|)"
)
# A long run of references is broken up by an element that the washing takes out again, so that no text grows long.
_REFERENCES = re.compile(r"(?:&[^&]*+){256}")
_MANY_REFERENCES = 512
_BREAK = "<x></x>"
_MEDIA = re.compile(r"""\bmedia\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>]*))""", re.IGNORECASE)
_DOCTYPE = re.compile(r"<!doctype\s+([^>]{1,200})", re.IGNORECASE)
_OUTER = words("html body meta")
_SCHEMES = re.compile(r"color-scheme.*dark", re.IGNORECASE | re.DOTALL)

# What stands directly inside what needs nothing to be closed first; so do elements that never close another.
_DIRECTLY_IN = {
    "li": words("ul ol"),
    **dict.fromkeys(("td", "th"), words("tr")),
    "tr": words("table tbody thead tfoot"),
    **dict.fromkeys(("tbody", "thead", "tfoot"), words("table")),
}
_ANYWHERE = TAGS - _CLOSES_P - set(_GIVES_WAY) - set(_TABLE_PARTS)


@dataclass(slots=True)
class Tidied:
    """Well-nested HTML of bounded depth, and what was found beside it.

    Args:
        styles: the texts of its style blocks, within `@media` where the block says for which media it is.
        cut: whether anything was left out.
        doctype: the words of its doctype, "" without one.
        root, body: the attributes of `<html>` and `<body>` as they are written there.
        schemes: whether a `<meta name="color-scheme">` speaks of dark.
    """

    html: str
    styles: list[str]
    cut: bool
    doctype: str = ""
    root: str = ""
    body: str = ""
    schemes: bool = False


def tidy(html: str, *, folding: bool = True) -> Tidied:
    """Read `html` tag by tag and write it again within the bounds of this module, in linear time.

    What is over them is left out: text beyond 1 MiB and 100,000 tags, and the tags (not the text) below 500 levels.

    Args:
        folding: put what is found to be a quote into `<details>`.
    """
    bounded = html[:MAX_CHARACTERS]
    references = bounded.count("&")
    if references > MAX_REFERENCES:
        bounded = "&".join(bounded.split("&", MAX_REFERENCES)[:MAX_REFERENCES])
    writer = _Writer(bounded, cut=len(bounded) < len(html), quoting=folding and quotes.may_quote(bounded))
    writer.read(referring=references > _MANY_REFERENCES)
    return writer.tidied()


@dataclass(slots=True)
class _Fold:
    """A quote: where in `out` its tags are and in `html` its text is, its place in the stack, what ends it."""

    opened: int
    start: int
    place: int
    rest: bool  # it goes on to the end of what is around it; else it ends with its one element
    closed: int = 0
    end: int = 0


@dataclass(slots=True)
class _Writer:
    """Writes tags so that every element is closed where its parent is."""

    html: str
    cut: bool = False
    styles: list[str] = field(default_factory=list)
    out: list[str] = field(default_factory=list)
    written: int = 0  # how far `html` is in `out`: what needs no change is written in long stretches
    stack: list[tuple[str, str]] = field(default_factory=list)  # (name, attributes)
    # Where in the stack the elements of each name are, in a new scope for each table and cell: what is open outside
    # of one isn't closed from inside.
    scopes: list[defaultdict[str, list[int]]] = field(default_factory=lambda: [defaultdict(list)])
    tables: int = 0  # open ones
    at: int = 0  # where the tag that is being read begins in `html`
    quoting: bool = False  # whether quotes are looked for
    folds: list[_Fold] = field(default_factory=list)
    fold: _Fold | None = None  # the open one
    doctype: str = ""
    outer: dict[str, str] = field(default_factory=dict)  # attributes of html, body and the meta that names schemes

    def read(self, *, referring: bool) -> None:
        """Read everything. What is well nested as it stands, nearly all of most mail, is only kept count of.

        Args:
            referring: whether there are enough character references to watch how many are in one text or tag.
        """
        html, stack, quoting = self.html, self.stack, self.quoting
        position: int | None = 0
        tags = 0
        while position is not None:
            begin, position = position, None
            for mark in _MARK.finditer(html, begin):
                tags += 1
                if tags > MAX_TAGS:
                    self.cut = True
                    self.html = html[: mark.start()]
                    return
                if referring:
                    self._break_up(begin, mark.start())
                    begin = mark.end()
                end, name, attributes, odd = mark.groups()
                if end is not None and not quoting and stack and stack[-1][0] == end:
                    self._leave(end)
                elif name is not None and len(attributes) > _LONG_TAG and len(attributes.split()) > MAX_ATTRIBUTES:
                    position = self._odd(mark)
                    break
                elif name is not None and not (referring or (quoting and name in quotes.NAMES)) and self._fits(name):
                    if name not in _VOID:
                        self._enter(name, attributes)
                elif odd is not None or (name is not None and name.lower() in _RAW):
                    position = self._odd(mark)
                    break
                else:
                    self._keep(mark.start(), mark.end())
                    if end is not None:
                        self._end(end.lower())
                    elif name is not None:
                        self._start(name.lower(), attributes)
                    else:
                        self.out.append("&lt;")
        if referring:
            self._break_up(begin, len(html))

    def tidied(self) -> Tidied:
        """Close everything."""
        self._keep(len(self.html), len(self.html))
        self._pop_to(0)
        folded = quotes.to_fold(self.html, [(fold.start, fold.end) for fold in self.folds]) if self.folds else []
        for fold, is_folded in zip(self.folds, folded, strict=True):
            if not is_folded:
                self.out[fold.opened] = self.out[fold.closed] = ""
        outer = self.outer
        return Tidied(
            html="".join(self.out),
            styles=self.styles,
            cut=self.cut,
            doctype=self.doctype,
            root=outer.get("html", ""),
            body=outer.get("body", ""),
            schemes="meta" in outer,
        )

    def _fits(self, name: str) -> bool:
        """Whether an element may stand here as it is, with nothing to be closed first."""
        if len(self.stack) >= MAX_DEPTH:
            return False
        if name in _CLOSES_P:
            return not self.scopes[-1]["p"]
        if name in _DIRECTLY_IN:
            return bool(self.stack) and self.stack[-1][0] in _DIRECTLY_IN[name]
        return name in _ANYWHERE or (name == "a" and not self.scopes[-1]["a"])

    def _enter(self, name: str, attributes: str) -> None:
        """An element has begun."""
        if name in _BOUNDARIES:
            self.scopes.append(defaultdict(list))
            self.tables += name == "table"
        self.scopes[-1][name].append(len(self.stack))
        self.stack.append((name, attributes))

    def _leave(self, name: str) -> None:
        """The innermost element, which has this name, has ended."""
        self.stack.pop()
        if name in _BOUNDARIES:
            self.scopes.pop()
            self.tables -= name == "table"
        else:
            self.scopes[-1][name].pop()

    def _odd(self, mark: re.Match[str]) -> int:
        """Take in what is no ordinary tag, or holds no HTML; its end."""
        _, name, attributes, odd = mark.groups()
        position = mark.end()
        if odd is not None or len(attributes) > _LONG_TAG:
            name, attributes, position = odd_tag(self.html, mark.start())
            if odd == "!" and not self.doctype and (doctype := _DOCTYPE.match(self.html, mark.start())):
                self.doctype = doctype[1]
        self._keep(mark.start(), position)
        name = name.lower()
        if name in _RAW:
            return self._skip_raw(position, name, attributes)
        if name:
            self._start(name, attributes)
        return position

    def _keep(self, start: int, end: int) -> None:
        """Write what stands before `start` as it is; what is between there and `end` is written otherwise."""
        if start > self.written:
            self.out.append(self.html[self.written : start])
        self.at, self.written = start, end

    def _break_up(self, start: int, end: int) -> None:
        """Write a text of many references in pieces."""
        if end - start > _MANY_REFERENCES and self.html.count("&", start, end) > _MANY_REFERENCES:
            self._keep(start, end)
            self.out.append(_REFERENCES.sub(lambda run: run[0] + _BREAK, self.html[start:end]))

    def _start(self, name: str, attributes: str) -> None:
        """Write a start tag after closing what it closes by itself (HTML5 §13.2.6.4.7)."""
        if name not in TAGS:
            if name in _OUTER and (name != "meta" or _SCHEMES.search(attributes)):
                self.outer.setdefault(name, attributes)
            return
        reopened: list[tuple[str, str]] = []
        if name in _CLOSES_P:
            reopened = self._close(_P, _NOTHING)
        elif name in _GIVES_WAY:
            reopened = self._close(*_GIVES_WAY[name])
        elif name in _TABLE_PARTS:
            if not self.tables:
                return
            self._close_table_parts(_TABLE_PARTS[name])
        if len(attributes) > _MAX_REFERENCES_IN_TAG and attributes.count("&") > _MAX_REFERENCES_IN_TAG:
            attributes = ""
        if self.quoting and self.fold is None and name in quotes.NAMES:
            self._fold(quotes.form_of(name, attributes, self.html, self.at, self.written))
        if name in _VOID:
            self.out.append(f"<{name}{attributes}>")
        else:
            self._push(name, attributes)
        for formatting in reopened:
            self._push(*formatting)

    def _end(self, name: str) -> None:
        """Write an end tag, and those of what is still open inside; ignored where nothing of that name is open."""
        if self.stack and self.stack[-1][0] == name:
            self._pop()
        elif name == "br":
            self.out.append("<br>")
        elif name in _TABLE_PARTS:
            self._close_table_parts(frozenset((name,)), innermost=True)
        elif name == "table":
            self._close_table()
        else:
            for formatting in self._close(frozenset((name,)), _NOTHING):
                self._push(*formatting)

    def _push(self, name: str, attributes: str) -> None:
        if len(self.stack) >= MAX_DEPTH:
            self.cut = True
            return
        self.out.append(f"<{name}{attributes}>")
        self._enter(name, attributes)

    def _fold(self, form: quotes.Form) -> None:
        """Begin to fold a quote that the next element begins."""
        if not form or len(self.folds) >= quotes.MAX_FOLDS or len(self.stack) >= MAX_DEPTH - 1:
            return
        box: tuple[str, str] | None = None
        if form == "box":
            while self.out and self.out[-1].isspace():
                self.out.pop()
            if self.stack and self.stack[-1][0] == "div" and self.out and self.out[-1].startswith("<div"):
                box = self.stack[-1]
                self.out.pop()
                self._leave("div")
        self.fold = _Fold(len(self.out), self.at, len(self.stack), form != "one")
        self.folds.append(self.fold)
        self.out.append(quotes.FOLD)
        self._enter("details", "")
        if box is not None:
            self._push(*box)

    def _close(self, names: frozenset[str], stops: frozenset[str]) -> list[tuple[str, str]]:
        """Close the innermost of `names` in this scope, unless one of `stops` is inside it.

        Returns the formatting elements that were open inside, for HTML carries those over into what follows.
        """
        scope = self.scopes[-1]
        place = max((scope[name][-1] for name in names if scope.get(name)), default=-1)
        if place < 0 or any(scope[stop][-1] > place for stop in stops if scope.get(stop)):
            return []
        inside = [item for item in self.stack[place + 1 :] if item[0] in _FORMATTING][-_MAX_REOPENED:]
        self._pop_to(place)
        return inside

    def _close_table_parts(self, names: frozenset[str], *, innermost: bool = False) -> None:
        """Close the outermost (or, for an end tag, the innermost) of `names` inside the nearest table."""
        places: list[int] = []
        for scope in reversed(self.scopes):
            places += (scope[name][-1] for name in names if scope.get(name))
            if scope.get("table"):
                break
        if places:
            self._pop_to(max(places) if innermost else min(places))

    def _close_table(self) -> None:
        for scope in reversed(self.scopes):
            if scope.get("table"):
                self._pop_to(scope["table"][-1])
                return

    def _pop_to(self, place: int) -> None:
        while len(self.stack) > place:
            self._pop()

    def _pop(self) -> None:
        name = self.stack[-1][0]
        self.out.append(f"</{name}>")
        self._leave(name)
        fold = self.fold
        if fold is None:
            return
        if len(self.stack) <= fold.place:
            fold.closed, fold.end, self.fold = len(self.out) - 1, self.at, None
        elif not fold.rest and len(self.stack) == fold.place + 1:
            self._pop()  # its one element has ended, and so has it

    def _skip_raw(self, position: int, name: str, attributes: str) -> int:
        """The end of an element that holds no HTML; a style block's text is kept aside."""
        end = _RAW_END[name].search(self.html, position)
        stop = end.start() if end else len(self.html)
        if name == "style":
            media = _MEDIA.search(attributes)
            said = (media[1] or media[2] or media[3] or "").strip().lower() if media else ""
            text = self.html[position:stop]
            self.styles.append(text if said in ("", "all", "screen") else f"@media {said}{{{text}}}")
        elif name == "textarea" and end:
            self.out.append(entities.escape(entities.unescape(self.html[position:stop]), quote=False))
        self.written = end.end() if end else len(self.html)
        return self.written
