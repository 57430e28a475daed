"""Verbs that make, rename, delete and subscribe mailboxes (RFC 9051 §6.3.4–§6.3.8), and what room there is for them.

Each that changes something is sent once; whoever is in doubt lists the mailboxes and looks.
"""

from __future__ import annotations

from .errors import Forbidden, NoSuchMailbox, ProtocolError, Refused
from .exchange import SMALL_ANSWER, Command
from .mailboxes import canonical
from .moving import Moving
from .tokens import Token, number, string, tokenize
from .types import Quota


class Arranging(Moving):
    """The verbs of `Connection` about the tree of mailboxes."""

    def create(self, name: str) -> None:
        """Make a mailbox, those above it where the server wants that, and subscribe to it.

        Raises:
            Refused: code ALREADYEXISTS when there is one. Forbidden: no such name is possible.
        """
        self._arrange(b"CREATE " + self.encode_name(name))
        self.subscribe(name)

    def rename(self, name: str, new: str) -> None:
        """Rename a mailbox and all below it. Subscriptions stay under the old names (RFC 9051 §6.3.7).

        Raises:
            NoSuchMailbox: it is gone. Refused: code ALREADYEXISTS when the new name is taken. Forbidden: INBOX.
        """
        if canonical(name) == "INBOX":  # RFC 9051 §6.3.6: it would only be emptied into a new one
            raise Forbidden("The inbox can't be renamed.")
        self._arrange(b"RENAME %b %b" % (self.encode_name(name), self.encode_name(new)))

    def delete(self, name: str) -> None:
        """Delete a mailbox with all its messages, and the subscription.

        Raises:
            NoSuchMailbox: it is gone. Refused: the server says why not. Forbidden: INBOX.
        """
        if canonical(name) == "INBOX":
            raise Forbidden("The inbox can't be deleted.")
        self._begin(SMALL_ANSWER)
        self._awake()
        if self._selection is not None and self._selection.name == canonical(name):
            # Some servers hang up on whoever deletes what they have selected. A refused SELECT leaves nothing selected,
            # and EXAMINE INBOX can hardly fail.
            self._select("INBOX", read_only=True)
        self._arrange(b"DELETE " + self.encode_name(name))
        self.unsubscribe(name)

    def subscribe(self, name: str) -> None:
        """Show the mailbox in clients that go by subscriptions. A server without them refuses, which is no matter."""
        self._arrange(b"SUBSCRIBE " + self.encode_name(name), needed=False)

    def unsubscribe(self, name: str) -> None:
        """The opposite of `subscribe`."""
        self._arrange(b"UNSUBSCRIBE " + self.encode_name(name), needed=False)

    def quota(self) -> Quota | None:
        """How full the account is (RFC 9208 §4.1.2, asked of INBOX); None where the server sets no limit or can't say.

        Of several limits it is the one that is closest.
        """
        if not self.has("QUOTA"):
            return None
        self._begin(SMALL_ANSWER)
        found: list[Quota] = []

        def take(response: list[bytes]) -> None:
            tokens = tokenize(response)
            if len(tokens) > 3 and string(tokens[1]).upper() == b"QUOTA":
                found.extend(_storage(tokens))

        [command] = self._run(lambda: [Command(b"GETQUOTAROOT INBOX", take)], check=False)
        if not command.done.ok or not found:
            return None
        return max(found, key=lambda quota: quota.used / quota.limit)

    def _arrange(self, line: bytes, *, needed: bool = True) -> None:
        self._begin(SMALL_ANSWER)
        self._awake()
        try:
            self._once([line])
        except Refused as error:
            if needed:
                raise _in_words(error) from error


def _storage(tokens: list[Token]) -> list[Quota]:
    """`* QUOTA "root" (STORAGE used limit MESSAGE used limit)`: the first, which is in units of 1024 octets."""
    items = [token for token in tokens[3:] if token not in (b"(", b")")]
    triples = zip(items[0::3], items[1::3], items[2::3], strict=False)
    return [
        Quota(number(used) * 1024, number(limit) * 1024)
        for name, used, limit in triples
        if string(name).upper() == b"STORAGE" and number(limit)
    ]


def _in_words(error: Refused) -> ProtocolError:
    if error.code in ("NONEXISTENT", "TRYCREATE"):
        return NoSuchMailbox(detail=error.detail, code=error.code)
    if error.code == "ALREADYEXISTS":
        return Refused("There is a mailbox of this name already.", error.detail, error.code)
    if error.code == "CANNOT":
        return Refused("The mail server takes no mailbox of this name.", error.detail, error.code)
    return error
