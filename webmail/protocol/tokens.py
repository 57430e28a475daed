"""Segments of a response to tokens, and what one token says.

Where a response ends is settled by `wire` alone, from line ends and literal lengths. What is read here
can therefore be nonsense without the stream losing its place: nonsense becomes an empty value, never an
exception other than BadAnswer, and never deep recursion.
"""

from __future__ import annotations

import re

from .errors import BadAnswer

# A token is bytes for an atom, a parenthesis or a quoted string (its quotes still on), and Literal for a literal.
# BODY[...]<...> is one token although it may hold spaces and parentheses.
_TOKEN = re.compile(
    rb'"(?:[^"\\]|\\.)*"'
    rb"|[()]"
    rb"|(?i:BINARY|BODY)\[[^\]]*\](?:<\d{1,10}>)?"
    rb'|[^\s()"]+',
    re.DOTALL,
)
_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)


class Literal:
    """A literal among the tokens: told apart from an atom by its type, so never mistaken for a parenthesis."""

    __slots__ = ("data",)

    def __init__(self, data: bytes) -> None:
        self.data = data


Token = bytes | Literal


def tokenize(segments: list[bytes]) -> list[Token]:
    """The tokens of a response, flat, parentheses included.

    Args:
        segments: as `Wire.response` gives them: line, literal, line, …
    """
    if len(segments) == 1:
        return list[Token](_TOKEN.findall(segments[0]))
    tokens: list[Token] = []
    for index, segment in enumerate(segments):
        if index % 2:
            # The announcement {123} is the last token of the line before.
            if tokens and isinstance(tokens[-1], bytes) and tokens[-1].endswith(b"}"):
                tokens.pop()
            tokens.append(Literal(segment))
        else:
            tokens.extend(_TOKEN.findall(segment))
    return tokens


def skip(tokens: list[Token], at: int) -> int:
    """Where the value that starts at `at` ends: behind one token, or behind a closing parenthesis."""
    if tokens[at] != b"(":
        return at + 1
    depth = 0
    for index in range(at, len(tokens)):
        token = tokens[index]
        if token == b"(":
            depth += 1
        elif token == b")":
            depth -= 1
            if not depth:
                return index + 1
    raise BadAnswer(detail="a parenthesis that never closes")


def string(token: Token) -> bytes:
    """The octets of a string or atom; b"" for NIL and for a parenthesis."""
    if isinstance(token, Literal):
        return token.data
    if token[:1] == b'"':
        inner = token[1:-1]
        return _ESCAPED.sub(rb"\1", inner) if b"\\" in inner else inner
    if token in (b"(", b")") or token.upper() == b"NIL":
        return b""
    return token


def number(token: Token, limit: int = (1 << 63) - 1) -> int:
    """A number of the grammar; 0 where there is none or it is above `limit`."""
    if isinstance(token, bytes) and token.isdigit() and len(token) <= 19:
        value = int(token)
        return value if value <= limit else 0
    return 0
