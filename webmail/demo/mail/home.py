"""Life after work: family, the choir, school, the flat hunt."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from webmail.demo.mail import pictures
from webmail.demo.mail.conversation import Conversation, play
from webmail.demo.mail.documents import pdf
from webmail.demo.mail.letters import DemoMail, File

_FAMILY = {"alice": "Family"}


def messages(now: datetime) -> Iterator[DemoMail]:
    """Private mail of the last months."""
    for conversation in (*_family(), *_flat(), *_choir(), *_school()):
        yield from play(conversation, now)


def _photo(name: str, seed: int, *, dusk: bool = False) -> File:
    return File(name, "image/png", pictures.harbour(640, 420, dusk=dusk, seed=seed))


def _family() -> Iterator[Conversation]:
    yield Conversation(
        "birthday",
        "Dad's 70th (do NOT forward to Dad)",
        "55m",
        "jonas alice ruth",
        """
@jonas
ok so we have four weeks. I say the old ferry. It has a kitchen, it has a deck, and he can't leave

who is in
@alice +30m
In. The ferry is for hire until midnight and the skipper owes me something (long story with pontoons).

How many are we? I count 34 with the cousins and 35 with the cousin we don't count.
@ruth +4h
My dears, your father thinks we go out for soup on that day. He has already said that he hopes it will be a small
thing. Please let it be a small thing with 35 people.

He would like a cake with lemon. I would like nobody to jump into the harbour this time.
@jonas +12m
noted: lemon. cannot promise the other
@alice +1h
I'll ask Grace if four of the choir would sing on the upper deck. Mum, can you get the slides out of the attic without
him noticing? The box says "TAX 1988".
@ruth +50m unread flagged
The box does say TAX 1988 and it is full of tax. Where did he put the slides?
""",
        mailbox=_FAMILY,
    )
    yield Conversation(
        "soup",
        "Recipe",
        "5d 19:20",
        "ruth alice",
        """
@ruth
You asked for the soup.

    2 leeks, 3 potatoes, 1 smoked fish (from Ansel, not from the shop)
    butter, more butter
    dill when the fire is off, NOT before

Cook until the kitchen smells like your grandmother. Cream if it rains.
@alice +25h
It rained, so: cream. It was nearly right. I think the fish was from the shop and knew it.
@ruth +40m
They always know.
""",
        mailbox=_FAMILY,
    )
    yield Conversation(
        "boat",
        "the boat that probably floats",
        "12d 21:44",
        "jonas alice",
        """
@jonas
found a house for the summer with a boat!! see pictures. owner says "she probably floats"
@alice +35m
"Probably"? Did you ask when she was last asked?
@jonas +3m
2019
@alice +2m
I'm bringing Bob's boots.
@jonas +5m
bring bob
""",
        mailbox=_FAMILY,
        files={1: [_photo("house.png", 61), _photo("boat.png", 62, dusk=True)]},
    )
    yield Conversation(
        "postcards",
        "Greetings from the north",
        "33d 20:05",
        "ruth alice jonas",
        """
@ruth
We are on the fourth island. Your father has photographed each lighthouse twice in case it moved. The weather is what he
calls "clear enough". I have won eleven games of cards and he says that the table is not level.

The little one on the pier is you, aged five, I mean a child exactly like you: she was telling the fishermen how the
pier should have been built.
@alice +1h
I hope she was right about the pier.
@ruth +14h
Entirely right. They are going to move the ladder.
""",
        mailbox=_FAMILY,
        files={
            1: [_photo("lighthouse 1.png", 71), _photo("lighthouse 1 again.png", 71), _photo("pier.png", 73, dusk=True)]
        },
    )
    yield Conversation(
        "wifi",
        "The internet is broken",
        "47d 18:31",
        "ruth alice",
        """
@ruth
The internet is broken since the man was here about the boiler.
@alice +20m
Is the little white box in the hall lit?
@ruth +6m
There is no little white box in the hall. There is a little white box in my hand, it was in the way of the boiler.
@alice +2m
Please put it back and plug both cables in. Yellow to yellow.
@ruth +11m
It works! I am writing this on it. How did you do that from there?
""",
        mailbox=_FAMILY,
    )


def _flat() -> Iterator[Conversation]:
    yield Conversation(
        "flat-viewing",
        "Flat at Sailmakers' Row 12, third floor",
        "1d 12:15",
        "oskar alice",
        """
@oskar
Dear Ms Tideman,

thank you for your interest in the flat at Sailmakers' Row 12: 71 m², two and a half rooms, kitchen with a window,
cellar, no lift. The particulars are attached.

Could you come to the viewing tomorrow at 17:30? There will be other parties.

Kind regards
@alice +2h
Dear Mr Fjell,

I'd be glad to. One question in advance: the plan shows a wall between kitchen and hall with a thickness of 12 cm. Is it
original? From the outside it looks as if somebody moved it in the seventies.
@oskar +3h
Dear Ms Tideman,

in eleven years nobody has asked me about a wall. I rang the owner. It was moved in 1974, by him, at night, and he would
like to know who told you.
@alice +15m
The skirting boards told me. See you at half past five!
@oskar +19h unread
Dear Ms Tideman,

the owner would like to give the flat to the person with the skirting boards. If you still want it, I need the three
forms by Friday. The draft of the lease is attached.

My congratulations
""",
        files={
            1: [
                pdf(
                    "Sailmakers Row 12.pdf",
                    "Sailmakers' Row 12, third floor",
                    [
                        "71 m2, 2.5 rooms, kitchen with window",
                        "Heating: district",
                        "Cellar: yes (dry)",
                        "Lift: no, but a good banister",
                    ],
                )
            ],
            5: [
                pdf(
                    "Lease draft.pdf",
                    "Lease (draft)",
                    [
                        "between the owner and Ms A. Tideman",
                        "Deposit: two months",
                        "The tenant may move walls only by day.",
                    ],
                )
            ],
        },
    )
    yield Conversation(
        "flat-old",
        "Giving notice",
        "20d 08:10",
        "alice oskar",
        """
@alice
Dear Mr Fjell, how much notice do I have to give for the flat in Chandler Lane? My contract says "three
months to the end of a quarter or what is customary in a harbour town". What is customary in a harbour town?
@oskar +6h
Dear Ms Tideman, four weeks and a bottle for the neighbours below.
""",
        mailbox={"alice": "Archive"},
    )
    yield Conversation(
        "cellar",
        "Cellar flooding: meeting on the stairs",
        "27d 19:00",
        "klara alice",
        """
@klara
Hi Alice, water in the cellar again, ankle-deep at my shelves, dry at yours (how?). Meeting on the stairs at eight.
Bring a torch and an opinion.
@alice +35m
I raised my shelves on bricks after the last time. I have eleven bricks left, they're yours. Opinion: it is the drain in
the yard, not the sea. The sea would have been ruder.
@klara +2h
It was the drain. You were right, the plumber was right, only Mr Henning still says it's the sea.
""",
        mailbox={"alice": "Archive"},
    )


def _choir() -> Iterator[Conversation]:
    yield Conversation(
        "choir-week",
        "Choir practice moved to the boat shed",
        "4h36m",
        "grace alice petra bob",
        """
@grace
My dears,

the parish hall has a wedding, so on Wednesday we sing in the boat shed, half past seven as always. Bring a jumper. The
acoustics are glorious if nobody is sawing.

We start with bar 41 of the Rheinberger, where we all know what we did last time.
@petra +2h
I know what I did last time and I'd do it again.

Biscuits from me. Does anybody know if the shed has a kettle?
@bob +30m plain
The shed has a kettle, a stove and a half-finished boat. Tenors get the boat.
@grace +3h unread
Kettle, stove, boat: perfect. Altos, please learn page 6 by heart, I shall be looking at you the whole time.

The recording of the soprano line is on its way to those who asked.
""",
    )
    yield Conversation(
        "concert",
        "Concert programme: last corrections",
        "10d 22:10",
        "grace alice petra",
        """
@grace
Alice, you have the good eyes. Could you read the programme once more before it goes to print tonight? The last time we
thanked the "Lion's Cub" for the loan of the chairs.
@alice +2h
Three things:

1. p. 2: "The choir would like to tank the sponsors"
2. p. 3: the Rheinberger has lost an h
3. p. 4: Petra is listed as a bass

Everything else is beautiful.
@petra +10m
Leave number 3. I have waited for this.
@grace +20m
1 and 2 corrected. 3 printed.
""",
    )
    yield Conversation(
        "solo",
        "Who sings the solo",
        "38d 21:02",
        "grace bob petra alice",
        """
@grace
Bob, you have been hiding behind the second basses for two years. Would you take the eight bars in the Holst?
@bob +1d plain
Only if nobody looks.
@petra +20m
We'll close our eyes. It's more romantic anyway.
@bob +15m plain
Fine.
""",
        mailbox={"alice": "Archive"},
    )


def _school() -> Iterator[Conversation]:
    yield Conversation(
        "council-3b",
        "Parents of 3b: lanterns, lice and the class trip",
        "2d 20:48",
        "nadia alice klara",
        """
@nadia
Dear parents of 3b (and dear godmothers, Alice!),

three things from yesterday's meeting:

1. Lanterns. We build them on Saturday from ten in the art room. Needed: wire, tissue paper, patience.
2. Lice. Yes. Again. Please check tonight.
3. Class trip to the island: 46 per child. Whoever finds that difficult tells me, and only me.

We still need two adults who aren't afraid of ferries.
@klara +3h
I take the lice seriously and the ferry as well. Put me down. Does 46 contain the lunch?
@alice +40m
Mila's godmother reporting. I'm good with wire and I know the man who runs the ferry. Put me down too.
@nadia +1h flagged
Wonderful! Lunch is contained, seasickness is extra. Klara and Alice: please be at the landing stage at 07:50 with the
list that I enclose.
""",
        files={
            4: [
                pdf(
                    "List 3b.pdf",
                    "Class trip 3b",
                    [
                        "24 children",
                        "2 teachers",
                        "2 adults who aren't afraid of ferries",
                        "Landing stage 2, 07:50",
                        "Bring: hat, cup, no sweets (a few sweets)",
                    ],
                )
            ]
        },
    )
    yield Conversation(
        "lost-mitten",
        "One mitten, red, with a whale",
        "18d 17:26",
        "nadia klara alice",
        """
@nadia
Found after the museum: one red mitten with a whale. Nobody claims it. It is a very good mitten.
@klara +15m
That's Mila's! The other one fell off the ferry. So now the pair is complete in spirit.
@alice +10m
I can knit. I can't knit whales. But I know a choir with eleven grandmothers in it.
@nadia +2h
The mitten waits at the school office, and the office wants to see the whale when it's done.
""",
    )
    yield Conversation(
        "book-swap",
        "Book swap on the last day before the holidays",
        "43d 19:55",
        "nadia alice klara",
        """
@nadia
Please give each child one book they have finished with and one they couldn't finish. We believe that these are the
most interesting ones.
@alice +22h
Mila sends "The Knot Book" (finished) and my old structural mechanics (not finished, page 11, she liked the bridge).
""",
        mailbox={"alice": "Archive"},
    )
