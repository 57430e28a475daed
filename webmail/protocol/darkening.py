"""The colours of a mail exchanged for colours on dark paper, so that its text can be read whatever it lies on.

The law of this room: every surface becomes at most as light as `MAX_SURFACE`, every text at least as light as
`MIN_TEXT` (relative luminances of WCAG 2.2), which is a contrast of 4.5 and more between any text and any surface.
Hues stay. What is taken in is CSS that `css.py` allowed; what comes out has other colours and nothing more in it.
Images stay as they are; backgrounds by image are left out, for nobody knows what would be written on them.
"""

from __future__ import annotations

import re
from typing import Literal

from tinycss2.color4 import parse_color

from .elements import words
from .remembered import remembered

MAX_SURFACE = 0.056
MIN_TEXT = 0.45
_PAPER = 0.0108  # luminance of the paper itself
_PAPER_TINT = (0.80, 1.01, 1.46)  # of its channels, for greys, so that they belong together

Role = Literal["text", "surface", "line"]

_DECLARATION = re.compile(r"""([\w-]+):((?:[^;"']|"[^"]*"|'[^']*')*)""")
_BLOCK = re.compile(r"\{([^{}]*)\}")
_COLOUR = re.compile(
    r"#[0-9a-fA-F]{3,8}\b|\b(?:rgba?|hsla?|hwb|lab|lch|oklab|oklch)\([^()]*\)|(?<![\w#-])[a-zA-Z]+(?![\w(-])"
)
_HEX = re.compile(r"#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})")
_INVISIBLE = re.compile(r"0*(?:\.0*)?(?![\d.])")
_IMPORTANT = re.compile(r"!\s*important", re.IGNORECASE)

_ROLES: dict[str, Role] = {
    "color": "text",
    **dict.fromkeys(words("background background-color background-image"), "surface"),
    **dict.fromkeys(words("outline outline-color"), "line"),
}
# What would undo the exchange: half transparent text, shadows made for light, backgrounds cut out by text.
_DROPPED = words("box-shadow text-shadow color-scheme background-clip")
_SYSTEM = words(
    "accentcolor accentcolortext activetext appworkspace background buttonborder buttonface buttonhighlight "
    "buttonshadow buttontext canvas canvastext captiontext currentcolor field fieldtext graytext highlight "
    "highlighttext inactivecaptiontext infobackground infotext linktext mark marktext menu menutext selecteditem "
    "threeddarkshadow threedface threedhighlight threedlightshadow threedshadow visitedtext window windowframe "
    "windowtext"
)
_ATTRIBUTES: dict[str, Role] = {
    "bgcolor": "surface",
    "bordercolor": "line",
    **dict.fromkeys(words("color text link vlink"), "text"),
}


@remembered(2048, longest=1_000)
def darken_style(css: str) -> str:
    """Declarations ("name:value;name:value") with their colours exchanged."""
    kept = []
    for found in _DECLARATION.finditer(css):
        name, value = found[1], found[2]
        role = _ROLES.get(name) or ("line" if name.startswith(("border", "column-rule")) else None)
        if name.startswith("text-decoration"):
            role = "text"
        if name in _DROPPED or (name == "opacity" and not _INVISIBLE.match(value)):
            continue
        exchanged = value if role is None else _value(value, role)
        if exchanged:
            kept.append(f"{name}:{exchanged}")
    return ";".join(kept)


def darken_sheet(css: str) -> str:
    """Rules, alone or in `@media`, with their colours exchanged."""
    return _BLOCK.sub(lambda block: f"{{{darken_style(block[1])}}}", css)


def darken_attribute(name: str, value: str) -> str | None:
    """The colour that an attribute of old HTML names, exchanged; None where it names none. Other attributes stay."""
    role = _ATTRIBUTES.get(name)
    if role is None:
        return value
    written = _HEX.fullmatch(value.strip())
    return exchange(f"#{written[1]}" if written else value.strip(), role) or None


@remembered(2048, longest=100)
def exchange(colour: str, role: Role) -> str:
    """A colour as `#rrggbb` fit for its role; "" for what is no colour or can't be seen at all."""
    if colour.lower() in _SYSTEM:
        colour = "white" if role == "surface" else "black"
    try:
        parsed = parse_color(colour)
        if parsed is None or parsed == "currentcolor":
            return ""
        red, green, blue = (float(value) for value in parsed.to("srgb").coordinates)
        alpha = float(parsed.alpha)
    except (ValueError, TypeError, ArithmeticError, NotImplementedError):
        return ""
    if alpha <= 0:
        return ""
    # As it looks on the white paper it was chosen for.
    seen = [_linear(min(1.0, max(0.0, value)) * alpha + 1 - alpha) for value in (red, green, blue)]
    light = 0.2126 * seen[0] + 0.7152 * seen[1] + 0.0722 * seen[2]
    if role == "surface":
        wanted = _PAPER + (MAX_SURFACE - 0.001 - _PAPER) * (1 - light)
    elif role == "text":
        wanted = max(MIN_TEXT + 0.005, 0.78 - 1.2 * light, light)
    else:
        wanted = 0.025 + 0.1 * (1 - light)
    return _of_luminance(seen, light, wanted, tinted=role != "text")


def _value(value: str, role: Role) -> str:
    """A declaration's value with every colour in it exchanged; "" where one can't be."""
    unseen = False

    def put(found: re.Match[str]) -> str:
        nonlocal unseen
        exchanged = exchange(found[0], role)
        if not exchanged:  # a word that is none, or a colour that no text can have or that isn't known here
            unseen = unseen or not found[0].isalpha() or (role == "text" and found[0].lower() == "transparent")
        return exchanged or found[0]

    important = _IMPORTANT.search(value)
    exchanged = _COLOUR.sub(put, value[: important.start()] if important else value)
    return "" if unseen else f"{exchanged}{important[0] if important else ''}"


def _of_luminance(colour: list[float], light: float, wanted: float, *, tinted: bool) -> str:
    """The colour of the same hue with another luminance; towards grey where the hue can't be that light."""
    tint = _PAPER_TINT if tinted else (1.0, 1.0, 1.0)
    grey = [wanted * share for share in tint]
    # Greys stay grey, and what was nearly black doesn't become a colour because it becomes light.
    hue = min(1.0, (max(colour) - min(colour)) / max(*colour, 0.001) / 0.3) if light >= 0.0005 else 0.0
    if not tinted:
        hue *= 0.1 + 0.9 * min(1.0, light / 0.1)
    scaled = [
        hue * value * wanted / max(light, 0.0005) + (1 - hue) * share for value, share in zip(colour, grey, strict=True)
    ]
    if max(scaled) > 1:
        share = (1 - wanted) / (max(scaled) - wanted)
        scaled = [wanted + (value - wanted) * share for value in scaled]
    return "#" + "".join(f"{round(_encoded(value) * 255):02x}" for value in scaled)


def _linear(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else float(((value + 0.055) / 1.055) ** 2.4)


def _encoded(value: float) -> float:
    value = min(1.0, max(0.0, value))
    return value * 12.92 if value <= 0.0031308 else float(1.055 * value ** (1 / 2.4) - 0.055)
