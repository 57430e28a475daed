"""News of the town: the ferry line, the school, the library.

A sober service notice with a timetable, a bulletin typed in 1999's HTML, a letter that is plain text on purpose.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from html import escape

from webmail.demo.mail import pictures
from webmail.demo.mail.clock import moment
from webmail.demo.mail.issues import list_headers, rotate
from webmail.demo.mail.letters import SEEN, UNREAD, DemoMail, File, Letter, receive
from webmail.demo.mail.people import CAST, Person

FERRY = Person("Blue Anchor Ferries", "service@blueanchor.example")
SCHOOL = Person("Larkfield School", "office@larkfield-school.example")
LIBRARY = Person("Harbour Library", "desk@harbourlibrary.example")

_NOTICES: tuple[tuple[str, str], ...] = (
    ("New timetable from next month", "Every twenty minutes between 06:40 and 19:00, and a later last boat."),
    ("Line 2: pontoon works at Ropewalk", "Six mornings with a first boat at 06:40 instead of 06:10."),
    ("Strong wind: line 4 stays in", "The skipper has looked at it twice. We'll look again at noon."),
    ("Bicycles travel free in the evening", "After 19:00, as many as fit. The cargo bike counts as a cow."),
)
_SCHOOL_NEWS: tuple[tuple[str, str], ...] = (
    ("Lantern evening", "We meet at six in the yard. Please bring real candles only if you're a real grown-up."),
    ("Lost property", "Eleven gloves, one tooth in a matchbox, a trombone."),
    ("New in the kitchen", "Mr Adeyemi now cooks on Tuesdays. There was applause."),
    ("Swimming", "3a and 3b swim on Thursday. Towels have names, please write them on."),
    ("Reading week", "Every grandparent who can read a story is welcome. Voices encouraged."),
)


def messages(now: datetime) -> Iterator[DemoMail]:
    """Notices, bulletins and overdue books."""
    for number, when in enumerate(("1d 06:30", "15d 06:30", "29d 06:30", "66d 06:30")):
        where = {"alice": "Newsletters" if number else "INBOX", "bob": "INBOX"}
        yield from receive(_ferry(number, moment(now, when)), where)
    for number, when in enumerate(("3d 12:00", "33d 12:00", "64d 12:00")):
        where = {"alice": "Newsletters" if number else "INBOX"}
        yield from receive(_school(number, moment(now, when)), where, SEEN if number else UNREAD)
    for number, when in enumerate(("6d 10:00", "37d 10:00")):
        yield from receive(_library(number, moment(now, when)), {"alice": "INBOX"})


def _ferry(number: int, date: datetime) -> Letter:
    title, lead = _NOTICES[number]
    stops = ("Old Ropewalk", "Customs House", "North Mole", "Weymere Ferry House")
    rows = "".join(
        f'<tr bgcolor="{"#f2f7fb" if place % 2 else "#ffffff"}"><td style="padding:9px 14px">{stop}</td>'
        + "".join(
            f'<td align="right" style="padding:9px 14px;font-variant-numeric:tabular-nums">{hour:02d}:{minute:02d}</td>'
            for hour, minute in ((6, 40 + place * 4), (7, place * 4), (7, 20 + place * 4), (19, place * 4))
        )
        + "</tr>"
        for place, stop in enumerate(stops)
    )
    html = f"""<html><body style="margin:0;background:#eaf1f6;font-family:Verdana,Geneva,sans-serif;color:#12344d">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0"><tr><td align="center" style="padding:24px 8px">
<table role="presentation" width="600" cellpadding="0" cellspacing="0" bgcolor="#ffffff"
style="max-width:600px;width:100%; background:#fff;border-top:6px solid #005f9e"><tr><td style="padding:22px
28px"><img src="cid:anchor" width="48" height="48" alt="Blue Anchor"
style="vertical-align:middle;border-radius:8px"><span style="font-size:16px;font-weight:bold;
padding-left:12px;color:#005f9e">Blue Anchor Ferries</span></td></tr> <tr><td style="padding:0 28px"><div
style="background:#fff4d6;border-left:5px solid #f0b429;padding:14px 18px;font-size:14px;
line-height:1.6"><b>{escape(title)}</b><br>{escape(lead)}</div></td></tr> <tr><td style="padding:22px
28px"><table width="100%" cellpadding="0" cellspacing="0" style="font-size:13px; border:1px solid
#d5e3ee;border-collapse:collapse"><caption style="text-align:left;font-weight:bold;padding-bottom:8px"> Line 2,
weekdays</caption><thead><tr bgcolor="#005f9e" style="color:#fff"><th align="left" style="padding:9px
14px">Stop</th> <th colspan="3" style="padding:9px 14px">every 20 minutes</th><th align="right"
style="padding:9px 14px">last</th></tr></thead> <tbody>{rows}</tbody></table><p
style="font-size:12px;line-height:1.7;color:#567086">All boats carry wheelchairs, prams and, after
consultation, one goat. Tickets: <a href="https://blueanchor.example/tickets"
style="color:#005f9e">blueanchor.example</a> </p></td></tr></table></td></tr></table></body></html>""" return
Letter( key=f"ferry/{number}", sender=FERRY,
        to=[CAST["alice"]],
        subject=title,
        date=date,
        text=f"{title}\n\n{lead}\n\nThe whole timetable: https://blueanchor.example/timetable",
        html=html,
        files=[File("anchor.png", "image/png", pictures.badge(96, "#005f9e", "#ffffff", "waves").png(), "anchor")],
        headers=list_headers(FERRY),
    )


def _school(number: int, date: datetime) -> Letter:
    news = rotate(_SCHOOL_NEWS, number * 2, 3)
    items = "".join(
        f'<tr><td valign="top"><font color="#cc0000" size="5">&#9734;</font></td><td>'
        f'<font face="Comic Sans MS, Chalkboard"'
        f' size="3" color="#003366"><b>{escape(name)}</b></font><br><font face="Verdana" size="2">{escape(text)}</font>'
        f"<br>&nbsp;</td></tr>"
        for name, text in news
    )
    html = f"""<HTML><BODY BGCOLOR="#FFFFE8" TEXT="#222222" LINK="#006600"><CENTER>
<TABLE WIDTH=560 BORDER=1 BORDERCOLOR="#FFCC00" CELLPADDING=12 CELLSPACING=0 BGCOLOR="#FFFFFF"><TR><TD BGCOLOR="#FFCC00"
ALIGN=center><FONT FACE="Comic Sans MS, Chalkboard" SIZE=6 COLOR="#003366"><B>Larkfield Bulletin</B></FONT><BR>
<FONT FACE="Verdana" SIZE=2>No. {34 - number} &nbsp;&#8226;&nbsp; {date:%d %B %Y}</FONT></TD></TR><TR><TD>
<TABLE CELLPADDING=6>{items}</TABLE><HR NOSHADE SIZE=1 COLOR="#FFCC00"><P ALIGN=center><FONT FACE="Verdana" SIZE=2>
Mrs Pemberton-Ashe, school office<BR><A
HREF="mailto:office@larkfield-school.example">office@larkfield-school.example</A>
</FONT></P></TD></TR></TABLE></CENTER></BODY></HTML>""" return Letter(
        key=f"school/{number}",
        sender=SCHOOL,
        to=[Person("Parents and godparents", "all@larkfield-school.example")],
        subject=f"Larkfield Bulletin no. {34 - number}: {news[0][0]}, {news[1][0].lower()}",
        date=date,
        text="\n\n".join(f"* {name}\n  {text}" for name, text in news),
        html=html,
        headers=list_headers(SCHOOL),
    )


def _library(number: int, date: datetime) -> Letter:
    books = (("The Knot Book, 14th ed.", "Tide Mills of the North Coast"), ("A Field Guide to Cranes (Machines)",))[
        number
    ]
    listed = "\n".join(f"   {place}. {book}" for place, book in enumerate(books, start=1))
    return Letter(
        key=f"library/{number}",
        sender=LIBRARY,
        to=[CAST["alice"]],
        subject="A gentle word about your books",
        date=date,
        text=f"Dear Alice Tideman,\n\nthe following would like to come home:\n\n{listed}\n\n"
        "You may renew them once at <https://harbourlibrary.example/renew> or by looking sorry at the desk.\n"
        "There are no fines. There is only Mr Okafor's face.\n\nThe Harbour Library",
    )
