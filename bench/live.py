"""Push: how soon the page knows, and what it costs to listen.

    python -m bench.live --json
    python -m bench.live --only watch             what idle connections cost: see `bench.watch`
    python -m bench.live --only heard             from a delivery to the index: see `bench.heard`
    python -m bench.live --only page              from a delivery to the page: see `bench.page`

Each part starts what it needs and ends it.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from typing import Any

from bench import heard, page, watch

PARTS: dict[str, Callable[[], dict[str, Any]]] = {
    "watch": watch.measure,
    "heard": heard.measure,
    "page": page.measure,
}


def main() -> None:
    """Run what is asked for and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=sorted(PARTS), action="append")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    result: dict[str, Any] = {}
    for name, run in PARTS.items():
        if not arguments.only or name in arguments.only:
            result |= run()
    print(json.dumps(result, indent=None if arguments.json else 2))


if __name__ == "__main__":
    sys.exit(main())
