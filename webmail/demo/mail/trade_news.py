"""Newsletters of the trade: a maritime architecture monthly, a digest for people who make screens, a tracker's report.

Three schools of mail design: a navy print magazine, a dark terminal, a light dashboard drawn with table cells.
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

HULL = Person("Harbour & Hull", "monthly@harbourandhull.example", zone=1)
KILN = Person("Pixel Kiln", "hello@pixelkiln.example", zone=-8)
PATCHBOARD = Person("Patchboard", "reports@patchboard.example", zone=0)

_HULL_STORIES: tuple[tuple[str, str, str], ...] = (
    ("A quay that bends", "In Ostermouth the new quay wall gives way by eleven centimetres on purpose.", "STRUCTURE"),
    ("Who owns the wind?", "Two towers, one marina, and a court that had to learn how sails work.", "LAW"),
    ("The ladder question", "Why every harbour has the wrong number of ladders, and how to count them.", "DETAIL"),
    ("Salt, patience, lime", "A mortar from 1860 outlives its third replacement. We asked it how.", "MATERIAL"),
    ("Night shift on the lock", "Twelve hours with the three people who let the river in.", "REPORTAGE"),
    ("Small cranes, big rooms", "What happens to a warehouse when the crane stays inside.", "REUSE"),
    ("Floating is a verb", "Nine houseboats and the one knot that holds them together.", "HOUSING"),
    ("The colour of buoys", "Red, green, and the painter who can tell nineteen kinds of each.", "COLOUR"),
    ("Drawing water", "Six studios show how they draw what won't hold still.", "PRACTICE"),
)
_KILN_LINKS: tuple[tuple[str, str, str], ...] = (
    ("The grid that learned to breathe", "Container queries in a real newsroom: what broke, what stayed.", "css"),
    ("Focus rings are a feature", "A tour of forty products by keyboard alone. Nine passed.", "a11y"),
    ("One font file, 380 weights", "How a type foundry ships a variable family under 60 kB.", "type"),
    ("Your skeleton screens are lying", "They promise four lines and deliver two. Measured, with charts.", "perf"),
    ("Dates are hard, again", "A country moved its weekend. Here is what stopped working.", "i18n"),
    ("Colour without guessing", "Designing a palette in oklch, from one accent to a dark mode.", "colour"),
    ("The last carousel", "A museum removed its carousel and visits went up by a third.", "ux"),
    ("Scroll anchoring, explained slowly", "Why the page jumps, and the one line that stops it.", "css"),
)
_HULL_CSS = """
  body { margin: 0; background: #e9eef2; }
  a { color: #0b6e99; }
  h2 { font: 600 21px/1.3 Georgia, serif; margin: 4px 0 6px; color: #0b3954; }
  .kicker { font: 600 11px/1.4 Helvetica, Arial, sans-serif; letter-spacing: .12em; color: #c8553d; }
  @media (max-width: 480px) { .column { display: block !important; width: 100% !important; } }
"""


def messages(now: datetime) -> Iterator[DemoMail]:
    """All issues, the newest still in INBOX."""
    for number, when in enumerate(("1d 07:00", "31d 07:00", "61d 07:00", "92d 07:00", "122d 07:00", "153d 07:00")):
        letter = _hull(212 - number, number, moment(now, when))
        yield from receive(letter, {"alice": "INBOX" if number == 0 else "Newsletters"}, SEEN if number else UNREAD)
    for number, when in enumerate(("3d 17:30", "10d 17:30", "17d 17:30", "24d 17:30", "31d 17:30")):
        where = "INBOX" if number == 0 else "Newsletters"
        yield from receive(_kiln(388 - number, number, moment(now, when)), {"alice": where, "bob": "INBOX"})
    for number, when in enumerate(("2d 06:00", "9d 06:00", "16d 06:00", "23d 06:00")):
        letter = _patchboard(number, moment(now, when))
        yield from receive(letter, {"alice": "Newsletters", "bob": "Archive"})


def _hull(issue: int, number: int, date: datetime) -> Letter:
    lead, second, third = rotate(_HULL_STORIES, number * 3, 3)
    columns = "".join(
        f'''<td class="column" width="50%" valign="top" style="padding:0 12px 24px">
        <img src="https://img.harbourandhull.example/{issue}/{place}.jpg" width="252" height="150" alt="{escape(title)}"
          style="display:block;width:100%;height:auto;background:#d7e3ea;border-radius:4px;color:#5b7687">
        <div class="kicker" style="padding-top:12px">{kicker}</div><h2>{escape(title)}</h2>
        <p style="margin:0;font:15px/1.55 Georgia,serif;color:#33475b">{escape(blurb)}
        <a href="https://harbourandhull.example/{issue}/{place}">Read&nbsp;on</a></p></td>'''
        for place, (title, blurb, kicker) in enumerate((second, third), start=2)
    )
    html = f"""<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Harbour &amp; Hull {issue}</title>
<style>{_HULL_CSS}</style></head><body>
<div style="display:none;max-height:0;overflow:hidden">{escape(lead[1])}</div>
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" bgcolor="#e9eef2"><tr><td align="center"
  style="padding:24px 8px">
<table role="presentation" width="600" cellpadding="0" cellspacing="0" bgcolor="#ffffff"
  style="max-width:600px;width:100%;background:#fff">
<tr><td bgcolor="#0b3954" style="background:#0b3954;padding:22px 28px">
  <table role="presentation" width="100%"><tr>
    <td width="52"><img src="cid:mark" width="40" height="40" alt="" style="display:block;border-radius:20px"></td>
    <td style="font:700 24px/1 Georgia,serif;color:#fff;letter-spacing:.01em">Harbour &amp; Hull</td>
    <td align="right" style="font:12px Helvetica,Arial,sans-serif;color:#9cc5d8">No. {issue}<br>{date:%B %Y}</td>
  </tr></table></td></tr>
<tr><td><img src="cid:cover" width="600" height="250" alt="A harbour in the evening"
  style="display:block;width:100%;height:auto"></td></tr>
<tr><td style="padding:28px 28px 8px"><div class="kicker">{lead[2]}</div>
  <h1 style="font:700 32px/1.2 Georgia,serif;color:#0b3954;margin:6px 0 10px">{escape(lead[0])}</h1>
  <p style="font:17px/1.6 Georgia,serif;color:#33475b;margin:0 0 20px">{escape(lead[1])} We spent a week on the
  site with the people who build it, and came home with wet notebooks and a new respect for the number eleven.</p>
  <table role="presentation" cellpadding="0" cellspacing="0"><tr><td bgcolor="#c8553d" style="border-radius:4px">
  <a href="https://harbourandhull.example/{issue}" style="display:inline-block;padding:12px 22px;color:#fff;
  font:600 15px Helvetica,Arial,sans-serif;text-decoration:none">Read the story</a></td></tr></table></td></tr>
<tr><td style="padding:28px 16px 0"><table role="presentation" width="100%" cellpadding="0" cellspacing="0">
  <tr>{columns}</tr></table></td></tr>
<tr><td style="padding:4px 28px 24px"><div class="kicker">THE FIGURE</div>
  <p style="font:600 17px/1.4 Georgia,serif;color:#0b3954;margin:4px 0 12px">Berths for people who live on board,
  last ten years</p>
  <img src="cid:figure" width="544" height="180" alt="Two rising lines" style="display:block;width:100%;height:auto">
  <p style="font:12px/1.5 Helvetica,Arial,sans-serif;color:#6b7f8f;margin:8px 0 0">
  <span style="color:#0b6e99">&#9679;</span> with a permit &nbsp; <span style="color:#e07a5f">&#9679;</span> without</p>
  </td></tr>
<tr><td bgcolor="#f4f7f9" style="padding:20px 28px;font:12px/1.6 Helvetica,Arial,sans-serif;color:#6b7f8f">
  You get this because you subscribe at alice@demo.test. <a href="https://harbourandhull.example/leave">Unsubscribe</a>
  &middot; <a href="https://harbourandhull.example/{issue}/web">Read on the web</a><br>Harbour &amp; Hull, 3 Capstan
  Yard. <img src="https://track.harbourandhull.example/o/{issue}.gif?u=7f3a" width="1" height="1" alt=""></td></tr>
</table></td></tr></table></body></html>"""
    return Letter(
        key=f"hull/{issue}",
        sender=HULL,
        to=[CAST["alice"]],
        subject=f"Harbour & Hull {issue}: {lead[0]}",
        date=date,
        text=plain_issue(f"HARBOUR & HULL {issue}", "https://harbourandhull.example", (lead, second, third)),
        html=html,
        files=[
            File("mark.png", "image/png", pictures.badge(80, "#0b3954", "#9cc5d8", "waves").png(), "mark"),
            File("cover.png", "image/png", pictures.harbour(600, 250, dusk=issue % 2 == 0, seed=issue).png(), "cover"),
            File("figure.png", "image/png", _berths(number).png(), "figure"),
        ],
        headers=list_headers(HULL),
    )


def _berths(number: int) -> pictures.Canvas:
    legal = [3, 3.4, 3.9, 4.2, 5.1, 5.6, 6.4, 7.1 + number * 0.2]
    other = [1, 1.4, 1.3, 2.2, 2.9, 2.7, 3.6, 4.4 - number * 0.2]
    return pictures.line_chart([legal, other], 544, 180, ["#0b6e99", "#e07a5f"])


def _kiln(issue: int, number: int, date: datetime) -> Letter:
    links = rotate(_KILN_LINKS, number * 3, 4)
    mono = "'SF Mono',Menlo,Consolas,monospace"
    rows = "".join(
        f"""<tr><td style="padding:18px 32px;border-top:1px solid #262b36">
        <span style="font:12px {mono};color:#0f1117;background:#7ee0c6;border-radius:3px;padding:2px 6px">{tag}</span>
        <a href="https://pixelkiln.example/{issue}/{place}" style="display:block;margin:10px 0 4px;color:#f4f5f7;
        font:600 18px/1.35 Helvetica,Arial,sans-serif;text-decoration:none">{escape(title)}</a>
        <span style="font:15px/1.55 Helvetica,Arial,sans-serif;color:#a4acb9">{escape(blurb)}</span></td></tr>"""
        for place, (title, blurb, tag) in enumerate(links, start=1)
    )
    html = f"""<!DOCTYPE html><html lang="en"><head><meta name="color-scheme" content="dark"><title>Pixel Kiln</title>
<style>a:hover {{ text-decoration: underline !important }} ::selection {{ background: #7ee0c6; color: #0f1117 }}</style>
</head><body style="margin:0;background:#0a0c10">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" bgcolor="#0a0c10"><tr><td align="center"
  style="padding:32px 8px"><table role="presentation" width="600" cellpadding="0" cellspacing="0" bgcolor="#14171f"
  style="max-width:600px;width:100%;background:#14171f;border:1px solid #262b36;border-radius:10px">
<tr><td style="padding:28px 32px 22px"><table role="presentation" width="100%"><tr>
  <td style="font:700 22px {mono};color:#7ee0c6">pixel<span style="color:#f4f5f7">_kiln</span></td>
  <td align="right" style="font:13px {mono};color:#6b7484">#{issue}</td></tr></table>
  <p style="font:16px/1.6 Helvetica,Arial,sans-serif;color:#c9cfd9;margin:18px 0 0">Four links that were still warm this
  week. Reading time: one kettle.</p></td></tr>
{rows}
<tr><td style="padding:22px 32px;border-top:1px solid #262b36">
  <p style="font:600 13px {mono};color:#6b7484;margin:0 0 10px">// snippet of the week</p>
  <pre style="margin:0;padding:16px;background:#0a0c10;border-radius:6px;font:13px/1.6 {mono};color:#d6deeb;
overflow-x:auto"><span style="color:#c792ea">.list</span> {{
  <span style="color:#7ee0c6">content-visibility</span>: auto;
  <span style="color:#7ee0c6">contain-intrinsic-size</span>: auto <span style="color:#f78c6c">64px</span>;
}}</pre></td></tr>
<tr><td style="padding:18px 32px 28px;font:12px/1.6 {mono};color:#6b7484;border-top:1px solid #262b36">
  baked by hand, no cookies. <a href="https://pixelkiln.example/leave" style="color:#7ee0c6">leave the
  kiln</a></td></tr> </table></td></tr></table></body></html>"""
    return Letter(
        key=f"kiln/{issue}",
        sender=KILN,
        to=[CAST["alice"]],
        subject=f"#{issue} · {links[0][0]}",
        date=date,
        text=plain_issue(f"pixel_kiln #{issue}", "https://pixelkiln.example", links),
        html=html,
        headers=list_headers(KILN),
    )


def _patchboard(number: int, date: datetime) -> Letter:
    opened = rotate([12, 7, 15, 9, 11, 4, 3, 14, 6, 10, 8], number * 2, 7)
    closed = rotate([9, 11, 8, 13, 10, 2, 5, 12, 7, 9, 14], number * 3, 7)
    days = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
    bars = "".join(
        f"""<td align="center" valign="bottom" height="150" style="height:150px;padding:0 4px">
        <table role="presentation" cellpadding="0" cellspacing="0"><tr valign="bottom">
        <td><div style="width:14px;height:{9 * new}px;background:#8b5cf6;border-radius:3px 3px 0 0"></div></td>
        <td style="padding-left:3px"><div style="width:14px;height:{9 * done}px;background:#34d399;
        border-radius:3px 3px 0 0"></div></td></tr></table></td>"""
        for new, done in zip(opened, closed, strict=True)
    )
    names = "".join(
        f'<td align="center" style="padding-top:6px;font-size:12px;color:#71717a">{day}</td>' for day in days
    )
    tiles = "".join(
        f"""<td width="33%" style="padding:4px"><div style="border:1px solid
        #e4e4e7;border-radius:8px;padding:14px 16px"> <div style="font-size:12px;color:#71717a">{label}</div>
        <div style="font-size:26px;font-weight:700;color:#18181b">{value}</div></div></td>"""
        for label, value in (("Opened", sum(opened)), ("Closed", sum(closed)), ("Median age", f"{4 + number} d"))
    )
    html = f"""<html><head><title>Weekly report</title></head>
<body style="margin:0;background:#f4f4f5;font-family:-apple-system,'Segoe UI',Helvetica,Arial,sans-serif">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" bgcolor="#f4f4f5"><tr><td align="center"
 style="padding:24px 8px"><table role="presentation" width="560" cellpadding="0" cellspacing="0" bgcolor="#ffffff"
 style="max-width:560px;width:100%;background:#fff;border-radius:12px;border:1px solid #e4e4e7">
<tr><td style="padding:24px 28px 4px"><span style="font-weight:700;color:#8b5cf6">&#9638; Patchboard</span>
 <h1 style="font-size:22px;margin:14px 0 2px;color:#18181b">Your week in quay-and-larch/drawings</h1>
 <p style="margin:0;color:#71717a;font-size:14px">{date:%d %B %Y} &middot; 7 days</p></td></tr>
<tr><td style="padding:16px 24px"><table role="presentation" width="100%"><tr>{tiles}</tr></table></td></tr>
<tr><td style="padding:0 28px"><table role="presentation" width="100%" cellpadding="0" cellspacing="0"><tr
 style="border-bottom:1px solid #e4e4e7">{bars}</tr><tr>{names}</tr></table>
 <p style="font-size:12px;color:#71717a;margin:12px 0 0"><span style="color:#8b5cf6">&#9632;</span> opened &nbsp;
 <span style="color:#34d399">&#9632;</span> closed</p></td></tr>
<tr><td style="padding:20px 28px 26px"><a href="https://patchboard.example/quay-and-larch" style="display:inline-block;
 background:#18181b;color:#fff;text-decoration:none;font-weight:600;font-size:14px;padding:11px 18px;border-radius:8px">
 Open the board</a></td></tr></table>
<p style="font-size:12px;color:#a1a1aa">Sent every week because you watch this board. <a style="color:#a1a1aa"
 href="https://patchboard.example/settings">Change</a></p></td></tr></table></body></html>"""
    return Letter(
        key=f"patchboard/{number}",
        sender=PATCHBOARD,
        to=[CAST["alice"], CAST["bob"]],
        subject=f"Your week: {sum(opened)} opened, {sum(closed)} closed",
        date=date,
        text="",
        html=html,
        headers=list_headers(PATCHBOARD),
    )
