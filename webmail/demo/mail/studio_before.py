"""The studio a few weeks back: conversations at work that have come to rest."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from webmail.demo.mail import pictures
from webmail.demo.mail.conversation import Conversation, play
from webmail.demo.mail.documents import archive, document, spreadsheet
from webmail.demo.mail.letters import DemoMail, File


def messages(now: datetime) -> Iterator[DemoMail]:
    """What the studio wrote in the last weeks."""
    for conversation in _conversations():
        yield from play(conversation, now)


def _conversations() -> Iterator[Conversation]:
    yield Conversation(
        "site-photos",
        "Photos from the site, low water",
        "6d 18:02",
        "bob alice",
        """
@bob
Walked the whole quay at low water. Six pictures, the interesting one is number 3: the old piles are oak, not pine as
in the survey, and in better shape than the ones from 1974.

If we can keep eleven of them we save the whole of the temporary works.
@alice +40m
Eleven oak piles! I'll ask Priya what they can carry. Did you take samples, or is it too wet to drill?
@bob +15m noquote
Too wet, and I had the wrong boots. Tomorrow.
""",
        mailbox={"alice": "Projects/Harbour redesign"},
        files={
            1: [
                File(f"low-water-{n}.png", "image/png", pictures.harbour(480, 320, dusk=n > 2, seed=n + 20))
                for n in range(1, 5)
            ]
        },
    )
    yield Conversation(
        "keys",
        "Who has the key to the model room?",
        "8d 09:12",
        "carol leo alice bob",
        """
@carol
Title says it all.
@leo +3m
Not me. For once.
@bob +9m
It is in the model. On the third pontoon, next to the tiny lamp post. I needed it as a scale figure.
@carol +2m
I am not even angry, it is exactly the right height.
""",
    )
    yield Conversation(
        "newsletter-text",
        "Text for the studio's web page",
        "11d 14:40",
        "alice carol bob",
        """
@alice
Here is a draft for the page about the Ropewalk. I tried to say it without the words "vibrant", "hub" and "unlock".

    A quay is a place where two kinds of time meet. The tide comes twice a day and is never early; people come
    when they like and are often late. We have made the steps wide enough for both.

Too much?
@carol +2h
It's good. Lose "and is never early". Keep the rest, and let us have a picture with rain in it for once.
@bob +15m
I like "never early". Otherwise: yes. Rain picture attached.
@alice +1h
Compromise: "never early" stays, Carol gets to choose the font.
""",
        files={3: [File("rain.png", "image/png", pictures.harbour(600, 260, dusk=True, seed=33))]},
    )
    yield Conversation(
        "holiday-plan",
        "Summer: who is away when",
        "14d 10:00",
        "carol alice bob leo",
        """
@carol
Please put your weeks into the attached sheet. Two rules: never both structural people at once, and somebody feeds the
pigeon (yes Bob, it is officially the studio's pigeon now).
@bob +3h
Done. I take the two weeks after the exhibition.
@alice +20h
Done too. I take the last two weeks, Jonas has rented a house with a boat that "probably" floats.
@leo +1d
I don't do summer. I'll be in the server room, it has a fan.
""",
        files={
            1: [
                spreadsheet(
                    "weeks.xlsx",
                    [
                        ["Name", "From", "To"],
                        ["Carol", "", ""],
                        ["Bob", "", ""],
                        ["Alice", "", ""],
                        ["Leo", "never", "never"],
                    ],
                )
            ]
        },
    )
    yield Conversation(
        "bearing",
        "Bearing capacity of oak piles",
        "16d 12:25",
        "alice priya bob",
        """
@alice
Dear Priya,

we found eleven oak piles from the first quay. Diameter 320 to 360 mm, free length 4.2 m, embedded perhaps 6 m.
What could they carry, if the heads are sound? Roughly is enough, we only want to know whether to dream.
@priya +5h flagged
Dream, but modestly.

With 340 mm, sound heartwood of 260 mm and your soil I get 110 to 140 kN each, before any test. The question is never
the oak, it is the metre between high and low water. Send me three cores from that zone and I'll tell you if it is 140
or firewood.
@bob +1h
Cores on Friday. New boots have been bought.
@alice +30m
Bob's boots are now a line in the Q3 budget.
""",
        mailbox={"alice": "Projects/Harbour redesign", "bob": "Archive"},
    )
    yield Conversation(
        "backup",
        "Backup of the drawing server: please read once",
        "19d 17:15",
        "leo alice bob carol",
        """
@leo
I moved the nightly backup to the new box. What changes for you: nothing. What changes for me: I sleep.

If you want something back, tell me the path and the day. The last ninety days are there. Do not keep anything on the
desktop of the drawing computers, it is wiped each Sunday and I enjoy it.

The restore procedure is attached, in case a tram hits me.
@carol +30m
Thank you Leo. Please do look both ways.
""",
        files={
            1: [
                document(
                    "restore-procedure.docx",
                    [
                        "How to restore",
                        "1. Breathe.",
                        "2. Log in to the box.",
                        "3. Choose the day.",
                        "4. Copy the folder back, never the whole volume.",
                        "5. Tell Leo.",
                    ],
                ),
                archive(
                    "scripts.zip",
                    {
                        "restore.sh": b'#!/bin/sh\nset -eu\necho restore "$1" from "$2"\n',
                        "README.txt": b"Run restore.sh <path> <day>\n",
                    },
                ),
            ]
        },
    )
