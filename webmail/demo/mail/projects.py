"""The two project mailboxes: the long conversations about the harbour redesign and about its money."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from webmail.demo.mail import pictures
from webmail.demo.mail.conversation import Conversation, play
from webmail.demo.mail.documents import archive, pdf, spreadsheet
from webmail.demo.mail.letters import DemoMail, File

_HARBOUR = {"alice": "Projects/Harbour redesign", "bob": "Archive"}
_BUDGET = {"alice": "Projects/Budget", "bob": "Archive"}


def messages(now: datetime) -> Iterator[DemoMail]:
    """Everything filed under Projects."""
    for conversation in (*_harbour(), *_money(), *_overview()):
        yield from play(conversation, now)


def _harbour() -> Iterator[Conversation]:
    yield Conversation(
        "concept",
        "Harbour redesign: three concepts",
        "96d 16:10",
        "alice bob carol priya dmitri",
        """
@alice
Dear all,

the three concepts as we talked about them, on one page each:

  A  "Steps"    the quay becomes a stair into the water, 64 m wide
  B  "Pontoons" a floating promenade, the quay stays as it is
  C  "Both"     fewer steps, fewer pontoons, twice the details

My heart is with A, my head with C. Please be unkind.
@dmitri +20h
A has no place for the pilot boat. B moves 40 cm in the wash of each ferry, every twenty minutes, I would be seasick.
C is more joints, joints are where I earn my money. So from me: C.
@priya +3h
C from me as well. One request: let the pontoons end before the old piles. I don't want a moving thing near a thing
that doesn't know it is still standing.
@carol +1d
C. Alice, please keep "twice the details" out of the presentation to the council.
@bob +2h
C, and I volunteer for the details.
@alice +50m
C it is. Thank you. I've changed it to "carefully detailed".
""",
        mailbox=_HARBOUR,
        keywords=("project",),
        files={1: [File("concepts.png", "image/png", pictures.harbour(900, 360, seed=40))]},
    )
    yield Conversation(
        "model",
        "The second model, scale 1:200",
        "71d 08:40",
        "alice hana",
        """
@alice
Dear Hana,

would you build the second model for us? 1:200, the whole basin, 900 × 600 mm, limewood and brass, with water that looks
like weather. We need it in nine weeks. The files are in the archive.
@hana +14h
Dear Alice,

with pleasure. Nine weeks is good, ten is better :)
For the water I propose acrylic, sanded by hand from below: it is grey in the morning and blue in the afternoon,
as at your place.

One question. Should the crane move? よろしくお願いします。
@alice +2h
The crane should definitely move.
@hana +9d
今日は写真を送ります。 The crane moves. Also the lamps: 48 lamps of 0.8 mm. My assistant does not want to see a lamp
again.
@alice +5h
Dear Hana, it is far more beautiful than the real harbour. We shall have to improve the real one.
""",
        mailbox=_HARBOUR,
        keywords=("project",),
        files={
            1: [
                archive(
                    "basin-1-200.zip",
                    {
                        "basin.dxf": b"0\nSECTION\n2\nENTITIES\n0\nENDSEC\n0\nEOF\n",
                        "levels.txt": b"quay +3.20\nsteps +3.20 to -0.40\nbasin -4.50\n",
                    },
                )
            ],
            4: [File("模型 写真 一.png", "image/png", pictures.harbour(640, 400, seed=51))],
        },
    )
    yield Conversation(
        "council",
        "Questions of the council, set 1",
        "52d 11:30",
        "carol alice bob ingrid",
        """
@carol
Dear both,

the first set of questions came in. I've sorted them by how much they hurt:

1. Why are the steps not lit from below? (They are. Drawing 31.)
2. How does a person in a wheelchair reach the water? (We say "ramp", they want to see it.)
3. Who cleans the weed off the lowest four steps, and how often?
4. Can there be a kiosk?

Who takes which?
@alice +1h
I take 2 and 4. For 2 I'd like to draw the ramp as the main way, and the steps as the detour.
@bob +20m
1 and 3. For 3: nobody cleans them in Weymere, they let mussels do it. I'll find the paper.
@ingrid +1d
If I may, from the permit side: a kiosk within 8 m of the edge needs its own application. At 8.5 m it needs nothing.
@alice +30m
The kiosk has just moved to 8.5 m. Thank you!
""",
        mailbox=_HARBOUR,
        keywords=("project",),
    )
    yield Conversation(
        "lifting-points",
        "Sections 4 and 5: three points or four?",
        "9d 15:05",
        "dmitri bob alice",
        """
@dmitri
The drawing shows three lifting points on sections 4 and 5. The steel that came has four. Which is wrong,
paper or steel?
@bob +1h
Paper. We changed it after the load case with the snow, and sheet 5-12 was not reissued. My fault. New sheet attached.
@dmitri +15m
Good. Steel is easier with four. Please mark revision C in the title, otherwise the yard uses the old one and blames me.
@bob +10m noquote
Marked. Big red C.
""",
        mailbox=_HARBOUR,
        keywords=("project",),
        files={
            2: [
                pdf(
                    "5-12 rev C.pdf",
                    "Sheet 5-12  rev. C",
                    [
                        "Pontoon sections 4 and 5",
                        "Lifting points: 4",
                        "Mass with fittings: 18.4 t",
                        "Sling angle: 60 deg, never less than 45 deg",
                    ],
                )
            ]
        },
    )


def _money() -> Iterator[Conversation]:
    yield Conversation(
        "fee",
        "Fee proposal, stage 3",
        "88d 13:00",
        "carol alice eliska",
        """
@carol
Alice, could you check the hours for stage 3 before I send it? I've put 420 for drawings and 60 for meetings.
@alice +2h
420 is right. Meetings were 97 in stage 2, because of the ferries. Let us be honest and say 90.
@eliska +1d
Dobrý den, I add the VAT note for the Czech part and the bank details, they changed in March. Otherwise it's fine.
@carol +3h
Sent with 90. If they ask, the ferries are to blame.
""",
        mailbox=_BUDGET,
        keywords=("money",),
        files={
            1: [
                spreadsheet(
                    "stage-3-hours.xlsx",
                    [["Task", "Hours"], ["Drawings", 420], ["Meetings", 60], ["Site", 110], ["Model", 35]],
                )
            ]
        },
    )
    yield Conversation(
        "q2-close",
        "Q2 closed",
        "64d 17:20",
        "bob alice carol",
        """
@bob
Q2 is closed: 1.3 % under plan. The only line in red is "small things", which is where you all put your tape measures.
@carol +25m
1.3 under! Frame it.
@alice +15h
How many tape measures are we talking about?
@bob +12m
Nine. For six people.
""",
        mailbox=_BUDGET,
        keywords=("money",),
        files={
            1: [
                File(
                    "q2.png",
                    "image/png",
                    pictures.line_chart(((4, 6, 5, 8, 7, 9), (5, 6, 7, 7, 8, 9.4)), 720, 260, ("#0b6e99", "#e07a5f")),
                )
            ]
        },
    )
    yield Conversation(
        "insurance",
        "Insurance of the model during transport",
        "30d 09:45",
        "alice eliska",
        """
@alice
Dear Eliška, the new model travels to the exhibition on the 12th. What value should the insurance have? Hana says that
the 48 lamps alone are worth a small car.
@eliska +4h
Dear Alice, for the insurer it is the invoice plus the hours to repair. I would say 11,500. The policy costs 84 for the
two days. Do you want it with or without "acts of pigeons"? (I am not joking, it is in the form.)
@alice +8m
With. Definitely with.
""",
        mailbox=_BUDGET,
        keywords=("money",),
    )


def _overview() -> Iterator[Conversation]:
    yield Conversation(
        "monday-list",
        "The list for the next two weeks",
        "5w 08:55",
        "carol alice bob leo",
        """
@carol
| What                         | Who    | Until |
| ---------------------------- | ------ | ----- |
| Ramp, details 1:5            | Alice  | Wed   |
| Pile cores to Priya          | Bob    | Fri   |
| Exhibition: texts            | Carol  | Mon   |
| Exhibition: cables, tape     | Leo    | Mon   |
| Cake for the hundredth sheet | all    | soon  |
@alice +20m
Ramp is half done. What kind of cake?
@leo +1m
The kind with a feed roller in it.
""",
        mailbox={"alice": "Projects", "bob": "Archive"},
    )
    yield Conversation(
        "competition",
        "Competition: a bath house on the north mole",
        "23d 14:15",
        "carol alice bob tomas",
        """
@carol
Shall we? Six weeks, invited, four teams, and the north mole has the best light in town. I'd only do it if one of you
leads it and if Tomás joins us for the water side.
@tomas +2h
Sí!! I have waited for a bath house all my life.
@bob +3h
I'm in if I may build the sauna model at 1:1 in the yard.
@alice +16h
I'll lead it. One condition: no renderings with people laughing at salads.
@carol +40m
Agreed on the salads. The sauna at 1:1 is refused, 1:5 is granted.
""",
        mailbox={"alice": "Projects", "bob": "INBOX"},
        keywords=("project",),
    )
