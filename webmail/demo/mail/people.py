"""The people of the demo: who they are, how they sign, what their mail programs do.

Alice is an architect in a small harbour studio, Bob her colleague and the second demo user. Everybody lives in a
domain that cannot exist (.test, .example), so no reply can ever reach a stranger.
"""

from __future__ import annotations

from dataclasses import dataclass
from email.headerregistry import Address
from typing import Literal

QuoteStyle = Literal["below", "inline", "outlook", "none"]


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who writes.

    `zone` is the offset of their clock from UTC in hours, or None for the demo user's own; `rich` says that
    their program sends an HTML half as well; `quotes` how it carries what is replied to.
    """

    name: str
    email: str
    signature: str = ""
    program: str = ""
    rich: bool = False
    quotes: QuoteStyle = "below"
    zone: float | None = None

    @property
    def address(self) -> Address:
        return Address(display_name=self.name, addr_spec=self.email)

    @property
    def domain(self) -> str:
        return self.email.rpartition("@")[2]


STUDIO = "Studio Quay & Larch · Old Ropewalk 4"

CAST: dict[str, Person] = {
    "alice": Person("Alice Tideman", "alice@demo.test", f"Alice Tideman\nArchitect, {STUDIO}", rich=False),
    "bob": Person("Bob Novak", "bob@demo.test", f"Bob\n--\nBob Novak | structures & timber | {STUDIO}", rich=True),
    "carol": Person("Carol Osei", "carol@demo.test", f"Carol Osei\nPartner, {STUDIO}", "Letterbox 16.2", rich=True),
    "leo": Person(
        "Leo Marchetti", "leo@demo.test", "leo (the one with the keys to the plotter)", "Mutter 2.2.9", quotes="inline"
    ),
    "dmitri": Person(
        "Dmitri Sorokin",
        "dmitri@nordpier.example",
        "Dmitri Sorokin\nNordpier Marine Engineering",
        "Postwagon 7",
        quotes="outlook",
        zone=3,
    ),
    "eliska": Person("Eliška Horáková", "eliska@horakova-ucto.example", "Eliška Horáková\núčetní", rich=True, zone=1),
    "farid": Person(
        "Farid Naseri",
        "farid@blueanchor.example",
        "Farid Naseri\nBlue Anchor Ferries, operations",
        "Postwagon 7",
        rich=True,
        quotes="outlook",
    ),
    "grace": Person("Grace Whitlow", "grace@harbourvoices.example", "Grace x", "Letterbox 15.0", rich=True),
    "hana": Person("水島 花", "hana@mizushima-mokei.example", "水島 花 / Hana Mizushima\nMizushima Models", zone=9),
    "ingrid": Person(
        "Ingrid Solbakken",
        "ingrid.solbakken@portauthority.example",
        "Ingrid Solbakken\nPermits & Moorings, Port Authority\nTel. +00 555 0142",
        "Postwagon 7",
        rich=True,
        quotes="outlook",
    ),
    "jonas": Person("Jonas Tideman", "jonas@tideman.example", "", "Pocket Mail (phone)", quotes="none"),
    "ruth": Person("Ruth Tideman", "ruth@tideman.example", "Love, Mum", "Letterbox 15.0", quotes="none"),
    "klara": Person("Klara Wójcik", "klara@wojcik-studio.example", "Klara", rich=True, zone=1),
    "nadia": Person(
        "Nadia Brandt", "nadia@larkfield-parents.example", "Nadia Brandt\nfor the parents of class 3b", rich=True
    ),
    "oskar": Person(
        "Oskar Fjell",
        "oskar@keysandco.example",
        "Oskar Fjell · Keys & Co. Lettings · 555 0177",
        "Postwagon 7",
        rich=True,
        quotes="outlook",
    ),
    "priya": Person(
        "Priya Raman", "priya@loadpath.example", "Priya Raman, CEng\nLoadpath Structural", quotes="inline", zone=5.5
    ),
    "tomas": Person("Tomás Beltrán", "tomas@marpinta.example", "Tomás", "Pocket Mail (phone)", rich=True, zone=1),
    "wren": Person("Wren Abara", "wren@tidetable.example", "Wren", "Mutter 2.2.9", quotes="inline"),
    "sam": Person("Sam Okonjo-Lee", "sam@smallpress.example", "/sam", "Mutter 2.2.9", quotes="inline", zone=-5),
    "june": Person("June Castellan", "june@castellan.example", "June", "Letterbox 16.2", quotes="inline", zone=-8),
    "mallory": Person(
        "Mallory Quill",
        "mallory@quill-growth.example",
        "Mallory Quill\nGrowth Alchemist, Quill Growth Partners",
        rich=True,
    ),
    "petra": Person("Petra Lund", "petra@lundmusic.example", "Petra (second alto, first to the biscuits)"),
    "yusuf": Person("Yusuf Demir", "yusuf@demirjoinery.example", "Yusuf Demir\nDemir Joinery", "Pocket Mail (phone)"),
}

USERS: tuple[str, ...] = ("alice", "bob")
