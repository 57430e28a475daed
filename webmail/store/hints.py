"""Before a message leaves: what somebody may want to know of it, a quiet line each. None of them stops anything."""

from __future__ import annotations

import re
from collections.abc import Callable

from webmail.models import Account, Draft, Message, User
from webmail.protocol.mail_address import domain_of, normalise
from webmail.protocol.placeholders import unfilled
from webmail.protocol.readable import readable
from webmail.protocol.recipients import field_text, read
from webmail.protocol.types import Address

from . import identities, people
from .drafts import Written

MANY = 20  # recipients who see one another
MOST_ASKED = 20  # addresses of which it is asked whether they are new

# "attached" and its kin in the languages of mail (those of `attributions` among them), above quote and signature alone.
_ATTACHED = re.compile(
    r"\b(?:attach(?:ed|ment|ments|ing)?|enclos(?:ed|ure|ures)|"
    r"anhang|anhänge[n]?|angehängt\w*|anbei|beigefügt\w*|beiliegend\w*|in der anlage|als anlage|"
    r"ci-joint(?:e|s|es)?|pièces? jointes?|en annexe|adjunt(?:o|a|os|as)|adjuntamos|"
    r"allegat[oiae]|anex(?:o|a|os|as|ado|ada|ados|adas)|"
    r"bijlagen?|bijgevoegde?|bijgaande?|załącz\w*|příloh\w*|přilož\w*|přikládám\w*|príloh\w*|prilož\w*|"
    r"bifoga\w*|bilagor?|vedlagt\w*|vedlegg\w*|vedhæft\w*|liitte\w*|liitän|ohessa|oheinen|"
    r"mellékel\w*|melléklet\w*|csatol\w*|ekte|ekteki|ekli|ekledim|"
    r"ataș\w*|ataş\w*|anexat\w*|prilog\w*|privit\w*|prilaž\w*|prilag\w*|συνημμέν\w*|επισυνάπτ\w*|lampiran|terlampir|"
    r"прикачен\w*|приложен\w*|מצורפ\w*|מצורף|צירפתי|(?:ال)?مرفق\w*|đính kèm|"
    r"вложени\w*|вложил\w*|прикрепл\w*|прилага\w*|вкладенн\w*|вкладаю|додаток|додатку|додаю)\b|添付|附件|附上|첨부",
    re.IGNORECASE,
)
# A quote, what is forwarded, a signature.
_END_OF_OWN = re.compile(r"^(?:>.*|On .{5,200} wrote:|-{5,} ?Forwarded message.*|-- ?)$", re.MULTILINE)


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
        User.Hint.ATTACHMENT: lambda: _attachment(account, draft),
    }
    return (*(said for name, say in found.items() if name in wanted and (said := say())), *_unfilled(draft))


def _new(user: User, addresses: list[str]) -> str:
    new = [each for each in addresses[:MOST_ASKED] if people.is_new(user, each)]
    if not new:
        return ""
    return f"You have not written to {_some(new)} before."


def _outside(account: Account, addresses: list[str]) -> str:
    """Only where some are inside: else there is nothing to mistake."""
    own = {domain_of(account.address), *account.provider.domains.values_list("domain", flat=True)}
    outside = [each for each in addresses if domain_of(normalise(each)) not in own]
    if not outside or len(outside) == len(addresses):
        return ""
    return f"It also goes outside {domain_of(account.address)}: {_some(outside)}."


def _some(addresses: list[str]) -> str:
    """The first one as people write it, and how many more there are."""
    first = field_text([Address("", addresses[0])])
    return first if len(addresses) == 1 else f"{first} and {len(addresses) - 1} more"


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


def _attachment(account: Account, draft: Written) -> str:
    if any(not file.content_id for file in draft.files):
        return ""
    own = _own_words(draft)
    subject = draft.values.subject if draft.kind == Draft.Kind.NEW else ""
    if not _ATTACHED.search(f"{subject}\n{own}"):
        return ""
    # Many a signature speaks of attachments, and the one in HTML has no line above it that says where it begins.
    sender = identities.sender_of(account, draft.values.from_address)
    for signature in (sender.signature_text.strip(), readable(sender.signature_html).strip()):
        own = own.replace(signature, "") if signature else own
    return "You write of an attachment, and there is none." if _ATTACHED.search(f"{subject}\n{own}") else ""


def _unfilled(draft: Written) -> tuple[str, ...]:
    """Shown to everybody: nobody wants to send one."""
    found = unfilled(_own_words(draft))
    return (f"A template's {found[0]} still stands in it.",) if found else ()


def _own_words(draft: Written) -> str:
    """What stands above the quote and the signature."""
    text = readable(draft.values.html) if draft.values.is_html else draft.values.text
    end = _END_OF_OWN.search(text)
    return text[: end.start()] if end else text
