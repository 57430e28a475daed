"""The ASGI entrance, served by uvicorn: the event stream, and for the sake of health checks what Django serves."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webmail.settings")

_pages = get_asgi_application()

from webmail.live import entrance  # noqa: E402  needs the settings that Django has read by now


async def application(scope: entrance.Scope, receive: entrance.Receive, send: entrance.Send) -> None:
    """A stream for whoever asks for it; anything else is a page."""
    if scope["type"] == "http" and scope["path"] == "/live/" and scope["method"] == "GET":
        await entrance.serve(scope, receive, send)
    else:
        await _pages(scope, receive, send)
