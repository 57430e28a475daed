"""What lies inside a part: an attached message, or what a program of ours gets out of a container.

A section names its place from outside in: "2.1" is a part of the message in 2, as a server numbers it; "2!1" is what
lies at 1 in the container 2, which was opened by `protocol.containers` and is kept in the sealed cache.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from webmail.models import Message
from webmail.protocol import bounded, content, kinds, text
from webmail.protocol.errors import TooMuch, Unreadable
from webmail.protocol.opened import MARK, Opened, named_from_outside, read
from webmail.protocol.types import Attachment, Content, Part

from . import bodies
from .fetching import NotThere, sections, structure_of

__all__ = ["HEADER_LIMIT", "NotThere", "Scope", "decoded", "find", "open_container", "read_sections", "scope_of"]

MAX_CONTAINER = 25 * 2**20  # octets, still encoded, of a container that is opened
HEADER_LIMIT = 256 * 1024
_MAX_NESTED = 3  # containers in containers

_SECTION = re.compile(r"[0-9A-Z.]{1,300}(?:![0-9A-Z.]{0,300}){0,3}")


@dataclass(frozen=True, slots=True)
class Scope:
    """A message, or one inside a message: where its parts and its header are.

    Args:
        root: its structure, sections as they are named from outside. header: the section of its header block.
        part: what it lies in; None for the message itself. facts: of an opened container.
        whole: that container is all of its message.
    """

    root: Part
    header: str
    part: Part | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    whole: bool = False


def scope_of(message: Message, inside: str) -> Scope:
    """The message itself for "", else what lies inside the part at that section.

    Raises:
        NotThere: nothing lies there, or it can't be opened. ProtocolError: it can't be read.
    """
    if not inside:
        return Scope(structure_of(message), "HEADER")
    part = _part_at(message, inside)
    if part.children and not kinds.is_encoded_message(part):
        return Scope(part.children[0], f"{part.section}.HEADER", part)
    if not (kinds.is_encoded_message(part) or kinds.is_container(part)):
        raise NotThere
    opened = open_container(message, part)
    if opened.structure is None:
        raise NotThere
    tree = named_from_outside(opened.structure, inside)
    if kinds.is_encoded_message(part):
        return Scope(tree, f"{inside}{MARK}HEADER", part)
    return Scope(tree, _header_around(message, inside), part, opened.facts, whole=_tree_of(message, inside) == part)


def read_sections(
    message: Message,
    wanted: Mapping[str, int | None],
    kept: Mapping[str, bytes] | None = None,
    containers: Mapping[str, Opened] | None = None,
) -> dict[str, bytes]:
    """As `fetching.sections`, those inside containers too.

    Args:
        containers: those that the caller has opened, by section.
    """
    outside = {section: limit for section, limit in wanted.items() if MARK not in section}
    found = sections(message, outside, kept)
    opened = dict(containers or {})
    for section, limit in wanted.items():
        if section not in found:
            container, _, inner = section.rpartition(MARK)
            if container not in opened:
                opened[container] = open_container(message, _part_at(message, container))
            found[section] = opened[container].bodies.get(inner, b"")[:limit]
    return found


def open_container(message: Message, part: Part, fetch: Callable[[], bytes] | None = None) -> Opened:
    """What is in the container: from the cache, else opened in a child process and kept.

    Args:
        fetch: gives what is at its section, for a caller that fetches more along with it.

    Raises:
        NotThere: it is too large. ProtocolError: it can't be read now. One that can't be opened is empty.
    """
    name = f"{part.section}{MARK}"
    kept = bodies.get(message, [name]).get(name)
    if kept is not None:
        return read(kept)
    if part.size > MAX_CONTAINER or part.section.count(MARK) >= _MAX_NESTED:
        raise NotThere
    octets = fetch() if fetch else read_sections(message, {part.section: MAX_CONTAINER})[part.section]
    data = text.decode_transfer(octets, part.encoding)
    try:
        answer = bounded.run("webmail.protocol.containers:open_container", data, argument=part.type)
    except (Unreadable, TooMuch):
        answer = b'{"structure": "", "sizes": [], "facts": {}}\n'
    bodies.put(message, {name: answer})
    return read(answer)


def decoded(message: Message, item: Attachment, stream: Callable[[str], Iterator[bytes]]) -> Iterator[bytes]:
    """The decoded octets of an attachment, piece by piece.

    Args:
        stream: gives a section piece by piece as the server has it; what is in a container is kept already.
    """
    decoder = text.TransferDecoder(item.encoding)
    if MARK in item.section:
        chunks = iter(read_sections(message, {item.section: None}).values())
    else:
        chunks = stream(item.section)
    for chunk in chunks:
        yield decoder.feed(chunk)
    yield decoder.finish()


def find(message: Message, section: str) -> Attachment:
    """The attachment or inline image at this section, wherever it lies.

    Raises:
        NotThere: no message here shows or lists such a part. ProtocolError: it can't be read.
    """
    for shown in _scopes(message, section):
        for item in (*shown.attachments, *shown.inline):
            if item.section == section:
                return item
    raise NotThere


def _scopes(message: Message, section: str) -> Iterator[Content]:
    """What is chosen of the message or container that holds the section, and of the messages inside it on the way."""
    root = _tree_of(message, section)
    yield content.choose(root)
    for part in root.walk():
        is_open = kinds.is_message(part) and part.children and not kinds.is_encoded_message(part)
        if is_open and section.startswith(f"{part.section}."):
            yield content.choose(part.children[0])


def _part_at(message: Message, section: str) -> Part:
    for part in _tree_of(message, section).walk():
        if part.section == section and not part.type.startswith("multipart/"):
            return part
    raise NotThere


def _header_around(message: Message, section: str) -> str:
    """The header of the message that a part belongs to."""
    around = ""
    for part in _tree_of(message, section).walk():
        is_open = kinds.is_message(part) and part.children and not kinds.is_encoded_message(part)
        if is_open and section.startswith(f"{part.section}."):
            around = part.section  # the innermost comes last
    if around:
        return f"{around}.HEADER"
    container = section.rpartition(MARK)[0]
    if not container:
        return "HEADER"
    if kinds.is_encoded_message(_part_at(message, container)):
        return f"{container}{MARK}HEADER"
    return _header_around(message, container)


def _tree_of(message: Message, section: str) -> Part:
    """The tree that numbers this section: the message's, or that of the container it lies in."""
    if not _SECTION.fullmatch(section):
        raise NotThere
    container = section.rpartition(MARK)[0]
    if not container:
        return structure_of(message)
    opened = open_container(message, _part_at(message, container))
    if opened.structure is None:
        raise NotThere
    return named_from_outside(opened.structure, container)
