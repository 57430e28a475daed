"""A message's CSS reduced to what can neither load anything nor leave its frame.

Properties and functions come from lists of what is allowed. What is plainly harmless is recognised by one regular
expression; everything else goes through tinycss2 and is put together again from its tokens. `@media` is the only
at-rule that survives. No address of an image survives either: where a background had one there is `none`, or a path
of ours that the caller gives for it. Results are kept by their text, for a newsletter says the same thing hundreds of
times.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import tinycss2

from .remembered import remembered

MAX_SHEET = 256 * 1024  # characters of all style blocks together
_MAX_SHEETS = 200
_MAX_STYLE = 16 * 1024  # characters of one style attribute
# Only what is short is kept by its text, so that hostile mail can't fill the memory: 2,048 and 32 of them at most.
_MAX_CACHED_STYLE = 1_000
_MAX_CACHED_SHEET = 64 * 1024
_MAX_CAREFUL = 64 * 1024  # characters of a sheet that tinycss2 is given: it takes about 1 ms for 1,000
_MAX_RULES = 5_000
_MAX_NESTING = 16  # of functions in a value


def _words(text: str) -> list[str]:
    return text.split()


_SIDES = ("top", "right", "bottom", "left")
_ALLOWED = frozenset(
    _words(
        "color opacity visibility display box-sizing float clear overflow overflow-x overflow-y object-fit "
        "width height min-width min-height max-width max-height aspect-ratio "
        "background background-color background-image background-position background-repeat background-size "
        "background-clip background-origin "
        "font font-family font-size font-style font-variant font-weight font-stretch line-height "
        "letter-spacing word-spacing white-space word-break word-wrap overflow-wrap hyphens tab-size "
        "text-align text-align-last text-decoration text-decoration-color text-decoration-line text-decoration-style "
        "text-decoration-thickness text-indent text-overflow text-shadow text-transform text-underline-offset "
        "vertical-align direction unicode-bidi writing-mode "
        "list-style list-style-position list-style-type quotes "
        "table-layout border-collapse border-spacing caption-side empty-cells "
        "margin padding border border-color border-style border-width border-radius outline outline-color "
        "outline-offset outline-style outline-width box-shadow "
        "border-top-left-radius border-top-right-radius border-bottom-left-radius border-bottom-right-radius "
        "flex flex-basis flex-direction flex-flow flex-grow flex-shrink flex-wrap order gap row-gap column-gap "
        "justify-content justify-items justify-self align-content align-items align-self place-items place-content "
        "column-count columns grid grid-area grid-auto-columns grid-auto-flow grid-auto-rows grid-column "
        "grid-column-end grid-column-gap grid-column-start grid-gap grid-row grid-row-end grid-row-gap grid-row-start "
        "grid-template grid-template-areas grid-template-columns grid-template-rows column-rule column-rule-color "
        "column-rule-style column-rule-width column-width object-position background-attachment border-block "
        "border-inline margin-block margin-block-end margin-block-start margin-inline margin-inline-end "
        "margin-inline-start "
        "padding-block padding-block-end padding-block-start padding-inline padding-inline-end padding-inline-start "
        "block-size inline-size max-block-size max-inline-size min-block-size min-inline-size font-kerning "
        "font-feature-settings font-variant-caps font-variant-numeric "
        "color-scheme"
    )
    + [f"margin-{side}" for side in _SIDES]
    + [f"padding-{side}" for side in _SIDES]
    + [f"border-{side}{kind}" for side in _SIDES for kind in ("", "-color", "-style", "-width")]
)
_FUNCTIONS = frozenset(
    _words(
        "rgb rgba hsl hsla hwb lab lch oklab oklch calc min max clamp "
        "repeat minmax fit-content "
        "linear-gradient radial-gradient repeating-linear-gradient repeating-radial-gradient conic-gradient"
    )
)

# What a value may be made of and can't be anything but what it looks like: words, numbers, names of fonts, colours,
# sums and gradients; no other function, no escape, no comment.
_COLOUR = r"\b(?:rgb|hsl)a?\([\d\s.,%/-]*+\)"
_GRADIENT = rf"\b(?:linear|radial)-gradient\((?:{_COLOUR}|[\w\s.,#%-])*+\)"
_PIECES = (
    rf"""{_COLOUR}|{_GRADIENT}|\b(?:calc|minmax)\((?:[\w\s.+%-]|\*(?!/)|/(?!\*)|,)*+\)"""
    r"""|[\w .,%#!+-]|/(?!\*)|"[\w .,-]*+"|'[\w .,-]*+'"""
)
_PLAIN = re.compile(rf"\s*+([a-zA-Z-]++)\s*+:\s*+((?:{_PIECES})*+)\s*+(?:;[\s;]*+|$)")
# The same with images among it, for the two properties that may have one.
_URL = r"""\burl\(\s*+(?:"[^"\\<>\x00-\x1f]*+"|'[^'\\<>\x00-\x1f]*+'|[^\s"'()\\<>\x00-\x1f]*+)\s*+\)"""
_ADDRESS = re.compile(_URL, re.IGNORECASE)
_PICTURED = re.compile(
    rf"\s*+(background(?:-image)?)\s*+:\s*+((?:{_URL}|{_PIECES})*+)\s*+(?:;[\s;]*+|$)", re.IGNORECASE
)
_MAY_HAVE_PICTURES = frozenset(("background", "background-image"))
# How such an address is kept until it is known what stands for it: nothing else in clean CSS has a control character.
_MARKED = re.compile("\x01([^\x01]*)\x01")
# A declaration that goes as a whole whatever its value says: what matters is only where it ends.
_SIMPLE_VALUE = r"""(?:[^;"'()\\{}/]|/(?!\*)|"[^"\\\n]*+"|'[^'\\\n]*+')*+"""
_OTHER = re.compile(rf"\s*+([\w-]++)\s*+:({_SIMPLE_VALUE}(?:\w*\({_SIMPLE_VALUE}\){_SIMPLE_VALUE})*+)(?:;[\s;]*+|$)")
_SAFE_STRING = re.compile(r"[^\\<>\"'\n\r\f{}@]*")
_SAFE_NAME = re.compile(r"-?[\w-]+")
_SELECTOR = re.compile(r"""(?:[\w\s.#*>+~:,()=^$|-]|\[[\w\s^$*|~=-]*(?:"[\w\s.:;,-]*"|'[\w\s.:;,-]*')?\s*\])+""")
_MEDIA = re.compile(r"[\w\s():,.>=/-]*")
# Tracks and columns by the thousand cost a browser more than any mail is worth.
_TRACKS = ("grid", "column")
_MANY = re.compile(r"\d{4}")
# A height in units of the frame's own height, which follows its content, would grow for ever.
_VIEWPORT_HEIGHT = re.compile(r"\d[sdl]?v(?:h|b|min|max)\b", re.IGNORECASE)
# The second look, at the finished text: none of this can get here, and if it did nothing would be kept. It looks at
# folded text: an expression that ignores case takes five times as long.
_NEVER = re.compile(
    r"[\\<]|url\s*\(|image-set|(?:image|src|element|cross-fade|var|env|attr|paint)\s*\(|expression|behavior|binding"
    r"|@(?!media\b)|script:"
)
_REMOTE = re.compile(r"(?:https?:)?//[^\s\"'<>\\();,]+", re.IGNORECASE)
_WEB = re.compile(r"(https?:)//[^\s/\\]", re.IGNORECASE)
_TRIMMED = "".join(map(chr, range(33)))
_LINE_ENDS = re.compile(r"[\t\r\n]")
_LOADS = re.compile(r"url\s*\(|image-set|//", re.IGNORECASE)

# The pieces of a sheet without strings or escapes at its top level.
_COMMENT = re.compile(r"/\*.*?(?:\*/|\Z)|<!--|-->", re.DOTALL)
_PIECE = re.compile(
    r"""\s*+(?:
        (?P<close>\})
      | @media\b(?P<media>[^{};@]*+)\{
      | @[\w-]++[^{};]*+(?:;|\{[^{}]*+(?:\{[^{}]*+\}[^{}]*+)*+(?:\}|\Z))
      | (?P<selector>[^{}@;]++)\{(?P<block>[^{}]*+)(?:\}|\Z)
    )""",
    re.VERBOSE | re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class CleanCss:
    """CSS that may be used.

    Args:
        text: with `none` for every image. remote: the http(s) URLs that were taken out of it.
        marked: where backgrounds had images, the text for `filled`, else "".
    """

    text: str
    remote: tuple[str, ...] = ()
    marked: str = ""

    def filled(self, path_of: Callable[[str], str | None]) -> str:
        """The text with those background images for whose address `path_of` gives a path of ours, checked by it."""
        if not self.marked:
            return self.text
        return _MARKED.sub(lambda mark: f"url({path})" if (path := path_of(mark[1])) else "none", self.marked)


def clean_style(text: str) -> CleanCss:
    """What is allowed of a style attribute, or of a rule's block, as `name:value;name:value`."""
    return _cached_style(text) if len(text) <= _MAX_CACHED_STYLE else _clean_style(text[:_MAX_STYLE])


def clean_sheets(texts: Sequence[str]) -> list[CleanCss]:
    """What is allowed of style blocks: rules with harmless selectors, alone or in `@media`. Holds no "<".

    Blocks of which nothing is left and no URL was taken are left out.
    """
    room, sheets = MAX_SHEET, []
    for text in texts[:_MAX_SHEETS]:
        sheet = _cached_sheet(text) if len(text) <= min(_MAX_CACHED_SHEET, room) else _clean_sheet(text[:room])
        room -= len(text)
        if sheet.text or sheet.remote:
            sheets.append(sheet)
        if room <= 0:
            break
    return sheets


def _clean_style(text: str) -> CleanCss:
    if "/*" in text:
        text = _COMMENT.sub(" ", text)
    kept: list[str] = []
    remote: list[str] = []
    position, end = 0, len(text.rstrip())
    while position < end:
        found = _PLAIN.match(text, position)
        if found is not None:
            name, value = found[1].lower(), found[2]
            if value and name in _ALLOWED and not _is_too_much(name, value):
                kept.append(f"{name}:{value.rstrip()}")
        elif (found := _PICTURED.match(text, position)) is not None:
            kept.append(f"{found[1].lower()}:{_ADDRESS.sub(_mark, found[2].rstrip())}")
        else:
            found = _OTHER.match(text, position)
            if found is None or (found[1].lower() in _ALLOWED and not _LOADS.search(found[2])):
                return _clean_carefully(text)
            remote.extend(_urls(found[2]))
        position = found.end()
    return _clean(";".join(kept), remote)


def _clean_sheet(text: str) -> CleanCss:
    source = _COMMENT.sub(" ", text)
    remote: list[str] = []
    pieces = _quick_rules(source, remote)
    if pieces is None:
        remote.clear()
        try:
            pieces = list(_careful_rules(text[:_MAX_CAREFUL], remote))
        except RecursionError:  # tinycss2 writes nested blocks recursively; nothing meant to be read nests like that
            pieces = []
    return _clean("\n".join(pieces), remote)


def _clean(marked: str, remote: list[str]) -> CleanCss:
    """The result, after the second look."""
    text = marked
    if "\x01" in marked:
        remote.extend(filter(None, map(web_url, _MARKED.findall(marked))))
        text = _MARKED.sub("none", marked)
    if _NEVER.search(text.casefold()):
        text = marked = ""
    return CleanCss(text, tuple(dict.fromkeys(remote)), marked if marked != text else "")


_cached_style = lru_cache(maxsize=2048)(_clean_style)
_cached_sheet = lru_cache(maxsize=32)(_clean_sheet)


def _quick_rules(source: str, remote: list[str]) -> list[str] | None:
    """The rules of an ordinary sheet; None where its structure needs a real parser."""
    if "\\" in source:
        return None
    pieces: list[str] = []
    inside: list[str] | None = None
    media, position, end = "", 0, len(source.rstrip())
    for _count in range(_MAX_RULES):
        if position >= end:
            break
        piece = _PIECE.match(source, position)
        if piece is None:
            return None
        position = piece.end()
        if piece["selector"] is not None:
            rule = _rule(piece["selector"], clean_style(piece["block"].strip()), remote)
            if rule:
                (pieces if inside is None else inside).append(rule)
        elif piece["media"] is not None:
            if inside is not None:
                return None
            inside, media = [], piece["media"]
        elif piece["close"] is not None and inside is not None:
            pieces.append(_media(media, inside))
            inside = None
    if inside:
        pieces.append(_media(media, inside))
    return [piece for piece in pieces if piece]


def _careful_rules(text: str, remote: list[str]) -> Iterator[str]:
    """The rules of any sheet, by tinycss2."""
    nodes = tinycss2.parse_stylesheet(text, skip_comments=True, skip_whitespace=True)
    for node in nodes[:_MAX_RULES]:
        if node.type == "qualified-rule":
            yield _parsed_rule(node, remote)
        elif node.type == "at-rule" and node.lower_at_keyword == "media" and node.content is not None:
            inner = tinycss2.parse_rule_list(node.content, skip_comments=True, skip_whitespace=True)
            rules = [_parsed_rule(rule, remote) for rule in inner[:_MAX_RULES] if rule.type == "qualified-rule"]
            yield _media(tinycss2.serialize(node.prelude), [rule for rule in rules if rule])


def _parsed_rule(node: Any, remote: list[str]) -> str:
    block = clean_style(tinycss2.serialize(node.content).strip()[:_MAX_STYLE])
    return _rule(tinycss2.serialize(node.prelude), block, remote)


def _rule(selector: str, block: CleanCss, remote: list[str]) -> str:
    """One rule, or "" where its selector isn't plain or nothing of its block is left."""
    remote.extend(block.remote)
    selector = selector.strip()
    if (
        not block.text
        or len(selector) > 2_000
        or not _SELECTOR.fullmatch(selector)
        or _NEVER.search(selector.casefold())
    ):
        return ""
    if selector.count("(") != selector.count(")"):
        return ""
    return f"{selector}{{{block.marked or block.text}}}"


def _media(prelude: str, rules: Sequence[str]) -> str:
    prelude = prelude.strip()
    if not rules or len(prelude) > 500 or not _MEDIA.fullmatch(prelude) or prelude.count("(") != prelude.count(")"):
        return ""
    return f"@media {prelude}{{{''.join(rules)}}}"


def _clean_carefully(text: str) -> CleanCss:
    """The allowed declarations of any block, by tinycss2; nested rules and at-rules are dropped."""
    kept: list[str] = []
    for node in tinycss2.parse_blocks_contents(text, skip_comments=True, skip_whitespace=True):
        if node.type != "declaration" or node.lower_name not in _ALLOWED:
            continue
        value = _careful_value(node.lower_name, node.value)
        if value and not _is_too_much(node.lower_name, value):
            kept.append(f"{node.lower_name}:{value}{' !important' if node.important else ''}")
    return _clean(";".join(kept), list(_urls(text)))


def _is_too_much(name: str, value: str) -> bool:
    """Whether a harmless value would grow with the frame, or without end."""
    if ("v" in value or "V" in value) and _VIEWPORT_HEIGHT.search(value):
        return True
    return name.startswith(_TRACKS) and _MANY.search(value) is not None


def _careful_value(name: str, tokens: Sequence[Any]) -> str:
    """A value put together again from its tokens, images marked; "" where something in it isn't allowed."""
    pieces: list[str] = []
    plain: list[Any] = []
    for token in tokens:
        address = _address(token) if name in _MAY_HAVE_PICTURES else ""
        if address:
            pieces += (tinycss2.serialize(plain), _mark_of(address))
            plain = []
        elif _is_allowed((token,)):
            plain.append(token)
        else:
            return ""
    value = "".join((*pieces, tinycss2.serialize(plain))).strip()
    said = _MARKED.sub("", value)
    return value if said.isprintable() and not _NEVER.search(said.casefold()) else ""


def _address(token: Any) -> str:
    """What a `url()` names, or ""."""
    if token.type == "url":
        return str(token.value)
    if token.type == "function" and token.lower_name == "url" and len(token.arguments) == 1:
        return str(token.arguments[0].value) if token.arguments[0].type == "string" else ""
    return ""


def _mark(found: re.Match[str]) -> str:
    return _mark_of(found[0][4:-1].strip().strip("\"'"))


def _mark_of(address: str) -> str:
    return f"\x01{address.strip()}\x01" if address.isprintable() else "none"


def _is_allowed(tokens: Sequence[Any], depth: int = 0) -> bool:
    """Whether a value holds nothing but plain tokens and allowed functions."""
    if depth > _MAX_NESTING:
        return False
    for token in tokens:
        kind = token.type
        if kind in ("whitespace", "comment", "number", "percentage"):
            continue
        if kind in ("ident", "hash", "dimension"):
            word = token.unit if kind == "dimension" else token.value
            if not _SAFE_NAME.fullmatch(word):
                return False
        elif kind == "string":
            if not _SAFE_STRING.fullmatch(token.value):
                return False
        elif kind == "literal":
            if token.value not in (",", "/", "+", "-", "*"):
                return False
        elif kind == "function":
            if token.lower_name not in _FUNCTIONS or not _is_allowed(token.arguments, depth + 1):
                return False
        elif kind != "() block" or not depth or not _is_allowed(token.content, depth + 1):
            return False
    return True


@remembered(1024, longest=1_000)  # a link is asked for where it is marked and again where it is judged
def web_url(url: str) -> str:
    """An http(s) URL as browsers read it, "https:" put before "//"; "" for every other.

    Blanks in it become %20, and the scheme is in lower case.
    """
    url = trimmed(url)
    if url.startswith("//"):
        url = f"https:{url}"
    found = _WEB.match(url)
    return f"{found[1].lower()}{url[found.end(1) :]}".replace(" ", "%20") if found else ""


def trimmed(url: str) -> str:
    """A URL without what browsers ignore in it: blanks at its ends, tabs and line ends anywhere (URL Standard §4.4)."""
    url = url.strip(_TRIMMED)
    return url if url.isprintable() else _LINE_ENDS.sub("", url)


def _urls(text: str) -> Iterator[str]:
    """The http(s) URLs in a piece of CSS, however they are quoted."""
    return filter(None, map(web_url, _REMOTE.findall(text)))
