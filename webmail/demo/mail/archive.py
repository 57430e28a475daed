"""What lies in Archive: short conversations of the last three years, so that scrolling down has an end worth seeing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from webmail.demo.mail.conversation import Conversation, play
from webmail.demo.mail.letters import DemoMail

_ARCHIVE = {"alice": "Archive", "bob": "Archive"}

# key, days ago and hour, subject, people, script
_TALKS: tuple[tuple[str, str, str, str, str], ...] = (
    (
        "first-day",
        "1088d 09:05",
        "Welcome to Quay & Larch",
        "carol alice",
        """
@carol
Dear Alice, we are so glad. Your desk is the one with the view, your computer is the one without a mouse (Leo knows). At
ten we have coffee, at eleven we argue about the bridge. Come hungry.
@alice +8h
Thank you for today! I have not laughed so much about a bridge in years.
""",
    ),
    (
        "bridge-name",
        "1041d 15:20",
        "A name for the bridge",
        "carol alice bob leo",
        """
@carol
The council asks for a name for the footbridge by Friday.
@bob +5m
Bridge.
@leo +2m
Bridge 2.
@alice +1h
"The Long Way Round". Because it is shorter.
@carol +3d
They have taken it. There will be a plaque.
""",
    ),
    (
        "moving-in",
        "980d 18:40",
        "Sofa",
        "jonas alice",
        """
@jonas
does the sofa go round your stairs
@alice +4m
Width 92, landing 88. So: no.
@jonas +1h
it does now
""",
    ),
    (
        "wren-intro",
        "905d 22:12",
        "Your tide tables",
        "wren alice",
        """
@wren
Hello! I run tidetable, a small open-source thing that predicts tides. You filed a bug saying our harbour is eleven
minutes late. I have looked into it, and the harbour is right. Thank you. Would you like to be on the mailing list?
@alice +10h
With pleasure. I only noticed because my pontoons arrived before the water did.
""",
    ),
    (
        "dentist",
        "861d 11:15",
        "Lunch?",
        "bob alice",
        """
@bob
Lunch at the corner place? They have the thing with the dumplings.
@alice +3m
Dentist until one. Save me three.
@bob +58m
There are two. I'm sorry. They looked at me.
""",
    ),
    (
        "priya-hello",
        "790d 10:02",
        "Introducing Loadpath",
        "priya alice bob",
        """
@priya
Dear Alice, dear Bob, Carol suggested that we talk. We calculate things that stand in water and shouldn't. We are small,
quick and rude about safety factors below 1.5.
@bob +3h
You had me at rude. Could you come on Tuesday with an opinion about larch?
@priya +20m
I own several opinions about larch. Tuesday.
""",
    ),
    (
        "snow",
        "702d 07:31",
        "Snow: the studio is closed",
        "carol alice bob leo",
        """
@carol
The trams have stopped, the door is frozen and the pigeon looks at me through the glass. Stay home. Draw something.
@leo +12m
The server room is 19 degrees and has biscuits. I got in yesterday and simply stayed.
@alice +30m
Drawing the snow load, since it is here.
""",
    ),
    (
        "exhibition",
        "655d 16:48",
        "Exhibition text, second version",
        "alice carol",
        """
@alice
Shorter, and without "dialogue". I've kept one "threshold", it is an actual threshold.
@carol +2h
Perfect. One threshold is allowed per year.
""",
    ),
    (
        "petra-choir",
        "598d 20:20",
        "You can sing, can't you",
        "petra alice",
        """
@petra
I heard you in the stairwell. We are short of altos and long on biscuits. Wednesdays, half past seven, no
auditions, just Grace looking at you.
@alice +1d
I was singing to the drawings. But yes.
@petra +9m
They start that way, all of them.
""",
    ),
    (
        "roof",
        "544d 13:37",
        "Roof of the ferry house",
        "dmitri alice bob",
        """
@dmitri
The gutter on the sea side is 8 mm lower than on the land side. Is it intention?
@alice +40m
Yes, the water should leave on the side where people don't stand.
@dmitri +4m
In my country we call this civilisation.
""",
    ),
    (
        "hiking",
        "489d 21:09",
        "The long path, Saturday",
        "klara alice",
        """
@klara
27 km, three beaches, one pub, forecast "bright with exceptions". Seven o'clock at the bus?
@alice +14m
Eight o'clock at the bus and I carry the thermos.
@klara +1m
Half past seven and you carry the thermos.
""",
    ),
    (
        "typo",
        "430d 09:50",
        "The sign at the ferry house",
        "bob alice carol",
        """
@bob
The sign is up. It's lovely. It says FREEY HOUSE.
@carol +2m
No.
@bob +1m
In bronze.
@alice +5m
Could we claim it's a promise?
@carol +1h
New one in three weeks. The old one hangs in our kitchen for ever.
""",
    ),
    (
        "tomas-visit",
        "371d 12:30",
        "I am in town!",
        "tomas alice bob",
        """
@tomas
Until Sunday! I have a suitcase full of tiles and no plan. Dinner??
@alice +20m
Dinner at mine at seven. Bring the tiles, my kitchen floor has plans.
@bob +9m
I bring the grout. This is the best invitation of the year.
""",
    ),
    (
        "hana-hello",
        "333d 08:15",
        "Model enquiry",
        "alice hana",
        """
@alice
Dear Ms Mizushima, we saw your model of the Onagi canal at the fair and stood in front of it for twenty
minutes. Would you build a harbour for us?
@hana +11h
Dear Alice, thank you very much. I like harbours: everything has a reason. Please send drawings, and a photograph of the
water on an ordinary day. よろしくお願いいたします。
@alice +1d
Ordinary water is the hardest to photograph. I'll try on Tuesday, Tuesdays are very ordinary here.
""",
    ),
    (
        "power-cut",
        "288d 17:02",
        "Power cut on Thursday",
        "leo alice bob carol",
        """
@leo
The city turns off the street on Thursday 14:00–16:00. Save early. I'll turn off the server at 13:45 myself,
with dignity.
@bob +35m
Can we do the thing with the candles and the hand drawings again?
@carol +3m
The last time you waxed a listed façade. But yes.
""",
    ),
    (
        "loan",
        "246d 10:25",
        "Can I borrow your laser?",
        "yusuf alice",
        """
@yusuf
Hello Alice can I borrow your line laser until Monday, mine fell into the harbour. It still shines down there.
@alice +6m
Of course. So that's the green light the choir was talking about!
""",
    ),
    (
        "petition",
        "203d 19:40",
        "Bench at the end of the mole",
        "klara alice",
        """
@klara
The city took away the bench at the end of the mole. I've started collecting signatures: 212 in two days.
@alice +2h
Sign me up, and tell them an architect will draw the new one for nothing. I have it in my head already: it
faces both ways.
@klara +6d
They said yes. Both ways!
""",
    ),
    (
        "printer-past",
        "158d 09:30",
        "Plotter, first symptoms",
        "leo alice bob",
        """
@leo
The plotter has begun to hum. In B flat. I mention it for the record.
@alice +15m
It's nearly an A. Petra could sing with it.
@bob +4m
For the record: it hums B flat only on sheets with stairs.
""",
    ),
    (
        "thanks-ingrid",
        "121d 14:14",
        "Thank you for the tour",
        "ingrid alice",
        """
@ingrid
Dear Ms Tideman, my daughter has asked me to tell you that the crane was good, that the pigeon was very good,
and that she will be a harbour when she grows up.
@alice +50m
Dear Ms Solbakken, we should be glad to draw her.
""",
    ),
)


def messages(now: datetime) -> Iterator[DemoMail]:
    """Three years of small talk, filed away."""
    for key, last, subject, people, script in _TALKS:
        yield from play(Conversation(key, subject, last, people, script, mailbox=_ARCHIVE), now)
