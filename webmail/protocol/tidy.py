"""Received HTML brought into bounds before it is washed: nesting, number of tags, unclosed formatting.

This is no sanitiser (`html.wash` is, with nh3, and it comes after). It exists because an HTML5 parser can be made to
work without end: nh3 takes seconds for 20,000 nested `<div>`, and unclosed `<font>` is opened again in every following
paragraph, which made 52 MB out of 40 kB. So the text is read tag by tag and written again well nested, with attributes
that end where they seem to end and without comments, scripts and foreign content: what comes out costs a parser linear
time. Style blocks are handed out, not written.
"""

from __future__ import annotations

import html as entities
import itertools
import re
from collections import defaultdict
from dataclasses import dataclass, field

from . import quotes
from .elements import (
    ANYWHERE,
    BOUNDARIES,
    CLOSES_P,
    DIRECTLY_IN,
    FORMATTING,
    GIVES_WAY,
    RAW,
    TABLE_PARTS,
    TAGS,
    VOID,
    words,
)
from .odd_tags import MAX_ATTRIBUTES, odd_tag

MAX_CHARACTERS = 1024 * 1024
MAX_DEPTH = 500
MAX_TAGS = 100_000
MAX_REFERENCES = 200_000  # "&" in all: each makes the parser copy the text before it
_MAX_REFERENCES_IN_TAG = 1_000
_LONG_TAG = 2_000  # characters of attributes from which on they are counted
_MAX_REOPENED = 5  # formatting carried over into the next block, as HTML5 §13.2.4.3 does without bound
_P, _NOTHING = words("p"), words("")

_RAW_END = {name: re.compile(rf"</{name}(?=[\s/>])[^>]*>", re.IGNORECASE) for name in RAW}

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
    writer = _Writer(bounded, cut=len(bounded) < len(html), quoting=None if folding else False)
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
    # Where in the stack the elements of each name are, the innermost last; and where each table and cell begins, for
    # what is open outside of one isn't closed from inside.
    places: defaultdict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    bounds: list[int] = field(default_factory=lambda: [0])
    at: int = 0  # where the tag that is being read begins in `html`
    quoting: bool | None = None  # whether quotes are looked for; None until something comes that may begin one
    folds: list[_Fold] = field(default_factory=list)
    fold: _Fold | None = None  # the open one
    doctype: str = ""
    outer: dict[str, str] = field(default_factory=dict)  # attributes of html, body and the meta that names schemes

    def read(self, *, referring: bool) -> None:
        """Read everything. What is well nested as it stands, nearly all of most mail, is only kept count of.

        That is done here as `_enter` and `_leave` do it, without a call for each tag.

        Args:
            referring: whether there are enough character references to watch how many are in one text or tag.
        """
        html, stack, places, bounds = self.html, self.stack, self.places, self.bounds
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
                if end is not None and not self.quoting and stack and stack[-1][0] == end:
                    stack.pop()
                    places[end].pop()
                    if end in BOUNDARIES:
                        bounds.pop()
                elif name is not None and len(attributes) > _LONG_TAG and len(attributes.split()) > MAX_ATTRIBUTES:
                    position = self._odd(mark)
                    break
                elif (
                    name is not None
                    and not (referring or (name in quotes.NAMES and self._may_quote()))
                    and self._fits(name)
                ):
                    if name not in VOID:
                        if name in BOUNDARIES:
                            bounds.append(len(stack))
                        places[name].append(len(stack))
                        stack.append((name, attributes))
                elif odd is not None or (name is not None and name.lower() in RAW):
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
        if name in CLOSES_P:
            return not self._is_open("p")
        if name in DIRECTLY_IN:
            return bool(self.stack) and self.stack[-1][0] in DIRECTLY_IN[name]
        return name in ANYWHERE or (name == "a" and not self._is_open("a"))

    def _is_open(self, name: str) -> bool:
        places = self.places[name]
        return bool(places) and places[-1] >= self.bounds[-1]

    def _enter(self, name: str, attributes: str) -> None:
        """An element has begun."""
        place = len(self.stack)
        if name in BOUNDARIES:
            self.bounds.append(place)
        self.places[name].append(place)
        self.stack.append((name, attributes))

    def _leave(self, name: str) -> None:
        """The innermost element, which has this name, has ended."""
        self.stack.pop()
        self.places[name].pop()
        if name in BOUNDARIES:
            self.bounds.pop()

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
        if name in RAW:
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
        if name in CLOSES_P:
            reopened = self._close(_P, _NOTHING)
        elif name in GIVES_WAY:
            reopened = self._close(*GIVES_WAY[name])
        elif name in TABLE_PARTS:
            if not self.places["table"]:
                return
            self._close_table_parts(TABLE_PARTS[name])
        if len(attributes) > _MAX_REFERENCES_IN_TAG and attributes.count("&") > _MAX_REFERENCES_IN_TAG:
            attributes = ""
        if name in quotes.NAMES and self.fold is None and self._may_quote():
            self._fold(quotes.form_of(name, attributes, self.html, self.at, self.written))
        if name in VOID:
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
        elif name in TABLE_PARTS:
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

    def _may_quote(self) -> bool:
        """Whether an element may begin a quote in this mail."""
        if self.quoting is None:
            self.quoting = quotes.may_quote(self.html)
        return self.quoting

    def _close(self, names: frozenset[str], stops: frozenset[str]) -> list[tuple[str, str]]:
        """Close the innermost of `names` in this scope, unless one of `stops` is inside it.

        Returns the formatting elements that were open inside, for HTML carries those over into what follows.
        """
        places = self.places
        place = max((places[name][-1] for name in names if places.get(name)), default=-1)
        if place < self.bounds[-1] or any(places[stop][-1] > place for stop in stops if places.get(stop)):
            return []
        inside = [item for item in self.stack[place + 1 :] if item[0] in FORMATTING][-_MAX_REOPENED:]
        self._pop_to(place)
        return inside

    def _close_table_parts(self, names: frozenset[str], *, innermost: bool = False) -> None:
        """Close the outermost (or, for an end tag, the innermost) of `names` inside the nearest table."""
        table = self.places["table"][-1] if self.places["table"] else -1
        inside: list[int] = []
        for name in names:
            inside += itertools.takewhile(table.__lt__, reversed(self.places.get(name, ())))
        if inside:
            self._pop_to(max(inside) if innermost else min(inside))

    def _close_table(self) -> None:
        if self.places["table"]:
            self._pop_to(self.places["table"][-1])

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
