"""Icons for templates, out of the one sprite; all are silent to screen readers: the words are beside them.

`{% icon "archive" %}` for a drawing the author names, `{% role_icon mailbox.role %}` for a mailbox,
`{% file_icon card.icon %}` for an attachment, whose icon is data and may be unknown.
"""

from __future__ import annotations

import functools

from django import template
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

from webmail.icons import ICONS, SPRITE

register = template.Library()

ROLES = {
    "inbox": "inbox",
    "drafts": "file-pen",
    "sent": "send",
    "archive": "archive",
    "junk": "octagon-alert",
    "trash": "trash-2",
}


@register.simple_tag
def icon(name: str) -> SafeString:
    """Print the icon called `name`; a name that is not in the sprite is the template author's error."""
    if name not in ICONS:
        raise template.TemplateSyntaxError(f"webmail.icons.ICONS has no “{name}”.")
    return _use(name)


@register.simple_tag
def role_icon(role: str) -> SafeString:
    """Print the icon of a mailbox with this role; a folder when it has none."""
    return _use(ROLES.get(role, "folder"))


@register.simple_tag
def file_icon(name: str) -> SafeString:
    """Print the icon called `name`, or a plain file when the sprite has none of that name."""
    return _use(name if name in ICONS else "file")


# A process serves one set of static files, so an icon is always the same string: a page has dozens of them.
@functools.cache
def _use(name: str) -> SafeString:
    return format_html('<svg class="icon" aria-hidden="true"><use href="{}#{}"/></svg>', static(SPRITE), name)
