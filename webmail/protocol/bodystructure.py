"""BODYSTRUCTURE (RFC 9051 §7.5.2) to a tree of `Part`s, within bounds: a hostile tree is cut, never refused.

Two passes: parentheses to nested lists with a stack of our own, so that ten thousand levels cost no
Python stack; then lists to parts, at most MAX_DEPTH levels deep.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Union

from .text import decode_params
from .tokens import Token, number, string
from .types import Part

MAX_DEPTH = 50  # levels of parts
MAX_PARTS = 1_000
MAX_TEXT = 8_192  # octets of a parameter's value
MAX_PARAMS = 64

# A part costs one level of lists, its parameters and an embedded envelope three more.
_MAX_LISTS = 2 * MAX_DEPTH + 8
_MAX_SIZE = (1 << 63) - 1

_KEPT_PARAMS = ("format", "delsp", "report-type", "method", "protocol", "start", "smime-type")

Node = Union["Token", list["Node"]]


def read_structure(tokens: list[Token], start: int, end: int) -> Part | None:
    """The MIME tree in `tokens[start:end]`, parentheses included; None where there is none (NIL)."""
    root = _nest(tokens, start, end)
    if not root:
        return None
    return _Reader().part(root, "", MAX_DEPTH)


def _nest(tokens: list[Token], start: int, end: int) -> list[Node]:
    """The list that `tokens[start:end]` spells. Lists below _MAX_LISTS are left out."""
    root: list[Node] = []
    stack = [root]
    current = root
    too_deep = 0
    for index in range(start + 1, end - 1):
        token = tokens[index]
        if token == b"(":
            if too_deep or len(stack) >= _MAX_LISTS:
                too_deep += 1
                continue
            child: list[Node] = []
            current.append(child)
            stack.append(child)
            current = child
        elif token == b")":
            if too_deep:
                too_deep -= 1
                continue
            stack.pop()
            current = stack[-1]
        elif not too_deep:
            current.append(token)
    return root


class _Reader:
    """Reads one tree; counts the parts so that a thousand is enough."""

    def __init__(self) -> None:
        self.left = MAX_PARTS
        self.charset = ""  # of the first text: raw octets in names of files are often in the same

    def part(self, node: list[Node], section: str, depth: int) -> Part:
        """The part that `node` describes.

        Args:
            section: of this part; "" for the root.
            depth: levels still to be read.
        """
        self.left -= 1
        if node and isinstance(node[0], list):
            return self._multipart(node, section, depth)
        return self._leaf(node, section or "1", depth)

    def _multipart(self, node: list[Node], section: str, depth: int) -> Part:
        prefix = section.removesuffix("TEXT") if section.endswith(".TEXT") else section + "." if section else ""
        children: list[Part] = []
        at = 0
        while at < len(node):
            child = node[at]
            if not isinstance(child, list):
                break
            at += 1
            if depth > 1 and self.left > 0:
                children.append(self.part(child, f"{prefix}{at}", depth - 1))
        subtype = _word(node[at]) if at < len(node) else ""
        params = _params(node[at + 1]) if at + 1 < len(node) else {}
        disposition, more = _disposition(node[at + 2] if at + 2 < len(node) else b"NIL")
        return Part(
            section=section,
            type=f"multipart/{subtype or 'mixed'}",
            disposition=disposition,
            filename=part_filename(more, params, self.charset),
            params=kept_params(params),
            children=tuple(children),
        )

    def _leaf(self, node: list[Node], section: str, depth: int) -> Part:
        count = len(node)
        said = _word(node[0]) if count > 0 else ""
        main = said or "text"  # Dovecot says "" for a Content-Type that can't be read
        sub = (_word(node[1]) if count > 1 else "") or ("plain" if main == "text" else "octet-stream")
        params = _params(node[2]) if count > 2 else {}
        children: tuple[Part, ...] = ()
        extension = 8  # behind the MD5: text has a line count before it, a message an envelope and a body as well
        if said == "text":
            extension = 9
        elif main == "message" and sub in ("rfc822", "global") and count > 8 and isinstance(node[8], list):
            extension = 11
            body = node[8]
            if body and depth > 1 and self.left > 0:
                inner = f"{section}.TEXT" if isinstance(body[0], list) else f"{section}.1"
                children = (self.part(body, inner, depth - 1),)
        disposition, more = _disposition(node[extension] if count > extension else b"NIL")
        charset = _charset(params)
        if main == "text" and not self.charset:
            self.charset = charset
        return Part(
            section=section,
            type=f"{main}/{sub}",
            encoding=(_word(node[5]) if count > 5 else "") or "7bit",
            size=_size(node[6]) if count > 6 else 0,
            charset=charset,
            disposition=disposition,
            filename=part_filename(more, params, self.charset),
            content_id=_content_id(node[3]) if count > 3 else "",
            params=kept_params(params),
            children=children,
        )


def _raw(node: Node) -> bytes:
    if isinstance(node, list):
        return b""
    return string(node)


def _word(node: Node) -> str:
    """A type, subtype, encoding or parameter name, in lower case."""
    if isinstance(node, bytes) and len(node) <= 64:
        return _short_word(node)
    return _raw(node)[:255].decode("ascii", "replace").strip().lower()


@lru_cache(maxsize=1024)
def _short_word(token: bytes) -> str:
    return string(token).decode("ascii", "replace").strip().lower()


def _size(node: Node) -> int:
    return 0 if isinstance(node, list) else number(node)


def _content_id(node: Node) -> str:
    raw = _raw(node)
    if not raw:
        return ""
    return raw[:998].decode("utf-8", "replace").strip().removeprefix("<").removesuffix(">")


def _params(node: Node) -> dict[str, bytes]:
    if not isinstance(node, list):
        return {}
    return {_word(node[at]): _raw(node[at + 1])[:MAX_TEXT] for at in range(0, min(len(node), 2 * MAX_PARAMS) - 1, 2)}


def _disposition(node: Node) -> tuple[str, dict[str, bytes]]:
    """inline, attachment or "", and the parameters. What is neither is an attachment (RFC 2183 §2.8)."""
    if not isinstance(node, list) or not node:
        return "", {}
    kind = _word(node[0])
    if kind and kind != "inline":
        kind = "attachment"
    return kind, _params(node[1]) if len(node) > 1 else {}


def _charset(params: dict[str, bytes]) -> str:
    """The charset as it is declared, in the forms of RFC 2231 too."""
    if any(name.startswith("charset*") for name in params):  # Dovecot puts a default beside it
        return decode_params([*params.items()]).get("charset", "")[:64].lower()
    return params.get("charset", b"")[:64].decode("ascii", "replace").lower()


def part_filename(disposition: dict[str, bytes], content_type: dict[str, bytes], hint: str = "") -> str:
    """`filename`, else the `name` of older mail, whether plain, RFC 2231 or with encoded words."""
    for params, name in ((disposition, "filename"), (content_type, "name")):
        found: Sequence[tuple[str, bytes]] = [item for item in params.items() if item[0].partition("*")[0] == name]
        if found and (value := decode_params(found, hint).get(name, "")):
            return value
    return ""


def kept_params(params: dict[str, bytes]) -> tuple[tuple[str, str], ...]:
    """Those of a Content-Type's parameters that a `Part` keeps, in lower case."""
    if not params:
        return ()
    return tuple(
        (name, params[name][:255].decode("utf-8", "replace").lower()) for name in _KEPT_PARAMS if name in params
    )
