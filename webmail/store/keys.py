"""Which key does what: one table for the pages' scripts, the sheet of keys and the settings; Gmail's unless changed.

A key is what typing it writes ("e", "#", "U" with Shift) or its name ("Enter"); two with a space between are pressed
one after the other ("g i"). A person's own keys are kept where they differ (`User.keys`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from webmail.models import User

NAMED = ("Enter", "Backspace", "Delete", "Home", "End", "PageUp", "PageDown", "Insert")
# What lists, links and boxes need for themselves, whatever else has the focus.
TAKEN = ("Tab", "Escape", " ", "ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight")


@dataclass(frozen=True, slots=True)
class Command:
    """Something a key does.

    Args:
        name: for the pages' scripts; "act:…" acts on messages.
        label: in a person's words. group: the heading it stands under.
        keys: Gmail's, or what comes closest; any of them does it.
    """

    name: str
    label: str
    group: str
    keys: tuple[str, ...]


COMMANDS = (
    Command("next", "Next message", "Messages", ("j",)),
    Command("previous", "Previous message", "Messages", ("k",)),
    Command("open", "Open", "Messages", ("o",)),
    Command("back", "Back to the list", "Messages", ("u",)),
    Command("act:select", "Select or unselect", "Select", ("x",)),
    Command("act:select-all", "All on this page", "Select", ("* a",)),
    Command("act:select-everything", "All that match, on other pages too", "Select", ("* *",)),
    Command("act:select-none", "None", "Select", ("* n",)),
    Command("act:select-read", "Those that are read", "Select", ("* r",)),
    Command("act:select-unread", "Those that are unread", "Select", ("* u",)),
    Command("act:select-flagged", "Those that are flagged", "Select", ("* s",)),
    Command("act:archive", "Archive", "Act on what is selected, or open", ("e",)),
    Command("act:delete", "Delete", "Act on what is selected, or open", ("#",)),
    Command("act:junk", "Junk, or not junk", "Act on what is selected, or open", ("!",)),
    Command("act:move", "Move to…", "Act on what is selected, or open", ("v",)),
    Command("act:copy", "Copy to…", "Act on what is selected, or open", ("V",)),
    Command("act:label", "Label…", "Act on what is selected, or open", ("l",)),
    Command("act:flag", "Flag or unflag", "Act on what is selected, or open", ("s",)),
    Command("act:read", "Mark read", "Act on what is selected, or open", ("I",)),
    Command("act:unread", "Mark unread", "Act on what is selected, or open", ("U",)),
    Command("act:undo", "Undo", "Act on what is selected, or open", ("z",)),
    Command("reply", "Reply", "The open message", ("r",)),
    Command("reply_all", "Reply to all", "The open message", ("a",)),
    Command("forward", "Forward", "The open message", ("f",)),
    Command("plain", "Plain text or as designed", "The open message", ("t",)),
    Command("larger", "Larger text", "The open message", ("+",)),
    Command("smaller", "Smaller text", "The open message", ("-",)),
    Command("compose", "New message", "Go", ("c",)),
    Command("inbox", "Inbox", "Go", ("g i",)),
    Command("drafts", "Drafts", "Go", ("g d",)),
    Command("sent", "Sent", "Go", ("g t",)),
    Command("archived", "Archive", "Go", ("g a",)),
    Command("trash", "Trash", "Go", ("g #",)),
    Command("settings", "Settings", "Go", ("g s",)),
    Command("check", "Check for new mail", "Go", (".",)),
    Command("help", "This sheet", "Go", ("?",)),
)
_BY_NAME = {command.name: command for command in COMMANDS}


@dataclass(frozen=True, slots=True)
class Line:
    """A command with the keys it has for somebody, each as the pieces that are pressed one after the other."""

    name: str
    label: str
    keys: str
    pieces: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Group:
    """Commands under one heading."""

    heading: str
    lines: tuple[Line, ...]


def table_of(user: User) -> str:
    """The person's keys as JSON, key → command, for the pages' scripts; empty where they are switched off."""
    if not user.single_keys:
        return "{}"
    return _table(_frozen(user.keys))


def key_of(user: User | None, name: str) -> str:
    """The first key that does this for the person; "" where none does, or they are switched off."""
    if user is None or not user.single_keys:
        return ""
    those = user.keys.get(name, _BY_NAME[name].keys)
    return str(those[0]) if those else ""


def sheet_of(user: User | None) -> tuple[Group, ...]:
    """The table to read, group by group; with the person's own keys where there is one."""
    return _sheet(_frozen(user.keys if user is not None else {}))


def check(wanted: Mapping[str, str]) -> tuple[dict[str, list[str]], dict[str, str]]:
    """Look through what a person wants, and tell conflicts.

    Args:
        wanted: command → its keys as typed, several with commas between.

    Returns:
        what to keep in `User.keys`: the commands whose keys are not the usual ones; and what is wrong, a sentence for
        each command concerned.
    """
    own, problems = {}, {}
    for command in COMMANDS:
        typed = wanted.get(command.name, ", ".join(command.keys))
        keys = tuple(" ".join(piece.split()) for piece in typed.split(",") if piece.strip())
        for key in keys:
            sentence = _fault_of(key)
            if sentence:
                problems[command.name] = sentence
        if keys != command.keys:
            own[command.name] = list(keys)
    for one, other, key in _conflicts(own):
        if one not in problems:
            problems[one] = (
                f"“{key}” is also the key of “{_BY_NAME[other].label}”, or begins it. One of them must change."
            )
    return own, problems


def _conflicts(own: Mapping[str, list[str]]) -> list[tuple[str, str, str]]:
    """(command, other command, key) for each key that two commands want, or that begins another's."""
    pairs = [(key, command.name) for command in COMMANDS for key in own.get(command.name, command.keys)]
    return [
        (name, other, key)
        for place, (key, name) in enumerate(pairs)
        for at, (beside, other) in enumerate(pairs)
        if at != place
        and name != other
        and (key == beside or beside.startswith(f"{key} ") or key.startswith(f"{beside} "))
    ]


def _fault_of(key: str) -> str:
    pieces = key.split(" ")
    if len(pieces) > 2:
        return f"“{key}” is too long: at most two keys one after the other."
    for piece in pieces:
        if piece in TAKEN:
            return f"“{piece}” is needed by the page itself."
        if len(piece) != 1 and piece not in NAMED:
            return f"“{piece[:20]}” is not a key. Write the letter or sign that it types."
    return ""


def _frozen(own: Mapping[str, list[str]]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """A person's keys as a value that is the same for all who have the same."""
    return tuple((command.name, tuple(own.get(command.name, command.keys))) for command in COMMANDS)


@lru_cache(maxsize=64)
def _table(keys: tuple[tuple[str, tuple[str, ...]], ...]) -> str:
    return json.dumps({key: name for name, those in keys for key in those}, separators=(",", ":"), ensure_ascii=False)


@lru_cache(maxsize=64)
def _sheet(keys: tuple[tuple[str, tuple[str, ...]], ...]) -> tuple[Group, ...]:
    groups: dict[str, list[Line]] = {}
    for name, those in keys:
        command = _BY_NAME[name]
        pieces = tuple(tuple(key.split(" ")) for key in those)
        groups.setdefault(command.group, []).append(Line(name, command.label, ", ".join(those), pieces))
    return tuple(Group(heading, tuple(lines)) for heading, lines in groups.items())
