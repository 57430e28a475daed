"""The mailing list of tidetable, a small program that Alice uses and sometimes mends: code, patches, deep quoting."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from webmail.demo.mail.conversation import Conversation, play
from webmail.demo.mail.letters import DemoMail, File
from webmail.demo.mail.people import Person

_LIST = (
    ("List-Id", "tidetable developers <dev.tidetable.example>"),
    ("List-Post", "<mailto:dev@tidetable.example>"),
    ("List-Archive", "<https://lists.tidetable.example/dev/>"),
    ("List-Unsubscribe", "<https://lists.tidetable.example/leave?u=alice>, <mailto:dev-leave@tidetable.example>"),
    ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
    ("Precedence", "list"),
)

_DEVELOPERS = Person("tidetable developers", "dev@tidetable.example")

_PATCH = b"""\
From 3f1c9ad Mon Sep 17 00:00:00 2001
From: Alice Tideman <alice@demo.test>
Subject: [PATCH] Interpolate across midnight

diff --git a/tidetable/curve.py b/tidetable/curve.py
--- a/tidetable/curve.py
+++ b/tidetable/curve.py
@@ -41,7 +41,9 @@ def height(at: datetime, table: Table) -> float:
     before, after = table.around(at)
-    share = (at.hour * 60 + at.minute - before.minutes) / (after.minutes - before.minutes)
+    # Minutes of the day run backwards at midnight; seconds since the epoch never do.
+    share = (at - before.time) / (after.time - before.time)
     return before.height + (after.height - before.height) * (1 - cos(pi * share)) / 2
"""


def messages(now: datetime) -> Iterator[DemoMail]:
    """The list as a subscriber sees it; her own mail comes back as a copy in Sent only."""
    for conversation in _threads():
        yield from play(replace(conversation, headers=_LIST, list_address=_DEVELOPERS), now)


def _threads() -> Iterator[Conversation]:
    yield Conversation(
        "tide-midnight",
        "[tidetable] Wrong height between the last tide of the day and midnight",
        "7h14m",
        "sam alice wren june",
        """
@sam
Hi all,

since 0.9 the curve goes through the floor shortly before midnight:

    >>> from tidetable import Harbour
    >>> weymere = Harbour("weymere")
    >>> weymere.height("23:40")
    -11.72

Minus eleven metres is a lot, even for Weymere. 0.8.3 says 1.94, the harbour master says 1.9.
@june +2h
> Minus eleven metres is a lot, even for Weymere.

I can reproduce it here, but only if the next high water is after midnight:

    assert around("23:40") == (Tide("22:58", 1.1), Tide("05:07", 4.6))

So `after.minutes` is 307 and `before.minutes` is 1378 and we divide by a negative number. It did not show
before 0.9 because the table was always sorted by day *and* padded with the next day.
@alice +9h
I ran into this last week; my pontoons would have been under the sea bed. I think that the right thing is to stop
counting minutes of the day. Patch attached, with a test for each of the 365 midnights of a year.

    $ python -m pytest -q tests/test_midnight.py
    ........................................................................ [ 19%]
    [...]
    365 passed in 0.41s
@wren +1h30m
Lovely. Two small things:

 1. `around()` may return naive datetimes when the table comes from a CSV file. Could you add a line that
    refuses those? A silent hour is worse than a crash.
 2. Do you want to be in AUTHORS? I think this is your third patch and we have cake at five.
@sam +40m re=3
Confirmed here: 1.93 with the patch. The sea bed is safe.
@alice +3h re=4
> Could you add a line that refuses those?

Done, v2 is on its way. It says `TimesWithoutZone` and names the file and the line.

> Do you want to be in AUTHORS?

Only after the cake.
@june +1h30m unread
v2 works for me on all the files I have, including the cursed one from 1987. From my side it can go in.
""",
        files={3: [File("0001-interpolate-across-midnight.patch", "text/x-patch", _PATCH)]},
    )
    yield Conversation(
        "tide-release",
        "[tidetable] 0.10 release plan",
        "5d 23:12",
        "wren alice sam june",
        """
@wren
I'd like to release 0.10 next weekend. What must be in:

 [x] midnight fix (Alice)
 [x] CSV files with a byte order mark (June)
 [ ] moon phase as an emoji 🌒 (Sam says that it's vital)
 [ ] the harbours of the north coast, 31 of them

What may wait: everything that has the word "plugin" in it.
@sam +5h
The moon is done:

    def phase(day: date) -> str:
        return "🌑🌒🌓🌔🌕🌖🌗🌘"[round(age(day) / 29.530588 * 8) % 8]
@june +2h
North coast: 28 of 31. The remaining three are one harbour under three names, and the locals don't agree either.
""",
    )
    yield Conversation(
        "tide-fonts",
        "[tidetable] Printing the year on one sheet",
        "15d 20:40",
        "june alice wren",
        """
@june
Has anybody printed the whole year on a single A2? The numbers get down to 5 pt, and 6 and 8 become one animal.
@alice +3h
Use a face with tabular figures and an open 6, set the tides in two greys, and leave the lines out. I enclose a page
that hangs in our ferry house, people read it with wet glasses.

    high water   bold, 100 % black
    low water    regular, 60 %
    Sundays      a dot in front, no colour
@wren +20h
This looks so good that I've made it the default. `tidetable print --year --like-the-ferry-house`
""",
        mailbox={"alice": "Archive"},
    )
    yield Conversation(
        "tide-dst",
        "[tidetable] Summer time, again",
        "81d 22:31",
        "sam wren june alice",
        """
@sam
On the morning when the clocks change there are two 02:30s and we print the tide of the first one twice.
@wren +1h
Tides don't have summer time. Print them in UTC with the local hour beside it?
@june +40m
> Tides don't have summer time.

The people who stand in the mud do. Please: local time, and a small "B" behind the second one.
@sam +12h
A small "B" it is. I've written the test at 02:30, both of them.
""",
        mailbox={"alice": "Archive"},
    )
    yield Conversation(
        "tide-docs",
        "[tidetable] Docs: what is a harmonic constituent, for people?",
        "140d 19:05",
        "wren alice",
        """
@wren
Alice, you draw for a living. Could you explain M2 and S2 in one picture, for people who have never seen a cosine?
@alice +2d
Two children on swings. The heavy one is the moon. When they swing together you get springs, when they don't you get
neaps. I'll draw it, the children will be anonymous.
@wren +30m
I'll never be able to look at the formula again without seeing this. Thank you!
""",
        mailbox={"alice": "Archive"},
    )
