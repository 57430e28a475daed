"""winmail.dat that lies about itself."""

from __future__ import annotations

import time

import pytest

from tests.bombs import BOMBS
from webmail.protocol.text import decode_transfer
from webmail.protocol.tnef import open_tnef


@pytest.mark.parametrize("name", [name for name in BOMBS if name.startswith("TNEF")])
def test_it_is_read_no_further_than_it_goes(name: str) -> None:
    packed = BOMBS[name]().rpartition(b"base64\r\n\r\n")[2].partition(b"--=_b")[0]
    start = time.monotonic()
    try:
        opened = open_tnef(decode_transfer(packed, "base64"))
    except ValueError:
        pass
    else:
        assert len(opened.structure.children) <= 200
    assert time.monotonic() - start < 2
