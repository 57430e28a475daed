"""The colours people give to mailboxes: kept with the account by the mailbox's name, for its row may be read anew."""

from __future__ import annotations

from django.db import transaction

from webmail.models import Account, Mailbox

# What style sheets call them (`data-hue`), in the order of the rainbow.
COLOURS = {"1": "Red", "2": "Orange", "3": "Yellow", "4": "Lime", "5": "Green", "6": "Teal", "7": "Sky", "0": "Blue",
           "8": "Violet", "9": "Pink"}  # fmt: skip


def choose(mailbox: Mailbox, colour: str) -> None:
    """Give a mailbox one of COLOURS; "" takes it away."""
    with transaction.atomic():
        account = Account.objects.select_for_update(no_key=True).get(pk=mailbox.account_id)
        account.colours.pop(mailbox.name, None)
        if colour in COLOURS:
            account.colours[mailbox.name] = colour
        account.save(update_fields=["colours"])


def follow(mailbox: Mailbox, name: str) -> None:
    """The mailbox is about to be called `name`: its colour and those of mailboxes inside it are found there as well."""
    below = mailbox.name + mailbox.delimiter
    with transaction.atomic():
        account = Account.objects.select_for_update(no_key=True).get(pk=mailbox.account_id)
        for old, colour in list(account.colours.items()):
            if old == mailbox.name or (mailbox.delimiter and old.startswith(below)):
                account.colours[name + old[len(mailbox.name) :]] = colour
        account.save(update_fields=["colours"])
