"""The editor's form as a browser without scripts has it."""

from __future__ import annotations

from html.parser import HTMLParser

Attributes = list[tuple[str, str | None]]


def form_of(page: str) -> dict[str, str]:
    """The attributes of the form that holds the message."""
    return _read(page).form


def words_of(page: str) -> dict[str, str]:
    """Its fields by name, as they would be sent; its buttons and files are left out."""
    return _read(page).fields


def _read(page: str) -> _Reader:
    reader = _Reader()
    reader.feed(page)
    assert reader.found is not None, "no form of the editor"
    return reader.found


class _Reader(HTMLParser):
    """Reads form after form and keeps the one that has a key for sending."""

    def __init__(self) -> None:
        super().__init__()
        self.form: dict[str, str] = {}
        self.fields: dict[str, str] = {}
        self.found: _Reader | None = None
        self._area = self._select = ""

    def handle_starttag(self, tag: str, attrs: Attributes) -> None:
        values = {name: value or "" for name, value in attrs}
        name = values.get("name", "")
        if tag == "form":
            self.form, self.fields = values, {}
        elif tag == "textarea":
            self._area = name
            self.fields[name] = ""
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select and ("selected" in values or self._select not in self.fields):
            self.fields[self._select] = values.get("value", "")
        elif tag == "input" and name and (values.get("type") not in ("file", "checkbox") or "checked" in values):
            self.fields[name] = values.get("value", "")

    def handle_data(self, data: str) -> None:
        if self._area:
            self.fields[self._area] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self.fields[self._area] = self.fields[self._area].removeprefix("\n")
            self._area = ""
        elif tag == "select":
            self._select = ""
        elif tag == "form" and self.found is None and "send_key" in self.fields:
            self.found = _Reader()
            self.found.form, self.found.fields = self.form, self.fields
