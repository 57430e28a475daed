"""Remote images of a message: whether they are shown to this person, and each of them fetched, drawn anew and kept.

The room's one law: without the person's word nothing is asked for, and with it only we ask. The word is given for one
message (an hour), for a sender or for a domain (`trust`); pixels that only report are never asked for.
"""

from __future__ import annotations

import enum
import http.client
import logging
import threading
import time
from dataclasses import dataclass

from webmail.models import Message, User
from webmail.protocol import bounded, redraw, trackers, web
from webmail.protocol.errors import Busy, ProtocolError, TryAgain
from webmail.protocol.raster import raster_type

from . import bodies, image_cache, reading, trust
from .image_links import ImageLinks
from .paths import inline_root, remote_root
from .reading import Body, NotThere
from .trust import NOBODY, Standing

MAX_OCTETS = 5 * 2**20  # of one image as it comes (security T3)
SECONDS = 10.0  # for one image in all …
FETCH_SECONDS = 7.0  # … of which this long for fetching it
ONCE_SECONDS = 3600  # how long "this message" holds

_AT_ONCE = 4  # fetches of one process: half of its threads, so that pages never wait for foreign hosts
_WAIT = 2.0  # seconds for one of these

_slots = threading.BoundedSemaphore(_AT_ONCE)
_log = logging.getLogger(__name__)


class Shown(enum.Enum):
    """Whether a message's remote images are shown, and why."""

    NO = "no"
    ONCE = "once"
    ALLOWED = "allowed"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether, why, and how the sender stands."""

    shown: Shown
    standing: Standing = NOBODY

    @property
    def yes(self) -> bool:
        """Whether the images are shown."""
        return self.shown in (Shown.ONCE, Shown.ALLOWED)


def show_once(message: Message, inside: str = "") -> bool:
    """Show the images of this message for an hour. False where that can't be remembered just now."""
    name = _once(inside)
    bodies.put(message, {name: b"1"}, seconds=ONCE_SECONDS)
    return name in bodies.get(message, [name])


def hide(message: Message, inside: str = "") -> None:
    """Take that back."""
    bodies.put(message, {_once(inside): b""}, seconds=ONCE_SECONDS)


def decide(user: User, message: Message, body: Body, inside: str = "") -> Decision:
    """Whether the remote images of `message` are shown to `user`.

    Args:
        inside: the section of the message inside it that `body` is of. Who wrote that nobody has checked.
    """
    if user.remote_images == User.RemoteImages.NEVER:
        return Decision(Shown.NEVER)
    standing = NOBODY if inside else trust.standing(user, message, body.envelope, body.header)
    if standing.allowed is not None:
        return Decision(Shown.ALLOWED, standing)
    once = bodies.get(message, [_once(inside)]).get(_once(inside))
    return Decision(Shown.ONCE if once else Shown.NO, standing)


def read(user: User, message: Message, inside: str = "", *, to_print: bool = False) -> Body:
    """What is shown of the message, with its remote images where the person wants them. Raises as `reading.body`.

    Args:
        inside: the section of a message inside this one. to_print: on white paper, whatever the person chose.
    """
    darken = user.darkens and not to_print
    body = reading.body(message, inline_root(message), inside=inside, darken=darken)
    if body.frame is None or len(body.frame.remote) == len(body.frame.tracking):
        return body
    if not decide(user, message, body, inside).yes:
        return body
    return reading.body(message, inline_root(message), _links(message, inside), inside=inside, darken=darken)


def image(message: Message, token: str, inside: str = "") -> tuple[str, bytes]:
    """Type and octets of the remote image that `token` is for; a placeholder where it can't be had.

    Raises:
        NotThere: the token is for no image of this message. ProtocolError: the message itself can't be read.
    """
    body = reading.body(message, inline_root(message), inside=inside)
    urls = set(body.frame.remote) - set(body.frame.tracking) if body.frame else set()
    url = _links(message, inside).find(token, urls)
    if url is None:
        raise NotThere
    kept = image_cache.get(message.account_id, url)
    octets = kept if kept is not None else _fetch_now(message, url)
    octets = octets or redraw.placeholder()
    return raster_type(octets), octets


def fetch(account_id: int, url: str) -> bytes:
    """Fetch one image, draw it anew and keep it; b"" where it can't be had. At most SECONDS."""
    host, end = trackers.host_of(url), time.monotonic() + SECONDS
    if image_cache.is_away(account_id, host):
        return b""
    seconds = image_cache.FAILED_SECONDS
    try:
        raw = web.image(url, FETCH_SECONDS, MAX_OCTETS)
        drawn = bounded.run(
            "webmail.protocol.redraw:redraw", raw, seconds=max(1.0, (end - time.monotonic()) / 2), most=redraw.MOST
        )
    except Busy:
        return b""
    except (TryAgain, TimeoutError, ConnectionError) as error:
        _log.info("a remote image: %s", error)
        image_cache.note_away(account_id, host)
        drawn, seconds = b"", image_cache.AWAY_SECONDS
    except (ProtocolError, OSError, ValueError, http.client.HTTPException) as error:
        _log.info("a remote image: %s", error)
        drawn = b""
    image_cache.put(account_id, url, drawn, seconds if not drawn else 0)
    return drawn


def _links(message: Message, inside: str) -> ImageLinks:
    return ImageLinks(message, remote_root(message, inside))


def _once(inside: str) -> str:
    """The name under which the word for one message is kept."""
    return f"images-shown:{inside}"


def _fetch_now(message: Message, url: str) -> bytes:
    """Fetch for somebody who waits; b"" beyond the limits."""
    if not _slots.acquire(timeout=_WAIT):
        return b""
    try:
        if not image_cache.may_fetch(message.account.user_id):
            return b""
        return fetch(message.account_id, url)
    finally:
        _slots.release()
