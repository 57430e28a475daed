"""The style sheets that pages load: one each, joined from files that are about one thing each.

What a sheet is joined from is its list below; the order matters only for tokens.css, which names the layers.
"""

from __future__ import annotations

from pathlib import Path

from django.conf import settings

from webmail.staticfiles import MadeFinder

_EVERYWHERE = ("tokens", "fonts", "base", "components", "floating", "layout")
SHEETS: dict[str, tuple[str, ...]] = {
    # Sign-in, settings, help, the administrator's panel.
    "css/page.css": (*_EVERYWHERE, "fields", "forms", "pages", "items", "outbox"),
    # The list and the message.
    "css/mail.css": (
        *_EVERYWHERE,
        "sidebar",
        "list",
        "rows",
        "selection",
        "message",
        "message-text",
        "writing",
        "facts",
        "print",
    ),
    # What not every message has, beside it where it does.
    "css/enclosed.css": ("images", "attachments"),
    # The editor.
    "css/write.css": (*_EVERYWHERE, "editor", "rich", "chips", "editor-foot"),
    # The editor over the mail; beside it, when it is wanted.
    "css/panel.css": ("editor", "rich", "chips", "editor-foot", "write-panel"),
    # Fields of recipients in plain forms, beside page.css.
    "css/people.css": ("chips", "people-fields", "address-book"),
    # Words with formatting in plain forms, beside page.css.
    "css/formatting.css": ("rich", "rich-field"),
    # Acting on mail: dialogs, menus, gestures; beside it, when the first of them is wanted.
    "css/acts.css": ("fields", "acting"),
    # An attachment to look at: beside either, when it is wanted.
    "css/preview.css": ("fields", "viewer"),
}


class SheetFinder(MadeFinder):
    """Finds the joined sheets."""

    def made(self) -> dict[str, str]:
        """Return every sheet by its static path."""
        source = Path(settings.BASE_DIR) / "static" / "css"
        return {
            path: "\n".join((source / f"{name}.css").read_text() for name in names) for path, names in SHEETS.items()
        }
