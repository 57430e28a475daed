"""What the tests of hostile mail and `bench.payloads` do inside Chromium: many frames at a time, everything pressed,
and a look for what markup would have left behind.
"""

from __future__ import annotations

import re

from playwright.sync_api import BrowserContext, Page

BATCH = 40  # frames at a time
SETTLED_MS = 400  # what a frame does by itself it has done by then

# Frames like the one of the page, each with another message in it. Returns when all have loaded.
FRAMES = """([addresses, sandboxed]) => {
  const shown = document.querySelector(".message-frame");
  document.querySelectorAll("iframe.payload").forEach((frame) => frame.remove());
  return Promise.all(addresses.map((address) => new Promise((loaded) => {
    const frame = shown ? shown.cloneNode() : document.createElement("iframe");
    frame.className = "payload";
    if (!sandboxed) frame.removeAttribute("sandbox");
    frame.src = address;
    frame.onload = loaded;
    document.body.append(frame);
    setTimeout(loaded, 5000);
  })));
}"""
PRESSABLE = re.compile(r"<(a|area|button|input|summary|form|details|math|label)\b|onclick", re.IGNORECASE)
# Everything that can be pressed in the frame with this number; true while there is another one.
PRESS = """([number, nth]) => {
  const page = document.querySelectorAll("iframe.payload")[number].contentDocument;
  const all = page ? page.querySelectorAll("a, area, button, input, summary, math [href], [onclick]") : [];
  all[nth]?.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true, view: page.defaultView }));
  return nth + 1 < all.length;
}"""
# What markup would have left behind in a page, if any of it had counted as markup. The icon with the number of unread
# messages is ours.
MARKED_UP = """() => [...document.querySelectorAll("*")].flatMap((element) => [
  ...[...element.attributes].filter((each) => each.name.startsWith("on")).map((each) => each.name),
  ...(element.matches("script:not([src]), object, embed, base, math, [srcdoc], [href^='javascript' i], " +
    "[href^=data]:not(head > [rel=icon])")
    ? [element.outerHTML.slice(0, 200)] : []),
  ...(element.matches("[hx-get]:not([hx-get^='/message/']), [hx-on\\\\:load]")
    ? [element.outerHTML.slice(0, 200)] : []),
  ...(element.matches("a:is([href^=http], [href^='//'])[href*='evil.test']:not([rel~=noopener])")
    ? [element.outerHTML.slice(0, 200)] : []),
])"""

# What may not be in a frame once its HTML was washed.
LEFT_OVER = """() => [...document.querySelectorAll(
  "script, iframe, frame, object, embed, applet, form, input, button, select, textarea, base, link, svg, math, " +
  "video, audio, dialog, portal, [srcset], [action], [formaction], [ping], [autofocus], [contenteditable], " +
  "[popover], meta[http-equiv], a[href]:not([href^='http' i], [href^='mailto:' i]), " +
  "a[href]:not([rel~=noopener][target=_blank])"
)].map((element) => element.outerHTML.slice(0, 200))"""


class Ran(list[str]):
    """The addresses of the pages in which `pwn()` was called."""

    def __init__(self, context: BrowserContext) -> None:
        super().__init__()
        context.expose_binding("pwn", lambda source, *_: self.append(source["frame"].url))


def press_everything(page: Page, frames: int) -> None:
    """Press whatever there is in so many frames; the windows that links open of right are closed again."""
    for number in range(frames):
        nth = 0
        while page.evaluate(PRESS, [number, nth]):
            nth += 1
    page.wait_for_timeout(SETTLED_MS)
    for other in page.context.pages[1:]:
        other.close()
