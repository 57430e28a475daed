"""What became of each recipient of a submission, as its row keeps it: [address, fate, the server's words] each.

    "" (nobody has been asked) ──▶ accepted
      │                       ├──▶ refused
      └───────────────────────┴──▶ deferred ──▶ any of these, or given up: not tried any more
                              └──▶ unsure: taken, and then no answer to the message. The person says which it is

"" and deferred are open: they are tried, and tried again. Nothing here reads or writes the database.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from webmail.protocol.smtp_outcome import Fate, RecipientAnswer

Recipients = list[list[str]]

OPEN = ("", Fate.DEFERRED)
MISSED = (Fate.REFUSED, Fate.GIVEN_UP)  # who doesn't get it


def open_to(recipients: Recipients) -> tuple[str, ...]:
    """The addresses that nobody accepted or refused for good yet."""
    return tuple(address for address, fate, _ in recipients if fate in OPEN)


def noted(recipients: Recipients, answers: Sequence[RecipientAnswer]) -> Recipients:
    """With what the server said about them now."""
    said = {answer.address: answer for answer in answers}
    return [
        [address, said[address].fate.value, said[address].words] if address in said else [address, fate, words]
        for address, fate, words in recipients
    ]


def doubted(recipients: Recipients, answers: Sequence[RecipientAnswer] = ()) -> Recipients:
    """The last piece went out and nothing came back: of whom it went out to nobody knows whether they got it.

    Args:
        answers: what was said of each before; () where whoever heard it is dead.
    """
    if not answers:
        return _with(recipients, Fate.UNSURE, lambda fate: fate in OPEN)
    asked = {answer.address for answer in answers if answer.fate is Fate.ACCEPTED}
    return [
        [address, Fate.UNSURE.value if address in asked else fate, words]
        for address, fate, words in noted(recipients, answers)
    ]


def arrived(recipients: Recipients) -> Recipients:
    """It is known now that those got it of whom nobody knew."""
    return _with(recipients, Fate.ACCEPTED, lambda fate: fate in ("", Fate.UNSURE))


def once_more(recipients: Recipients, *, everybody: bool) -> Recipients:
    """As they are before another try: those of whom nobody knows are tried again, with `everybody` all of them."""
    return [[address, "", ""] if everybody or fate == Fate.UNSURE else [address, fate, said]
            for address, fate, said in recipients]  # fmt: skip


def given_up(recipients: Recipients) -> Recipients:
    """As they are when nobody goes on trying."""
    return _with(recipients, Fate.GIVEN_UP, lambda fate: fate in OPEN)


def missed(recipients: Recipients) -> str:
    """Who doesn't get what others get, in a sentence; "" where everybody does."""
    names = [address for address, fate, _ in recipients if fate in MISSED]
    if not names:
        return ""
    rest = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f"The mail server did not take it for {', '.join(names[:3])}{rest}. Everybody else gets the message."


def _with(recipients: Recipients, fate: Fate, wanted: Callable[[str], bool]) -> Recipients:
    return [[address, fate.value if wanted(was) else was, words] for address, was, words in recipients]
