"""What the message frame holds, and how it is kept in the cache.

What is kept is the washed HTML; the document around it is made for the theme of the page that asks.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from webmail.protocol import html
from webmail.protocol.washed import Washed

_NAME = "frame-6"  # counted up with each change of what the washing does


@dataclass(frozen=True, slots=True)
class Frame:
    """What the message frame holds.

    Args:
        washed: the HTML, washed. tracking: those of its remote images that only report that it was opened, which are
            never shown. failed: it could not be washed, and there is nothing in it.
    """

    washed: Washed
    tracking: tuple[str, ...] = ()
    failed: bool = False

    @property
    def remote(self) -> tuple[str, ...]:
        """The URLs of the remote images of the message, shown or not."""
        return self.washed.remote

    @property
    def used(self) -> tuple[str, ...]:
        """Content-IDs of the images that it shows."""
        return self.washed.used

    @property
    def cut(self) -> bool:
        """Whether it was too long or too deep to be shown whole."""
        return self.failed or self.washed.cut

    @property
    def misleading(self) -> tuple[str, ...]:
        """A sentence for each link that goes elsewhere than its words say."""
        return self.washed.misleading

    def document(self, theme: str) -> str:
        """The whole HTML document, for a page with this theme."""
        return html.document(self.washed, theme=theme)

    @staticmethod
    def name_of(row: int, links: str, inside: str, *, darken: bool) -> str:
        """The name under which a frame is kept: by the links for its images, the section it lies at and its paper.

        And by its row, whose number its links carry: the index may be dropped and read anew.
        """
        return "".join((f"{_NAME}-{row}", "-dark" * darken, f"-{links}" * bool(links), f":{inside}" * bool(inside)))

    def pack(self) -> bytes:
        """The frame as it is kept."""
        return json.dumps([asdict(self.washed), self.tracking], ensure_ascii=False).encode()

    @staticmethod
    def unpack(kept: bytes) -> Frame:
        """The frame that was kept."""
        facts, tracking = json.loads(kept)
        return Frame(Washed(**{name: _frozen(value) for name, value in facts.items()}), tuple(tracking))


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
