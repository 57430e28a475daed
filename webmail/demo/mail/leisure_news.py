"""Newsletters for the evening: bread, outdoor gear, a slow radio station.

A warm letter with a drawn picture inside, a shop of the bgcolor age full of remote pictures, a bright gradient.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from html import escape

from webmail.demo.mail import pictures
from webmail.demo.mail.clock import moment
from webmail.demo.mail.issues import list_headers, plain_issue, rotate
from webmail.demo.mail.letters import SEEN, UNREAD, DemoMail, File, Letter, receive
from webmail.demo.mail.people import CAST, Person

LOAF = Person("The Weekly Loaf", "crumbs@weeklyloaf.example", zone=0)
FERNWAY = Person("Fernway Outdoor", "news@fernway.example", zone=-5)
RADIO = Person("Slow Radio", "programme@slowradio.example", zone=1)

_LOAVES: tuple[tuple[str, str, str], ...] = (
    ("Bread for beginners", "Flour, water, salt, and the courage to leave it alone for a night.", "72"),
    ("The rye that forgave me", "A dense, dark loaf for people who measure by eye.", "84"),
    ("What the crust tells you", "Colour, crackle, blisters: how to read a loaf from outside.", "75"),
    ("Sunday rolls before nine", "Shape them in the evening, bake them in your slippers.", "68"),
    ("An honest focaccia", "Too much oil is nearly enough. Bring both hands.", "80"),
    ("Old dough, new bread", "Keep a fist of today's dough. Tomorrow will thank you.", "70"),
    ("Seeds, soaked", "Why your seeded loaf is dry, and the cup of water that cures it.", "78"),
)
_GEAR: tuple[tuple[str, str, str], ...] = (
    ("Skerry rain jacket", "Three layers, two pockets you can find in the dark.", "129"),
    ("Tarn boots, mid", "For the long path and for the wet half of the short one.", "148"),
    ("Lantern Four", "Forty hours on low. Folds as flat as a sandwich.", "39"),
    ("Packframe 48", "Carries like 35, holds like 60.", "164"),
    ("Merino neck tube", "One size, all weathers, eleven uses.", "24"),
    ("Two-person tarp", "Six corners, no opinions.", "89"),
    ("Camp kettle", "Whistles in a major key.", "32"),
    ("Wool socks, 3 pairs", "They come back from the wash as three pairs.", "27"),
)
_PROGRAMMES: tuple[tuple[str, str, str], ...] = (
    ("A lighthouse, all night", "Eight hours of foghorn, wind and somebody making tea.", "8 h"),
    ("The 05:12 from Weymere", "A regional train, its stops, and the man who knows all the sheep.", "54 min"),
    ("Rain on five roofs", "Slate, tin, reed, glass, tarpaulin.", "1 h 40"),
    ("The organ tuner", "One note, then the next one. Surprisingly gripping.", "37 min"),
    ("Harbour at low water", "Mud speaks. Recorded with four microphones and good boots.", "2 h"),
    ("Letters nobody sent", "Read by people who didn't write them.", "46 min"),
)


def messages(now: datetime) -> Iterator[DemoMail]:
    """All issues, the newest still in INBOX."""
    for number, when in enumerate(("4h", "7d 08:40", "14d 08:40", "21d 08:40", "28d 08:40", "35d 08:40", "42d 08:40")):
        flags = UNREAD if number == 0 else ("\\Seen", "\\Flagged") if number == 3 else SEEN
        yield from receive(_loaf(number, moment(now, when)), _kept(number, bob=number < 2), flags)
    for number, when in enumerate(("9h", "8d 15:00", "19d 15:00", "34d 15:00", "50d 15:00")):
        yield from receive(
            _fernway(number, moment(now, when)), _kept(number, bob=number < 2), UNREAD if number == 0 else SEEN
        )
    for number, when in enumerate(("4d 19:00", "18d 19:00", "32d 19:00", "46d 19:00")):
        yield from receive(_radio(number, moment(now, when)), _kept(number, bob=number == 0))


def _kept(number: int, *, bob: bool) -> dict[str, str]:
    """Where an issue lies: the newest in INBOX, older ones filed; Bob files nothing."""
    return {"alice": "Newsletters" if number else "INBOX"} | ({"bob": "INBOX"} if bob else {})


def _loaf(number: int, date: datetime) -> Letter:
    issue = 141 - number
    title, lead, water = _LOAVES[number % len(_LOAVES)]
    more = rotate(_LOAVES, number + 1, 2)
    recipe = "".join(
        f'<tr><td style="padding:7px 0;border-bottom:1px dashed #dcc7a3">{name}</td>'
        f'<td align="right" style="padding:7px 0;border-bottom:1px dashed #dcc7a3;font-weight:bold">{amount}</td></tr>'
        for name, amount in (
            ("Strong flour", "500 g"),
            ("Water, lukewarm", f"{int(water) * 5} g"),
            ("Salt", "10 g"),
            ("Yeast, a pinch", "2 g"),
            ("Patience", "14 h"),
        )
    )
    also = "".join(
        f"""<tr><td width="96" valign="top" style="padding:0 16px 18px 0"><img width="96" height="72"
        alt="{escape(name)}" src="https://img.weeklyloaf.example/{issue}/{place}.jpg"
        style="display:block;background:#ecd9b6;border-radius:6px; font-size:11px;color:#8a6a3b"></td><td
        valign="top" style="padding-bottom:18px"><a style="color:#7a3e12; font-size:18px;text-decoration:none"
        href="https://weeklyloaf.example/{issue}/{place}">{escape(name)}</a><br> <span
        style="color:#6b5537;font-size:15px;line-height:1.5">{escape(text)}</span></td></tr>"""
        for place, (name, text, _) in enumerate(more, start=2)
    )
    html = f"""<!DOCTYPE html><html lang="en"><body style="margin:0;background:#faf3e7">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" bgcolor="#faf3e7"><tr><td align="center"
 style="padding:28px 8px;font-family:Georgia,'Times New Roman',serif">
<p style="margin:0 0 6px;font-size:13px;letter-spacing:.18em;color:#a5803f">NO. {issue} &middot; WARM</p>
<p style="margin:0 0 20px;font-size:38px;line-height:1;color:#5a2d0c">The Weekly Loaf</p>
<table role="presentation" width="600" cellpadding="0" cellspacing="0" bgcolor="#fffdf8"
 style="max-width:600px;width:100%;background:#fffdf8;border-radius:10px">
<tr><td><img src="cid:loaf@weeklyloaf.example" width="600" height="260" alt="A loaf with four cuts"
 style="display:block;width:100%;height:auto;border-radius:10px 10px 0 0"></td></tr>
<tr><td style="padding:26px 32px 8px"><h1 style="margin:0 0 10px;font-size:28px;font-weight:normal;color:#5a2d0c">
 {escape(title)}</h1>
 <p style="margin:0 0 14px;font-size:17px;line-height:1.65;color:#4c3a22">Dear baker,</p>
 <p style="margin:0 0 14px;font-size:17px;line-height:1.65;color:#4c3a22">{escape(lead)} I made this one three
 times: once
 for the neighbours, once for the freezer, and once because the kitchen was cold and the oven was an argument
 for staying in it.</p></td></tr>
<tr><td style="padding:8px 32px 24px"><table role="presentation" width="100%" cellpadding="0" cellspacing="0"
 bgcolor="#f7ead3" style="background:#f7ead3;border-radius:8px"><tr><td style="padding:18px 24px">
 <table width="100%" cellpadding="0" cellspacing="0" style="font-size:16px;color:#4c3a22">{recipe}</table>
 <p style="margin:14px 0 0;font-size:15px;line-height:1.6;color:#6b5537">Mix, fold three times, sleep. In the morning:
 shape, wait, cut, 240&nbsp;&deg;C for 40&nbsp;minutes, the first twenty with a lid.</p></td></tr></table></td></tr>
<tr><td align="center" style="padding:0 32px 30px"><a href="https://weeklyloaf.example/{issue}"
style="display:inline-block; background:#b3541e;color:#fffdf8;text-decoration:none;font-size:16px;padding:13px
28px;border-radius:24px"> Bake it with pictures</a></td></tr>
<tr><td style="padding:22px 32px 6px;border-top:1px solid #efe0c4"><table role="presentation" cellpadding="0"
 cellspacing="0" width="100%">{also}</table></td></tr></table>
<p style="font-size:13px;line-height:1.6;color:#a08a66">Sent with floury fingers to alice@demo.test.<br>
<a style="color:#a08a66" href="https://weeklyloaf.example/leave">No more bread, please</a></p>
</td></tr></table></body></html>"""
    picture = File("loaf.png", "image/png", pictures.loaf(600, 260).png(), "loaf@weeklyloaf.example")
    return Letter(
        key=f"loaf/{issue}",
        sender=LOAF,
        to=[CAST["alice"]],
        subject=title,
        date=date,
        text=plain_issue(f"The Weekly Loaf, no. {issue}", "https://weeklyloaf.example", rotate(_LOAVES, number, 3)),
        html=html,
        files=[picture],
        headers=list_headers(LOAF),
    )


def _fernway(number: int, date: datetime) -> Letter:
    offer = ("Two days only: 20 % off rain", "The autumn list is here", "Boots that outlive trends",
             "Free mending, all of this month", "Left over, marked down")[number]  # fmt: skip
    goods = rotate(_GEAR, number * 4, 4)
    cells = [
        f"""<td width="50%" align="center" valign="top" bgcolor="#ffffff" style="padding:10px">
        <table width="100%" cellpadding="0" cellspacing="0" border="0"><tr><td bgcolor="#e3ece2" height="170"
        align="center"> <img src="https://cdn.fernway.example/p/{number}{place}.jpg" width="260" height="170"
        border="0" alt="{escape(name)}" style="color:#2d6a4f"></td></tr><tr><td align="center"
        style="padding:12px 6px"><font face="Arial, Helvetica" color="#1b4332"
        size="3"><b>{escape(name)}</b></font><br><font face="Arial, Helvetica" color="#52665a" size="2">
        {escape(text)}</font><br><br><font face="Arial, Helvetica" color="#b5442b"
        size="4"><b>{price}.00</b></font></td></tr> </table></td>"""
        for place, (name, text, price) in enumerate(goods)
    ]
    html = f"""<html><body bgcolor="#dfe7dd" topmargin="0" leftmargin="0"><center>
<table width="600" cellpadding="0" cellspacing="0" border="0" bgcolor="#ffffff"><tr bgcolor="#2d6a4f">
<td width="70" style="padding:14px 0 14px 20px"><img src="cid:leaf" width="44" height="44" alt="" border="0"></td>
<td><font face="Arial, Helvetica" color="#ffffff" size="5"><b>FERNWAY</b></font></td>
<td align="right" style="padding-right:20px"><font face="Arial, Helvetica" size="2">
<a href="https://fernway.example/new"><font color="#d8f3dc">New</font></a> &nbsp;
<a href="https://fernway.example/sale"><font color="#d8f3dc">Sale</font></a> &nbsp;
<a href="https://fernway.example/mend"><font color="#d8f3dc">Mending</font></a></font></td></tr>
<tr><td colspan="3" bgcolor="#b7d3b8" align="center" height="200"
background="https://cdn.fernway.example/hero{number}.jpg"> <font face="Georgia" color="#1b4332"
size="6"><b>{escape(offer)}</b></font><br><br> <table cellpadding="0" cellspacing="0"><tr><td bgcolor="#1b4332"
style="padding:12px 26px"> <a href="https://fernway.example/go?c={number}" style="text-decoration:none"><font
face="Arial" color="#ffffff" size="3"><b>Have a look</b></font></a></td></tr></table></td></tr>
<tr><td colspan="3" style="padding:14px"><table width="100%" cellpadding="0" cellspacing="0">
<tr>{cells[0]}{cells[1]}</tr><tr>{cells[2]}{cells[3]}</tr></table></td></tr>
<tr><td colspan="3" bgcolor="#f3f6f2" align="center" style="padding:18px"><font face="Arial, Helvetica" size="1"
color="#6b7f70">You bought a kettle from us once. <a href="https://fernway.example/leave"><font
color="#6b7f70">Leave this list</font></a>. <img src="https://track.fernway.example/open?id={number}a91"
width="1" height="1" alt=""></font></td></tr> </table></center></body></html>"""
    return Letter(
        key=f"fernway/{number}",
        sender=FERNWAY,
        to=[CAST["alice"]],
        subject=offer,
        date=date,
        text="",
        html=html,
        files=[File("leaf.png", "image/png", pictures.badge(88, "#2d6a4f", "#d8f3dc", "leaf").png(), "leaf")],
        headers=list_headers(FERNWAY),
    )


def _radio(number: int, date: datetime) -> Letter:
    shows = rotate(_PROGRAMMES, number * 2, 3)
    cards = "".join(
        f"""<tr><td style="padding:0 0 14px"><table role="presentation" width="100%" cellpadding="0" cellspacing="0"
        bgcolor="#ffffff" style="background:#fff;border-radius:14px;box-shadow:0 1px 3px rgba(60,20,90,.12)"><tr>
        <td width="64" align="center" style="padding:18px 0 18px 18px"><a href="https://slowradio.example/{place}"
        style="display:block;width:48px;height:48px;line-height:48px;border-radius:24px;background:#ff5d73;color:#fff;
        font-size:18px;text-decoration:none;text-align:center">&#9654;</a></td><td style="padding:18px">
        <b style="font-size:17px;color:#2b1140">{escape(name)}</b><br><span style="color:#6d5a7e;font-size:14px;
        line-height:1.5">{escape(text)}</span>
        <div style="margin-top:10px;background:#f0e6f6;border-radius:3px;height:5px"><div style="width:{18 +
        place * 21}%; height:5px;border-radius:3px;background:#8338ec"></div></div></td>
        <td width="70" align="right"
        style="padding-right:20px;color:#9b87ab;font-size:13px;white-space:nowrap">{length}</td>
        </tr></table></td></tr>"""
        for place, (name, text, length) in enumerate(shows, start=1)
    )
    html = f"""<!DOCTYPE html><html><body style="margin:0;background:#f7f1fb;font-family:'Avenir
    Next',Avenir,'Segoe UI', Helvetica,Arial,sans-serif"><table role="presentation" width="100%"
    cellpadding="0" cellspacing="0" bgcolor="#f7f1fb"><tr> <td align="center" style="padding:0 8px 32px"><table
    role="presentation" width="580" cellpadding="0" cellspacing="0" style="max-width:580px;width:100%"><tr><td
    bgcolor="#8338ec" style="background:linear-gradient(120deg,#3a0ca3,#8338ec 45%, #ff5d73);border-radius:0 0
    28px 28px;padding:44px 32px 40px;color:#fff"><div style="font-size:14px;letter-spacing:.2em"> SLOW
    RADIO</div><h1 style="margin:12px 0
    6px;font-size:34px;line-height:1.15;color:#fff">{escape(shows[0][0])}</h1> <p
    style="margin:0;font-size:16px;opacity:.85">and two other reasons to do nothing this week</p></td></tr>
    <tr><td height="20"></td></tr>{cards} <tr><td align="center"
    style="font-size:12px;color:#9b87ab;padding-top:10px">Not fast enough? <a style="color:#8338ec"
    href="https://slowradio.example/leave">Switch us
    off</a></td></tr></table></td></tr></table></body></html>""" return Letter( key=f"radio/{number}", sender=RADIO,
        to=[CAST["alice"]],
        subject=f"📻 This fortnight: {shows[0][0].lower()}",
        date=date,
        text=plain_issue("SLOW RADIO", "https://slowradio.example", shows),
        html=html,
        headers=list_headers(RADIO),
    )
