"""A person who signs in, with the settings that follow them everywhere."""

from __future__ import annotations

import zoneinfo

from django.contrib.auth.models import AbstractUser
from django.core.exceptions import ValidationError
from django.db import models


def check_time_zone(name: str) -> None:
    """Raise ValidationError unless `name` is an IANA time zone."""
    if name not in zoneinfo.available_timezones():
        raise ValidationError("“%(name)s” is not a time zone.", params={"name": name})


class User(AbstractUser):
    """`username` is the mail address for people who sign in with mail, any name for those an administrator makes.

    A user made by mail sign-in has an unusable password: the mail server is asked each time.
    """

    class Theme(models.TextChoices):
        SYSTEM = "system", "As the device"
        LIGHT = "light", "Light"
        DARK = "dark", "Dark"

    class Density(models.TextChoices):
        COMFORTABLE = "comfortable", "Comfortable"
        COMPACT = "compact", "Compact"

    class ReadingPane(models.TextChoices):
        RIGHT = "right", "Right"
        BELOW = "below", "Below"
        OFF = "off", "Off"

    class TextSize(models.IntegerChoices):
        SMALL = 0, "Small"
        NORMAL = 1, "Normal"
        LARGE = 2, "Large"
        LARGEST = 3, "Very large"

    class UndoSeconds(models.IntegerChoices):
        NONE = 0, "Not at all"
        FIVE = 5, "For 5 seconds"
        TEN = 10, "For 10 seconds"
        TWENTY = 20, "For 20 seconds"
        THIRTY = 30, "For 30 seconds"

    class Writes(models.TextChoices):
        AS_ANSWERED = "as", "In plain text; answers as the mail they answer"
        RICH = "rich", "With formatting"
        PLAIN = "plain", "In plain text"

    class RemoteImages(models.TextChoices):
        ASK = "ask", "Ask, except for senders you allowed"
        NEVER = "never", "Never load them"

    class Hint(models.TextChoices):
        NEW = "new", "Somebody is written to for the first time"
        OUTSIDE = "outside", "It goes outside the organisation"
        MANY = "many", "More than 20 people see one another’s addresses"
        SENDER = "sender", "An answer goes out as another address"
        ATTACHMENT = "attachment", "An attachment is mentioned, and there is none"

    class ReadReceipts(models.TextChoices):
        ASK = "ask", "Ask me"
        ALWAYS = "always", "Send it, and ask when in doubt"
        NEVER = "never", "Never send it"

    class Swipe(models.TextChoices):
        ARCHIVE = "archive", "Archive"
        DELETE = "delete", "Delete"
        READ = "read", "Mark read or unread"
        NONE = "none", "Nothing"

    time_zone = models.CharField(max_length=64, default="UTC", validators=[check_time_zone])
    theme = models.CharField(max_length=8, choices=Theme.choices, default=Theme.SYSTEM)
    density = models.CharField(max_length=12, choices=Density.choices, default=Density.COMFORTABLE)
    reading_pane = models.CharField(max_length=8, choices=ReadingPane.choices, default=ReadingPane.RIGHT)
    text_size = models.PositiveSmallIntegerField("text size", choices=TextSize.choices, default=TextSize.NORMAL)
    darken_mail = models.BooleanField("Show coloured mail on dark paper", default=False)
    prefer_plain = models.BooleanField("Show mail as plain text", default=False)
    notifies = models.BooleanField("Notify me of new mail", default=False)
    remote_images = models.CharField(max_length=8, choices=RemoteImages.choices, default=RemoteImages.ASK)
    undo_seconds = models.PositiveSmallIntegerField(
        "sending can be undone", choices=UndoSeconds.choices, default=UndoSeconds.TEN
    )
    writes = models.CharField("messages are written", max_length=8, choices=Writes.choices, default=Writes.AS_ANSWERED)
    hidden_hints = models.CharField(max_length=60, blank=True, editable=False)  # names of Hint, blanks between
    collects_people = models.BooleanField("Remember whom I write to", default=True)
    read_receipts = models.CharField(max_length=8, choices=ReadReceipts.choices, default=ReadReceipts.ASK)
    single_keys = models.BooleanField("keys without Ctrl", default=True)
    keys = models.JSONField(
        default=dict, blank=True, editable=False
    )  # command → keys, where not the usual (store.keys)
    swipe_right = models.CharField(max_length=8, choices=Swipe.choices, default=Swipe.ARCHIVE)
    swipe_left = models.CharField(max_length=8, choices=Swipe.choices, default=Swipe.DELETE)

    @property
    def darkens(self) -> bool:
        """Whether coloured mail is shown with other colours; never in the light theme, where that has no sense."""
        return self.darken_mail and self.theme != self.Theme.LIGHT

    @property
    def hints(self) -> frozenset[str]:
        """Which hints before a message leaves are shown."""
        return frozenset(self.Hint.values).difference(self.hidden_hints.split())

    @property
    def initials(self) -> str:
        """Two letters for the round button at the top right."""
        words = self.get_full_name().split() or self.username.split("@")[0].replace(".", " ").split()
        return "".join(word[0] for word in words[:2]).upper() or "?"
