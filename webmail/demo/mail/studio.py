"""Days at Studio Quay & Larch: conversations at work that are still fresh."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from webmail.demo.mail import pictures
from webmail.demo.mail.conversation import Conversation, play
from webmail.demo.mail.documents import pdf, spreadsheet
from webmail.demo.mail.letters import DemoMail, File


def messages(now: datetime) -> Iterator[DemoMail]:
    """What the studio wrote lately."""
    for conversation in _conversations():
        yield from play(conversation, now)


def _budget_sheet() -> File:
    return spreadsheet(
        "Budget Q3 v4.xlsx",
        [
            ["Item", "Planned", "Spent", "Left"],
            ["Model making", 4200, 3150, 1050],
            ["Survey boat", 2800, 2800, 0],
            ["Printing", 900, 1240, -340],
            ["Travel", 1600, 410, 1190],
            ["Timber samples", 750, 690, 60],
        ],
    )


def _conversations() -> Iterator[Conversation]:
    yield Conversation(
        "q3-budget",
        "Budget for Q3",
        "37m",
        "bob alice carol",
        """
@bob flagged
I went through the numbers for Q3 and we are closer to the edge than I thought. Printing is 340 over (the big
panels for the council), the survey boat is spent to the last coin, and travel has hardly been touched.

My proposal: move 400 from travel to printing and keep the model money as it is, because the second harbour
model is the one thing everybody will remember.

The sheet and a chart are attached. Could you both look before Thursday?
@alice +1h50m
Thanks for doing this, Bob. Moving 400 is fine with me.

Two questions:
1. Is the scanner lease in "printing" or nowhere at all? I can't find it.
2. Do we have the invoice for the timber samples? 690 seems low.
@carol +40m
Agreed on the 400. The scanner lease is in overheads, I moved it there in spring and told nobody. Sorry!

Please don't touch the model line. The mayor asked about the model before he asked about the bridge.
@bob +1h5m unread
Found the timber invoice: it was two invoices. 690 + 215, so we are 155 over there instead of 60 under.
Still fine if we skip the second round of larch.

Version 5 follows tonight. Nobody print anything until then, please. Leo, that means you (I know you read these).
""",
        files={
            1: [
                _budget_sheet(),
                File(
                    "q3-spending.png",
                    "image/png",
                    pictures.bars((31, 28, 12, 41, 7, 22), 720, 280, ink="#9cc5d8", accent="#0b6e99"),
                ),
            ]
        },
    )
    yield Conversation(
        "printer",
        "The plotter is eating the drawings again",
        "2h11m",
        "leo alice bob carol",
        """
@leo
Status of the plotter, in order of despair:

 - Tuesday: prints everything 3 % too small
 - Wednesday: prints everything 3 % too small, but in magenta
 - today: has swallowed sheet A-107 and won't give it back

I have ordered a new feed roller. Until it comes please send A1 sheets to the copy shop on Net Street, they have
an account for us.
@bob +25m
Is A-107 the one with the stair? Because the joiner is coming for the stair at four.
@leo +6m
It is the one with the stair.
@alice +20m
I have a paper copy of the stair at home, with a coffee ring on it roughly where the third landing is.
I'll bring it at two. Yusuf has worked from worse.
@leo +50m unread
You are a hero. The coffee ring shall be built.
""",
    )
    yield Conversation(
        "ferry-schedule",
        "New ferry timetable and your pontoon works",
        "3h4m",
        "farid alice",
        """
@farid
Dear Alice,

from the first of next month we run every twenty minutes between 06:40 and 19:00. That leaves you a window of about
twelve minutes to cross the fairway with the pontoon sections, instead of the twenty-two you planned with.

Could you send me the number of crossings you need, and the length of the tow?

Kind regards
@alice +18h
Dear Farid,

thank you for telling us early. We need six crossings in all. The longest tow is 41 m including the tug.

Dmitri (in copy) says that each takes nine minutes in calm water and up to fourteen with the ebb. Would it help if we
crossed before your first boat? We could be in the water at 05:15.
@farid +3h cc=dmitri
Before the first boat would be perfect. I'll tell the pilots: six mornings, 05:15 to 06:15, weather permitting.

The skipper of the early boat asks me to say that he brings coffee.
@dmitri +2h unread
05:15 is good. Ebb begins 05:50 on three of the six days, we take the long sections on the other three.

I need from the studio the lifting points of sections 4 and 5, the drawing shows three and the steel has four.
""",
    )
    yield Conversation(
        "stair-joiner",
        "Oak stair, third landing",
        "1d 16:20",
        "yusuf alice",
        """
@yusuf
Hello Alice, measured the opening today. Your drawing says 2,410, the wall says 2,396. The wall wins I think.
I can take 7 mm off each side and nobody will see it. OK?
@alice +35m
OK! Please take it from the string and not from the treads, they are at the minimum already.
@yusuf +12m
Strings then. Also, what is the brown circle on the third landing, a feature?
@alice +4m
Coffee.
@yusuf +3m flagged
I will do it in walnut, no charge :)
""",
    )
    yield Conversation(
        "lunch-talk",
        "Lunch talk: what the tide did to our last three quays",
        "2d 11:05",
        "carol alice bob leo priya",
        """
@carol
Dear all,

Priya is in town and has kindly agreed to speak over lunch about scour: why it happens, where we got it wrong, and the
cheap thing that would have prevented it. Forty minutes, soup and bread from the corner place, in the model room.

Please tell me if you don't eat mushrooms.
@leo +10m
I eat mushrooms. Projector is booked and tested with an actual laptop.
@priya +4h
Looking forward. I've 31 slides and a bucket of sand. Is there a tap in the model room?
@alice +20m
There is a tap, and Leo is already looking at the bucket with worry.
""",
    )
    yield Conversation(
        "permit",
        "Permit 2207/B: moorings at the Old Ropewalk",
        "3d 10:48",
        "ingrid alice carol",
        """
@ingrid
Dear Ms Tideman,

we have received your application for four temporary moorings. Before we can decide we need

a) the depth at mean low water at each position,
b) a statement from the ferry operator, and
c) the form B-12, signed on page 2 (page 1 was signed twice).

The deadline is fourteen days from today.
@alice +22h flagged
Dear Ms Solbakken,

please find attached the soundings and form B-12, this time signed where it wants to be signed.
The statement of Blue Anchor Ferries will follow this week; Mr Naseri has promised it in writing.
@ingrid +3h
Dear Ms Tideman,

thank you, a) and c) are complete. We await b).

By the way: I walked past the model in the window. My daughter wants to know whether the small red crane moves.
@alice +45m noquote
Dear Ms Solbakken,

it does. Please bring her on Friday after three, the crane driver (my colleague Leo) will be on duty.
""",
        files={
            2: [
                pdf(
                    "Form B-12 signed.pdf",
                    "Form B-12",
                    [
                        "Temporary moorings, Old Ropewalk",
                        "Positions: 4",
                        "Signed on page 2: A. Tideman",
                        "",
                        "(the second signature is on page 2)",
                    ],
                ),
                File(
                    "soundings.csv",
                    "text/csv",
                    b"position,depth_m,bottom\r\n1,3.10,mud\r\n2,3.45,mud\r\n3,2.90,gravel\r\n4,4.05,gravel\r\n",
                ),
            ]
        },
    )
    yield Conversation(
        "intern",
        "A place for an intern from September?",
        "4d 15:30",
        "tomas alice bob",
        """
@tomas
Hi you two, a student of mine (very good, builds her own boats) looks for six months in a studio near water.
Can I send her your way? She draws by hand!! I enclose two of her sheets.
@bob +50m
Send her! We have a desk by the window that nobody dares to take because of the pigeon.
@alice +1h10m
Yes please. Carol has to agree about the money, but the sheets are lovely. What is the name of the boat?
@tomas +30m
The boat is called "Perhaps". I tell her to write to you. Abrazos
""",
        files={
            1: [
                File("sheet-1.png", "image/png", pictures.harbour(560, 300, seed=9)),
                File("sheet-2.png", "image/png", pictures.harbour(560, 300, dusk=True, seed=12)),
            ]
        },
    )
