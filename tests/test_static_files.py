"""What the pages load: found in full, stripped without loss, and small."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.template import TemplateSyntaxError
from django.template.loader import get_template

from bench import weight
from webmail.icons import ICONS, MASKS, sprite
from webmail.npm import FILES
from webmail.sheets import SHEETS
from webmail.staticfiles import strip
from webmail.templatetags.icons import ROLES, file_icon, icon, role_icon

ROOT = Path(__file__).resolve().parents[1]
BUDGET = 30_000
EDITOR_BUDGET = 60_000


def found(path: str) -> Path:
    """Return the file that the finders give for a static path."""
    file = finders.find(path)
    assert isinstance(file, str), f"{path} is not found"
    return Path(file)


def test_every_listed_file_is_found_and_nothing_else_of_npm():
    for path in FILES:
        assert found(path).stat().st_size > 500
    assert finders.find("npm/package.json") is None


def test_the_sheets_hold_their_parts_in_order():
    for path, names in SHEETS.items():
        text = found(path).read_text()
        places = [text.index((ROOT / f"static/css/{name}.css").read_text()) for name in names]
        assert places == sorted(places)


def test_no_sheet_of_the_mail_dresses_the_editor_over_it():
    """The panel stands on the page of a list or a message, whose own rules may name no class of the editor's alone."""
    sources = [
        *Path("templates/compose").glob("_*.html"),
        *map(Path, ["static/js/draft-files.js", "static/js/people-fields.js"]),
    ]
    named = re.findall(r'class(?:Name)?\s*=\s*"([^"]+)"', "".join(source.read_text() for source in sources))
    editors = {name for names in named for name in re.sub(r"{.*?}", " ", names).split()}
    shared = {*SHEETS["css/page.css"], *SHEETS["css/panel.css"]}
    for sheet in ("css/mail.css", "css/enclosed.css", "css/acts.css", "css/preview.css"):
        for name in {*SHEETS[sheet]} - shared:
            rules = Path(f"static/css/{name}.css").read_text()
            heads = set(re.findall(r"(?m)^ *\.([\w-]+)(?=[^.]*?[{,])", rules))
            assert heads & editors == set(), name


def test_a_mailbox_page_loads_at_most_30_kb():
    size = weight.mailbox()
    assert size <= BUDGET, f"{size} octets"


def test_the_editor_loads_at_most_60_kb_with_formatting():
    size = weight.editor()
    assert 40_000 < size <= EDITOR_BUDGET, f"{size} octets"


def test_stripping_a_style_sheet_keeps_what_it_says():
    source = b"""/* gone
     * altogether */
@layer one {
  .a :is(b, c) > d,
  e + f::before {
    /* gone */
    inset: calc(1px + 2px) auto;
    content: " - " / "";
  }
}
"""
    stripped = strip("a.css", source)
    assert stripped.strip() == (
        b'@layer one{.a :is(b,c) > d,e + f::before{inset:calc(1px + 2px) auto;content:" - " / ""}}'
    )


def test_stripping_a_module_keeps_its_lines():
    source = b"/** About. */\n\nimport x from './x.js';\n\n  // why\n  const url = `http://${x} /* kept */`; // kept\n"
    assert strip("a.js", source).strip() == b"import x from './x.js';\nconst url = `http://${x} /* kept */`; // kept"


def test_no_string_of_a_module_holds_a_line_end():
    for file in (ROOT / "static/js").glob("*.js"):
        for line in strip("a.js", file.read_bytes()).splitlines():
            assert line.count(b"`") % 2 == 0, f"{file.name}: {line!r}"


def test_every_icon_is_in_the_sprite():
    text = sprite()
    for name in ICONS:
        assert f'<symbol id="{name}" viewBox="0 0 24 24"><' in text
    assert set(ROLES.values()) <= set(ICONS)
    for name in MASKS:
        assert found(f"icons/{name}.svg").read_text().startswith("<svg")


def test_every_template_can_be_read_and_names_icons_that_exist():
    for file in (ROOT / "templates").rglob("*.html"):
        get_template(str(file.relative_to(ROOT / "templates")))
        for name in re.findall(r'{% icon "([^"]+)" %}', file.read_text()):
            assert name in ICONS, f"{file.name} names {name}"


def test_an_unknown_icon_is_the_authors_error_but_never_the_readers():
    with pytest.raises(TemplateSyntaxError):
        icon("no-such-drawing")
    assert "#file" in file_icon("no-such-drawing")
    assert "#folder" in role_icon("no-such-role")
