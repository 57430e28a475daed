"""Results kept by the text they are of, where mail says the same thing hundreds of times.

The room's one law: what is kept is short, so that hostile mail can't fill the memory by saying long things, each once.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Any, TypeVar, cast

_Function = TypeVar("_Function", bound=Callable[..., Any])


def remembered(most: int, longest: int) -> Callable[[_Function], _Function]:
    """Decorate a function of a text, and perhaps of more, that always answers the same; all by position.

    Args:
        most: how many results are kept, those asked for last. longest: characters of a text whose result is kept.
    """

    def decorate(function: _Function) -> _Function:
        kept = lru_cache(maxsize=most)(function)

        @wraps(function)
        def ask(text: str, *others: Any) -> Any:
            return kept(text, *others) if len(text) <= longest else function(text, *others)

        return cast("_Function", ask)

    return decorate
