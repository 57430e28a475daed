"""Words with formatting in a form of the settings: a signature, a template.

Two fields hold them, as text and as HTML. A script writes the HTML in an editor, and leaves the text empty for as long
as that follows from it; without scripts there is the text, and what stood in the HTML stays unless a box is ticked.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from django import forms
from django.urls import reverse

from webmail.protocol.placeholders import PLACEHOLDERS
from webmail.protocol.signing_off import MAX_CHARACTERS, as_plain


class WordsField(forms.CharField):
    """The words as text. They keep the blanks they begin and end with."""

    def __init__(self, label: str, rows: int, **kwargs: Any) -> None:
        area = forms.Textarea({"rows": rows})
        super().__init__(label=label, max_length=MAX_CHARACTERS, required=False, strip=False, widget=area, **kwargs)


class FormattedField(forms.CharField):
    """The same words as HTML, which nobody is shown as such."""

    def __init__(self) -> None:
        too_long = "With all its formatting this is too long. Leave some of it out."
        super().__init__(
            max_length=MAX_CHARACTERS,
            required=False,
            widget=forms.HiddenInput(),
            error_messages={"max_length": too_long},
        )


class FormattedForm(forms.Form):
    """A form with such a pair. `words` and `formatted` are their names; `preview` is the route of how it will look."""

    words: ClassVar[str]
    formatted: ClassVar[str]
    preview: ClassVar[str]
    has_placeholders: ClassVar[bool] = False

    def clean(self) -> dict[str, Any]:
        """Without scripts a box says that the words hold for messages with formatting as well."""
        data = super().clean() or self.cleaned_data
        if self.data.get("plain_only") == "1":
            data[self.formatted] = ""
        return data

    @property
    def words_field(self) -> forms.BoundField:
        return self[self.words]

    @property
    def formatted_field(self) -> forms.BoundField:
        return self[self.formatted]

    @property
    def preview_path(self) -> str:
        return reverse(self.preview)

    @property
    def is_own(self) -> bool:
        """Whether somebody wrote the text, so that it doesn't follow from the HTML."""
        text, html = (str(field.value() or "").strip() for field in (self.words_field, self.formatted_field))
        return bool(text and html) and text.replace("\r\n", "\n") != as_plain(html).strip()

    @property
    def placeholders(self) -> Iterator[tuple[str, str, str]]:
        """Each that may stand in the words: as it is written, its name, and what it stands for."""
        if self.has_placeholders:
            for name, meaning in PLACEHOLDERS.items():
                yield f"{{{name}}}", name.replace("_", " ").capitalize(), meaning
