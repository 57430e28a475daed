"""What mailboxes are for: as the server says (RFC 6154 SPECIAL-USE), else by their usual names."""

from __future__ import annotations

from dataclasses import replace

from .types import MailboxInfo, Role, Space

_SPECIAL_USE = {
    "\\drafts": Role.DRAFTS,
    "\\sent": Role.SENT,
    "\\archive": Role.ARCHIVE,
    "\\junk": Role.JUNK,
    "\\trash": Role.TRASH,
}
# What servers and clients without SPECIAL-USE call them; earlier names win.
_COMMON_NAMES = {
    Role.DRAFTS: ("drafts", "draft", "entwürfe", "brouillons", "borradores", "bozze", "concepten", "rascunhos"),
    Role.SENT: (
        "sent", "sent items", "sent messages", "sent mail", "gesendet", "gesendete objekte", "gesendete elemente",
        "éléments envoyés", "envoyés", "enviados", "elementos enviados", "posta inviata", "inviata", "verzonden items",
    ),
    Role.ARCHIVE: ("archive", "archives", "archiv", "archivo", "archivio", "archief", "arquivo"),
    Role.JUNK: ("junk", "spam", "junk e-mail", "junk email", "junk mail", "bulk mail", "indésirables", "no deseado"),
    Role.TRASH: (
        "trash", "deleted items", "deleted messages", "deleted", "bin", "papierkorb", "gelöschte elemente", "corbeille",
        "éléments supprimés", "papelera", "elementos eliminados", "cestino", "posta eliminata", "prullenbak", "lixo",
    ),
}  # fmt: skip


def special_use(attributes: frozenset[str]) -> Role | None:
    """What the server says a mailbox is for, by the attributes of its LIST response in lower case."""
    return next((role for attribute, role in _SPECIAL_USE.items() if attribute in attributes), None)


def with_common_roles(infos: list[MailboxInfo]) -> tuple[MailboxInfo, ...]:
    """Give a role that no mailbox claims to the one with the most usual name for it, at the top or below INBOX."""
    taken = {info.role for info in infos}
    for role, names in _COMMON_NAMES.items():
        if role in taken:
            continue
        ranked = [
            (names.index(leaf), index)
            for index, info in enumerate(infos)
            if info.role is None and info.selectable and info.space is Space.OWN and (leaf := _leaf(info)) in names
        ]
        if ranked:
            index = min(ranked)[1]
            infos[index] = replace(infos[index], role=role)
    return tuple(infos)


def _leaf(info: MailboxInfo) -> str:
    """The name in lower case where it is at the top level, below INBOX or below a provider's own root; else ""."""
    levels = info.name.split(info.delimiter) if info.delimiter else [info.name]
    if len(levels) > 1 and (levels[0].upper() == "INBOX" or levels[0].startswith("[")):
        levels = levels[1:]
    return levels[0].lower() if len(levels) == 1 else ""
