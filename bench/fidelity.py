"""How newsletters look beside how their authors meant them: each raw and through the washing, pixel by pixel.

    .venv/bin/python -m bench.fidelity --json

Every newsletter in `bench/newsletters/` was written for this project, a kind of mail builder each. Chromium draws it
twice, without a network and without scripts: as it came, its inline images as data:, and as our message frame shows it,
the same images from a path of ours. What remains has to be explained: `EXPLAINED` says why, mail by mail.
"""

from __future__ import annotations

import argparse
import base64
import io
import json
import os
import re
import statistics
import sys
from functools import cache
from pathlib import Path
from typing import Any

from PIL import Image, ImageChops, ImageDraw
from playwright.sync_api import Browser, Route, sync_playwright

from webmail.protocol import html

NEWSLETTERS = Path(__file__).with_name("newsletters")
WIDTHS = (700, 390)  # of the viewport, in CSS pixels
SITE = "http://mail.test"
TOLERANCE = 24  # of 255: how far a channel may be off before the pixel counts as another
MEDIAN_GOAL, WORST_GOAL = 2.0, 10.0  # per cent

NOTHING = "nothing of what can be seen is left out"
EXPLAINED = {
    "background_shorthand": "the hero's background image is remote and left out in both (no network); colours stay",
    "flex_grid": "`transition`, `@supports` and `position` go; nothing in it is drawn by them",
    "remote_images": "remote images: a dashed box with their words where the browser draws a broken image",
    "web_fonts": "`@font-face` and `@import` go; both fall back to the same fonts, for there is no network",
}
_CID = re.compile(r"cid:([a-z]+)-(\d+)x(\d+)")
_PICTURE = re.compile(r"/picture/([a-z]+)-(\d+)x(\d+)")


def measure() -> dict[str, Any]:
    """The differences in per cent of all pixels: `median` and `worst` over mails and widths, and mail by mail."""
    mails: dict[str, Any] = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"), args=["--no-sandbox"]
        )
        for path in sorted(NEWSLETTERS.glob("*.html")):
            source = path.read_text()
            differences = {str(width): round(_difference(browser, source, width), 2) for width in WIDTHS}
            mails[path.stem] = differences | {"why": EXPLAINED.get(path.stem, NOTHING)}
        browser.close()
    each = [mail[str(width)] for mail in mails.values() for width in WIDTHS]
    return {"median": round(statistics.median(each), 2), "worst": max(each), "mails": mails}


def raw_document(source: str) -> str:
    """The mail as it came, its inline images as data: URLs."""
    return _CID.sub(lambda found: f"data:image/png;base64,{base64.b64encode(_painted(found[0])).decode()}", source)


def shown_document(source: str) -> str:
    """The mail as the message frame shows it in the light theme."""
    named = {found[0][4:]: f"/picture/{found[0][4:]}" for found in _CID.finditer(source)}
    return html.document(html.wash(source, images=named))


def photograph(browser: Browser, document: str, width: int) -> Image.Image:
    """The whole page as Chromium draws it with nothing but its pictures to be had, and no scripts."""
    context = browser.new_context(
        viewport={"width": width, "height": 600}, java_script_enabled=False, color_scheme="light"
    )

    def answer(route: Route) -> None:
        url = route.request.url
        if url == f"{SITE}/":
            route.fulfill(body=document, content_type="text/html; charset=utf-8")
        elif (found := _PICTURE.search(url)) and url.startswith(SITE):
            route.fulfill(body=_painted(f"cid:{found[1]}-{found[2]}x{found[3]}"), content_type="image/png")
        else:
            route.abort("internetdisconnected")

    context.route("**/*", answer)
    page = context.new_page()
    page.goto(f"{SITE}/", wait_until="load")
    picture = Image.open(io.BytesIO(page.screenshot(full_page=True))).convert("RGB")
    context.close()
    return picture


def share_of_other_pixels(one: Image.Image, other: Image.Image) -> float:
    """Per cent of the pixels that differ, on the larger of both; where one is missing all of it differs from white."""
    size = (max(one.width, other.width), max(one.height, other.height))
    sheets = []
    for picture in (one, other):
        sheet = Image.new("RGB", size, "white")
        sheet.paste(picture)
        sheets.append(sheet)
    red, green, blue = ImageChops.difference(*sheets).split()
    worst = ImageChops.lighter(ImageChops.lighter(red, green), blue)
    return 100 * sum(worst.histogram()[TOLERANCE + 1 :]) / (size[0] * size[1])


def _difference(browser: Browser, source: str, width: int) -> float:
    raw = photograph(browser, raw_document(source), width)
    shown = photograph(browser, shown_document(source), width)
    return share_of_other_pixels(raw, shown)


@cache
def _painted(name: str) -> bytes:
    """The picture that a name asks for ("cid:quay-260x140"): its own colours, shapes and size."""
    found = _CID.fullmatch(name)
    assert found is not None, name
    width, height = int(found[2]), int(found[3])
    seed = sum(map(ord, found[1]))
    ground = (40 + seed * 37 % 160, 60 + seed * 53 % 140, 80 + seed * 71 % 130)
    picture = Image.new("RGB", (width, height), ground)
    draw = ImageDraw.Draw(picture)
    draw.polygon([(0, height), (width // 3, height // 3), (width, height)], fill=(240, 220, 150 + seed % 90))
    draw.ellipse([width * 0.6, height * 0.1, width * 0.6 + height * 0.4, height * 0.5], fill=(250, 250, 235))
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def main() -> int:
    """Measure, print, and say whether the goals are met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print nothing but JSON")
    arguments = parser.parse_args()
    found = measure()
    if arguments.json:
        print(json.dumps(found, indent=2))
    else:
        for name, mail in found["mails"].items():
            print(f"{name:24}", *(f"{mail[str(width)]:6.2f} %" for width in WIDTHS), f" {mail['why']}")
        print(f"median {found['median']} %, worst {found['worst']} %")
    return int(found["median"] > MEDIAN_GOAL or found["worst"] > WORST_GOAL)


if __name__ == "__main__":
    sys.exit(main())
