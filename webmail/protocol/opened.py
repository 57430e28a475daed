"""What came out of a container: a tree of parts and their octets, and how they travel as bytes.

A container (S/MIME, TNEF, an encoded message) at section "2" holds sections of its own. From outside they are called
"2!1", "2!1.2": what is right of the last "!" is a section inside what is left of it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from .packing import pack, unpack
from .types import Part

MARK = "!"
_MAX_STRUCTURE = 512 * 1024


@dataclass(frozen=True, slots=True)
class Opened:
    """An opened container.

    Args:
        structure: its tree, sections as inside; None where it could not be opened.
        bodies: octets by section, encoded as the part says. facts: what else is known of it, as JSON has it.
    """

    structure: Part | None
    bodies: Mapping[str, bytes] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)


def write(opened: Opened) -> bytes:
    """One line of JSON, then the bodies one behind the other."""
    packed = pack(opened.structure, most=_MAX_STRUCTURE) if opened.structure is not None else ""
    sizes = [[section, len(data)] for section, data in opened.bodies.items()] if packed else []
    head = json.dumps({"structure": packed, "sizes": sizes, "facts": dict(opened.facts)})
    return b"\n".join((head.encode(), b"".join(opened.bodies.values()) if packed else b""))


def read(data: bytes) -> Opened:
    """What `write` wrote.

    Raises:
        ValueError: it is something else.
    """
    head, _, rest = data.partition(b"\n")
    try:
        facts = json.loads(head)
        bodies, at = {}, 0
        for section, size in facts["sizes"]:
            bodies[section] = rest[at : at + size]
            at += size
        structure = unpack(facts["structure"]) if facts["structure"] else None
        return Opened(structure, bodies, facts["facts"])
    except (KeyError, TypeError, RecursionError) as error:
        raise ValueError("not an opened container") from error


def named_from_outside(part: Part, container: str) -> Part:
    """The tree of a container with the sections that name it from outside."""
    children = tuple(named_from_outside(child, container) for child in part.children)
    return replace(part, section=f"{container}{MARK}{part.section}", children=children)


def put_in(structure: Part, section: str, inside: Part) -> Part:
    """`structure` with the tree `inside` in place of the part at `section`."""
    if structure.section == section and not structure.children:
        return inside
    if not structure.children:
        return structure
    return replace(structure, children=tuple(put_in(child, section, inside) for child in structure.children))
