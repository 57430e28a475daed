"""Conversations: a script of who said what and when becomes the messages that everybody's mailboxes hold.

A script is plain text. A line "@bob +2h30m unread" opens Bob's turn two and a half hours after the one before; what
follows is his text. Words after the span: `unread`, `flagged` (for whoever receives it), `cc=<name>` (joins from here
on), `re=<number>` (answers that turn rather than the last one, counted from 1), `plain` and `rich` (with or without an
HTML half), `noquote`. A line of more than 80 letters goes on in the next one, as prose does here. Replies quote, sign
and thread themselves, answered mail is marked so, and each demo user gets what they sent in Sent and what they
received in the mailbox that the conversation names.
"""

from __future__ import annotations

import html
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import groupby

from webmail.demo.mail.clock import moment, span
from webmail.demo.mail.letters import DemoMail, File, Letter, build, sender_date
from webmail.demo.mail.people import CAST, USERS, Person

SIGNATURE_MARK = "\n\n-- \n"  # RFC 3676 §4.3
_QUOTE = "margin:0 0 0 8px;border-left:2px solid #c7d0dd;padding-left:12px"
_TURN = re.compile(r"^@(\w+)(?: \+(\w+))?((?: [\w=$]+)*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Conversation:
    """A thread of mail.

    `last` is the moment of its last turn as `clock.moment` reads it; `people` are keys of the cast; `mailbox` maps a
    demo user to where they keep what they received (INBOX if not named); `files` attaches by turn, counted from 1;
    with a `list_address` everything goes to a mailing list.
    """

    key: str
    subject: str
    last: str
    people: str
    script: str
    mailbox: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[int, Sequence[File]] = field(default_factory=dict)
    headers: Sequence[tuple[str, str]] = ()
    keywords: tuple[str, ...] = ()
    list_address: Person | None = None


@dataclass(frozen=True, slots=True)
class _Turn:
    sender: str
    after: timedelta
    options: frozenset[str]
    text: str
    replies_to: int


def play(conversation: Conversation, now: datetime) -> Iterator[DemoMail]:
    """Every copy of every message of the conversation.  Raises ValueError if its script cannot be read."""
    turns = _read(conversation.script)
    people = conversation.people.split()
    date = moment(now, conversation.last) - sum((turn.after for turn in turns), timedelta())
    sent: list[Letter] = []
    for number, turn in enumerate(turns, start=1):
        date += turn.after
        people += [option[3:] for option in turn.options if option.startswith("cc=") and option[3:] not in people]
        parent = sent[turn.replies_to - 1] if turn.replies_to else None
        letter = _letter(
            conversation, turn, key=f"{conversation.key}/{number}", date=date, people=people, parent=parent
        )
        letter = replace(letter, files=conversation.files.get(number, ()))
        sent.append(letter)
        raw = build(letter)
        for user in USERS:
            if user not in people:
                continue
            where, flags = _place(conversation, turns, number, user)
            yield DemoMail(CAST[user].email, where, raw, flags, date)


def _read(script: str) -> list[_Turn]:
    pieces = _TURN.split(script.strip("\n"))
    if pieces[0].strip() or len(pieces) < 5:
        raise ValueError("a script begins with a line such as '@bob'")
    turns: list[_Turn] = []
    for start in range(1, len(pieces), 4):
        sender, after, options, text = pieces[start : start + 4]
        words = frozenset((options or "").split())
        answered = next((int(word[3:]) for word in words if word.startswith("re=")), len(turns))
        turns.append(_Turn(sender, span(after or ""), words, _unfold(text.strip("\n")), answered))
    return turns


def _unfold(text: str) -> str:
    """Put together again what was folded only to fit the width of this source."""
    return re.sub(r"(?<=\n)(?=\S)([^\n]{81,})\n(?=\S)", r"\1 ", "\n" + text).removeprefix("\n")


def _place(conversation: Conversation, turns: list[_Turn], number: int, user: str) -> tuple[str, tuple[str, ...]]:
    """The mailbox and the flags of turn `number` in the hands of `user`."""
    turn = turns[number - 1]
    if turn.sender == user:
        return "Sent", ("\\Seen", *conversation.keywords)
    flags = [] if "unread" in turn.options else ["\\Seen"]
    if "flagged" in turn.options:
        flags.append("\\Flagged")
    if any(later.sender == user and later.replies_to == number for later in turns):
        flags.append("\\Answered")
    return conversation.mailbox.get(user, "INBOX"), (*flags, *conversation.keywords)


def _letter(
    conversation: Conversation, turn: _Turn, *, key: str, date: datetime, people: list[str], parent: Letter | None
) -> Letter:
    sender = CAST[turn.sender]
    quoting = parent if "noquote" not in turn.options and sender.quotes != "none" else None
    to, cc = _recipients(conversation, sender, people, parent)
    rich = (sender.rich or "rich" in turn.options) and "plain" not in turn.options
    return Letter(
        key=key,
        sender=sender,
        to=to,
        cc=cc,
        subject=conversation.subject if parent is None else f"Re: {conversation.subject}",
        date=date,
        text=_plain(sender, turn.text, quoting),
        html=_rich(sender, turn.text, quoting) if rich else "",
        headers=conversation.headers,
        references=(*parent.references, parent.message_id) if parent else (),
    )


def _recipients(
    conversation: Conversation, sender: Person, people: list[str], parent: Letter | None
) -> tuple[list[Person], list[Person]]:
    """To and Cc: a reply goes to whom it answers, with copies for the others."""
    if conversation.list_address is not None:
        return [conversation.list_address], [parent.sender] if parent and parent.sender is not sender else []
    others = [CAST[name] for name in people if CAST[name] is not sender]
    if parent is None or parent.sender is sender:
        return others, []
    return [parent.sender], [person for person in others if person is not parent.sender]


def _plain(sender: Person, text: str, parent: Letter | None) -> str:
    # What answers above a whole copied message doesn't mark its signature: that would hide the copy as well.
    mark = "\n\n" if sender.quotes == "outlook" else SIGNATURE_MARK
    signature = f"{mark}{sender.signature}" if sender.signature else ""
    text = "\n".join(wrapped for line in text.split("\n") for wrapped in _wrap(line))
    if parent is None:
        return text + signature
    quoted = "\n".join(f">{line}" if line.startswith(">") else f"> {line}".rstrip() for line in _said(parent))
    if sender.quotes == "inline":
        return f"{_attribution(parent)}\n{quoted}\n\n{text}{signature}"
    if sender.quotes == "outlook":
        return f"{text}{signature}\n\n{_outlook_head(parent)}\n\n" + "\n".join(_said(parent))
    return f"{text}{signature}\n\n{_attribution(parent)}\n{quoted}"


def _rich(sender: Person, text: str, parent: Letter | None) -> str:
    signature = html.escape(sender.signature).replace("\n", "<br>")
    parts = [f'<div style="font-family:Helvetica,Arial,sans-serif;font-size:14px;line-height:1.5">{_paragraphs(text)}']
    if signature:
        parts.append(f'<div class="signature" style="color:#667085;margin-top:16px">{signature}</div>')
    if parent is not None:
        said = _quoted(_said(parent))
        if sender.quotes == "outlook":
            head = html.escape(_outlook_head(parent)).replace("\n", "<br>")
            parts.append(
                f'<div style="border-top:1px solid #b5c4df;padding-top:8px;margin-top:16px">{head}</div>{said}'
            )
        else:
            parts.append(
                f'<div class="quote"><p>{html.escape(_attribution(parent))}</p>'
                f'<blockquote type="cite" style="{_QUOTE}">{said}</blockquote></div>'
            )
    return f"<html><body>{''.join(parts)}</div></body></html>"


def _paragraphs(text: str) -> str:
    if not text.strip():
        return ""
    escaped = re.sub(r"(https?://[^\s<>]+[\w/])", r'<a href="\1">\1</a>', html.escape(text, quote=False))
    return "".join(f"<p>{block.replace(chr(10), '<br>')}</p>" for block in re.split(r"\n{2,}", escaped.strip()))


def _wrap(line: str) -> list[str]:
    """Lines of at most 72 letters, as plain mail has them; tables and indented lines stay as they are."""
    return [line] if line[:1] in {"", " ", "|"} else textwrap.wrap(line, 72, break_on_hyphens=False)


def _quoted(lines: list[str]) -> str:
    """Lines of plain text as HTML, each level of ">" one blockquote."""
    parts = []
    for deeper, group in groupby(lines, lambda line: line.startswith(">")):
        if deeper:
            inner = _quoted([line[1:].removeprefix(" ") for line in group])
            parts.append(f'<blockquote type="cite" style="{_QUOTE}">{inner}</blockquote>')
        else:
            parts.append(_paragraphs("\n".join(group)))
    return "".join(parts)


def _said(letter: Letter) -> list[str]:
    """What a reply quotes: everything but the signature of the one answered."""
    signature = letter.sender.signature
    return letter.text.replace(f"{SIGNATURE_MARK}{signature}", "").strip("\n").split("\n")


def _attribution(letter: Letter) -> str:
    date = sender_date(letter.sender, letter.date)
    return f"On {date:%a, %-d %b %Y at %H:%M}, {letter.sender.name} wrote:"


def _outlook_head(letter: Letter) -> str:
    date = sender_date(letter.sender, letter.date)
    to = "; ".join(person.name for person in letter.to)
    return (
        f"-----Original Message-----\nFrom: {letter.sender.name} <{letter.sender.email}>\n"
        f"Sent: {date:%A, %d %B %Y %H:%M}\nTo: {to}\nSubject: {letter.subject}"
    )
