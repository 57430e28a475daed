"""The elements of HTML that mail is made of, by what they do to one another (HTML5 §13.2.6)."""

from __future__ import annotations


def words(text: str) -> frozenset[str]:
    """The words of a text, as the sets of names below are written."""
    return frozenset(text.split())


TAGS = words(
    "a abbr acronym address article aside b bdi bdo big blockquote br caption center cite code col colgroup dd del "
    "details dfn dir div dl dt em figcaption figure font footer h1 h2 h3 h4 h5 h6 header hr i img ins kbd li main mark "
    "menu nav ol p pre q rp rt ruby s samp section small span strike strong sub summary sup table tbody td tfoot th "
    "thead time tr tt u ul var wbr"
)
VOID = frozenset(("br", "col", "hr", "img", "wbr"))
FORMATTING = words("b big code em font i s small strike strong tt u")
CLOSES_P = words(
    "address article aside blockquote center details dir div dl figcaption figure footer h1 h2 h3 h4 h5 h6 header hr "
    "main menu nav ol p pre section summary table ul"
)
# Elements that an open one of their kind gives way to, and where looking for it stops.
GIVES_WAY: dict[str, tuple[frozenset[str], frozenset[str]]] = {
    "li": (frozenset(("li",)), frozenset(("ul", "ol", "dir", "menu", "blockquote", "dl"))),
    "dd": (frozenset(("dd", "dt")), frozenset(("dl", "ul", "ol", "blockquote"))),
    "dt": (frozenset(("dd", "dt")), frozenset(("dl", "ul", "ol", "blockquote"))),
    "a": (frozenset(("a",)), frozenset()),
}
ROWS = frozenset(("tr", "tbody", "thead", "tfoot", "caption", "colgroup"))
CELLS = frozenset(("td", "th", "caption"))
TABLE_PARTS = {
    "td": frozenset(("td", "th")),
    "th": frozenset(("td", "th")),
    "tr": frozenset(("td", "th", "tr", "caption", "colgroup")),
    **dict.fromkeys(("tbody", "thead", "tfoot", "caption", "colgroup"), frozenset(("td", "th")) | ROWS),
}
BOUNDARIES = CELLS | {"table"}

# Content that is no HTML (§13.2.5.2–4): skipped with its element.
RAW = words("iframe noembed noframes script style textarea title xmp")

# What stands directly inside what needs nothing to be closed first; so do elements that never close another.
DIRECTLY_IN = {
    "li": words("ul ol"),
    **dict.fromkeys(("td", "th"), words("tr")),
    "tr": words("table tbody thead tfoot"),
    **dict.fromkeys(("tbody", "thead", "tfoot"), words("table")),
}
ANYWHERE = TAGS - CLOSES_P - set(GIVES_WAY) - set(TABLE_PARTS)
