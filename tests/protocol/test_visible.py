"""Raw text with what is unseen made to be seen."""

from __future__ import annotations

from webmail.protocol.visible import visible


def test_lines_stay_and_the_unseen_is_seen() -> None:
    assert visible("a\r\nb\nc\td") == "a\nb\nc\td"
    assert visible("a\rb\x1b[2K\x7f") == "a␍b␛[2K␡"
    assert visible("gpj.\u202eexe\u200b\ufeff\x85") == "gpj.⟨U+202E⟩exe⟨U+200B⟩⟨U+FEFF⟩⟨U+0085⟩"
    assert visible("Größe ✓ 会議") == "Größe ✓ 会議"
