"""What washing costs, beside nh3 alone and Bleach, and what hostile shapes can make it cost.

    .venv/bin/python -m bench.sanitise --json

CPU milliseconds are medians over newsletters never seen before: words, links, colours and rules are others in each.
nh3 alone is `nh3.clean` with its own lists; it leaves no style and checks none. Bleach runs in a child that is ended
after LIMIT seconds. Each hostile shape runs in a child of its own; its peak of memory is the kernel's (VmHWM), less
that of a child that washes one letter.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nh3

from bench.mail import newsletter
from webmail.protocol import html

SIZES = {"20k": 20_000, "100k": 100_000, "500k": 500_000, "1m": 1_000_000}
ROUNDS = {"20k": 60, "100k": 40, "500k": 12, "1m": 8}
LIMIT = 20  # seconds for all that Bleach is asked for one size
RATIO_GOAL, SECONDS_GOAL, MEGABYTES_GOAL = 5.0, 2.0, 256

_COLOUR = re.compile(r"#[0-9a-f]{6}")

HOSTILE: dict[str, Callable[[], str]] = {
    "deep nesting": lambda: "<div>" * 200_000,
    "deep tables": lambda: "<table><tr><td>" * 66_000,
    "unclosed formatting": lambda: "<p>" + "".join(f"<font color={n}>" for n in range(30_000)) + "<p>x" * 100_000,
    "unclosed tags": lambda: "<a b='" * 170_000,
    "unclosed comments": lambda: "<!--" * 250_000,
    "entity flood": lambda: "&amp;" * 200_000,
    "ampersands": lambda: "&" * 1_000_000,
    "huge attribute": lambda: f'<p title="{"x" * 1_000_000}">x</p>',
    "entities in an attribute": lambda: f'<p title="{"&" * 1_000_000}">x</p>',
    "many attributes": lambda: "<a " + "b=c " * 250_000 + ">",
    "megabytes of style": lambda: "<style>" + ".a{color:red;background:url(//x.example/y)}" * 60_000 + "</style>",
    "style to be read carefully": lambda: "<style>" + "a\\{b{color:red}" * 60_000 + "</style>",
    "style attributes, all others": lambda: "".join(f"<p style='width:min({n}px,1px)'>" for n in range(28_000)),
    "braces": lambda: "<style>\\" + "{" * 1_000_000,
    "functions in functions": lambda: "<p style='width:" + "calc(" * 200_000 + "'>",
    "100,000 elements": lambda: "<b>x</b>" * 100_000,
    "100,000 links": lambda: "".join(f"<a href=//h{n}.example>{n}.test</a>" for n in range(30_000)),
    "ten megabytes": lambda: "<p>words " * 1_200_000,
}


def measure() -> dict[str, Any]:
    """Everything: `cpu_ms` by size, `ratio_100k`, and `hostile` by shape with `worst_seconds` and `worst_mb`."""
    costs = {name: _costs(name) for name in SIZES}
    hostile = {name: _in_child("hostile", name) for name in HOSTILE}
    idle = _in_child("hostile", "")["mb"]
    for shape in hostile.values():
        shape["mb"] = round(shape["mb"] - idle, 1)
    return {
        "cpu_ms": costs,
        "ratio_100k": round(costs["100k"]["ours"] / costs["100k"]["nh3"], 2),
        "hostile": hostile,
        "worst_seconds": max(shape["seconds"] for shape in hostile.values()),
        "worst_mb": max(shape["mb"] for shape in hostile.values()),
    }


def fresh(size: int, seed: int) -> str:
    """A newsletter of about `size` characters in which every colour is another than in those before."""
    rng = random.Random(seed)
    return _COLOUR.sub(lambda _colour: f"#{rng.getrandbits(24):06x}", newsletter(size, seed=seed))


def _costs(name: str) -> dict[str, float | None]:
    ours, alone = [], []
    for number in range(ROUNDS[name] + 3):
        source = fresh(SIZES[name], 10_000 + number)
        ours.append(_milliseconds(lambda source=source: html.document(html.wash(source, images={}))))
        alone.append(_milliseconds(lambda source=source: nh3.clean(source)))
    return {
        "ours": round(statistics.median(ours[3:]), 2),
        "nh3": round(statistics.median(alone[3:]), 2),
        "bleach": _in_child("bleach", name).get("ms"),
    }


def _milliseconds(run: Callable[[], object]) -> float:
    start = time.thread_time()
    run()
    return (time.thread_time() - start) * 1000


def _in_child(what: str, name: str) -> dict[str, Any]:
    try:
        done = subprocess.run(
            [sys.executable, "-m", "bench.sanitise", "--child", what, name],
            capture_output=True, check=True, timeout=LIMIT if what == "bleach" else 120,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return {}
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def _child(what: str, name: str) -> dict[str, Any]:
    if what == "bleach":
        import bleach  # noqa: PLC0415 - only here
        from bleach.css_sanitizer import CSSSanitizer  # noqa: PLC0415

        tags, attributes, css = set(html.TAGS), ["style", "href", "src", "width", "height", "class"], CSSSanitizer()
        spent = []
        for number in range(3):
            source = fresh(SIZES[name], 20_000 + number)
            start = time.thread_time()
            bleach.clean(source, tags=tags, attributes=attributes, css_sanitizer=css, strip=True)
            spent.append((time.thread_time() - start) * 1000)
        return {"ms": round(statistics.median(spent), 1)}
    source = HOSTILE[name]() if name else "x"
    start = time.process_time()
    washed = html.wash(source, images={})
    html.document(washed)
    seconds = time.process_time() - start
    # The peak of this program alone: getrusage would count what its parent had before it began (proc(5)).
    peak = int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1]) / 1024  # type: ignore[index]
    return {"seconds": round(seconds, 2), "mb": round(peak, 1), "cut": washed.cut}


def main() -> int:
    """Measure, print, and say whether the goals are met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print nothing but JSON")
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        print(json.dumps(_child(*arguments.child)))
        return 0
    found = measure()
    if arguments.json:
        print(json.dumps(found, indent=2))
    else:
        for name, costs in found["cpu_ms"].items():
            print(f"{name:5}", *(f"{who} {spent} ms" for who, spent in costs.items()))
        for name, shape in found["hostile"].items():
            print(f"{name:30} {shape['seconds']:5.2f} s {shape['mb']:7.1f} MB{'  cut' if shape['cut'] else ''}")
    met = found["ratio_100k"] <= RATIO_GOAL and found["worst_seconds"] <= SECONDS_GOAL
    return int(not met or found["worst_mb"] > MEGABYTES_GOAL)


if __name__ == "__main__":
    sys.exit(main())
