"""What a client says to log in (SASL, RFC 4422), in octets, for IMAP and SMTP alike.

A password goes by PLAIN (RFC 4616). An access token goes by XOAUTH2, which all who take tokens know, or by OAUTHBEARER
(RFC 7628) where a server offers that alone. A server that refuses a token says why in one more challenge and waits for
an answer before it says no.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from .errors import Forbidden
from .guard import BAD_TEXT, imap_text
from .types import Login, Server


@dataclass(frozen=True, slots=True)
class Words:
    """One mechanism and what is said in it. The response is a secret, so it appears in no repr.

    Args:
        response: the first response. afterwards: the answer to a further challenge, None to cancel.
    """

    mechanism: str
    response: bytes = field(repr=False)
    afterwards: bytes | None = None


def words(login: Login, offered: Collection[str], server: Server) -> Words | None:
    """What to say to a server that offers these mechanisms; None where it has none that suits.

    Args:
        offered: names in capitals. server: where this goes, which OAUTHBEARER names.

    Raises:
        Forbidden: the name or secret can't be said.
    """
    name, secret = imap_text(login.username), imap_text(login.password)
    if not login.is_token:
        return Words("PLAIN", f"\0{name}\0{secret}".encode()) if "PLAIN" in offered else None
    if "\x01" in name + secret:
        raise Forbidden(BAD_TEXT)
    if "XOAUTH2" in offered:
        return Words("XOAUTH2", f"user={name}\x01auth=Bearer {secret}\x01\x01".encode(), b"")
    if "OAUTHBEARER" in offered:
        who = name.replace("=", "=3D").replace(",", "=2C")  # saslname (RFC 5801 §4)
        where = f"host={server.host}\x01port={server.port}\x01"
        return Words("OAUTHBEARER", f"n,a={who},\x01{where}auth=Bearer {secret}\x01\x01".encode(), b"\x01")
    return None
