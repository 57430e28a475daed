"""Before a message leaves: what somebody may want to know of it, a quiet line each. None of them stops anything."""

from __future__ import annotations

import re
from collections.abc import Callable

from webmail.models import Account, Draft, Message, User
from webmail.protocol.mail_address import domain_of, normalise
from webmail.protocol.placeholders import unfilled
from webmail.protocol.readable import readable
from webmail.protocol.recipients import read

from . import identities, people
from .drafts import Written

MANY = 20  # recipients who see one another
MOST_ASKED = 20  # addresses of which it is asked whether they are new

# "attached" and its kin in the languages of mail, above the quote alone.
_ATTACHED = re.compile(
    r"\b(?:attach(?:ed|ment|ments|ing)?|enclosed|anhang|angehängt|anbei|beigefügt|ci-joint|pièce jointe|adjunt[oa]s?|"
    r"allegat[oi]|bijlage|bijgevoegd|załącz\w*|příloh\w*|bifogad\w*|vedlagt|вложени\w*|во вложении|ekte)\b|添付|附件",
    re.IGNORECASE,
)
_QUOTE = re.compile(r"^(?:>.*|On .{5,200} wrote:|-{5,} ?Forwarded message.*)$", re.MULTILINE)


def hints(user: User, draft: Written) -> tuple[str, ...]:
    """What is to be said of a draft as it stands; nothing that the person doesn't want to hear."""
    wanted = user.hints
    if not wanted:
        return _unfilled(draft)
    account = Account.objects.for_user(user).select_related("provider").get(pk=draft.account)
    values = draft.values
    visible = [*read(values.to).addresses, *read(values.cc).addresses]
    addresses = [each.address for each in (*visible, *read(values.bcc).addresses)]
    found: dict[str, Callable[[], str]] = {
        User.Hint.NEW: lambda: _new(user, addresses),
        User.Hint.OUTSIDE: lambda: _outside(account, addresses),
        User.Hint.MANY: lambda: _many(len(visible)),
        User.Hint.SENDER: lambda: _other_sender(user, account, draft),
        User.Hint.ATTACHMENT: lambda: _attachment(draft),
    }
    return (*(said for name, say in found.items() if name in wanted and (said := say())), *_unfilled(draft))


def _new(user: User, addresses: list[str]) -> str:
    new = [each for each in addresses[:MOST_ASKED] if people.is_new(user, each)]
    if not new:
        return ""
    shown = new[0] if len(new) == 1 else f"{new[0]} and {len(new) - 1} more"
    return f"You have not written to {shown} before."


def _outside(account: Account, addresses: list[str]) -> str:
    """Only where some are inside: else there is nothing to mistake."""
    own = {domain_of(account.address), *account.provider.domains.values_list("domain", flat=True)}
    outside = [each for each in addresses if domain_of(normalise(each)) not in own]
    if not outside or len(outside) == len(addresses):
        return ""
    shown = outside[0] if len(outside) == 1 else f"{outside[0]} and {len(outside) - 1} more"
    return f"It also goes outside {domain_of(account.address)}: {shown}."


def _many(visible: int) -> str:
    return f"{visible} people will see one another's addresses. Bcc hides them." if visible > MANY else ""


def _other_sender(user: User, account: Account, draft: Written) -> str:
    """A reply that goes out as another address than the one that was written to."""
    if draft.kind != Draft.Kind.REPLY or draft.original_row is None:
        return ""
    original = Message.objects.for_user(user).filter(pk=draft.original_row).only("recipients").first()
    own = identities.own_addresses(user)
    named = read(original.recipients).addresses if original else ()
    wrote_to = next((each.address for each in named if each.address in own), "")
    going = draft.values.from_address or identities.default_sender(account).address
    if not wrote_to or normalise(wrote_to) == normalise(going):
        return ""
    return f"They wrote to {wrote_to}; this goes out as {going}."


def _attachment(draft: Written) -> str:
    return "You write of an attachment, and there is none." if _lacks_attachment(draft) else ""


def _unfilled(draft: Written) -> tuple[str, ...]:
    """Shown to everybody: nobody wants to send one."""
    found = unfilled(_own_words(draft))
    return (f"A template's {found[0]} still stands in it.",) if found else ()


def _own_words(draft: Written) -> str:
    """What stands above the quote."""
    text = readable(draft.values.html) if draft.values.is_html else draft.values.text
    quote = _QUOTE.search(text)
    return text[: quote.start()] if quote else text


def _lacks_attachment(draft: Written) -> bool:
    if any(not file.content_id for file in draft.files):
        return False
    own = _own_words(draft)
    return _ATTACHED.search(f"{draft.values.subject if draft.kind == Draft.Kind.NEW else ''}\n{own}") is not None
