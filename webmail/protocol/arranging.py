"""Verbs that make, rename, delete and subscribe mailboxes (RFC 9051 §6.3.4–§6.3.8).

Each is sent once; whoever is in doubt lists the mailboxes and looks.
"""

from __future__ import annotations

from .errors import Forbidden, NoSuchMailbox, ProtocolError, Refused
from .exchange import SMALL_ANSWER
from .mailboxes import canonical
from .moving import Moving


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
        """Rename a mailbox and all below it; the subscription goes along.

        Raises:
            NoSuchMailbox: it is gone. Refused: code ALREADYEXISTS when the new name is taken. Forbidden: INBOX.
        """
        if canonical(name) == "INBOX":  # RFC 9051 §6.3.6: it would only be emptied into a new one
            raise Forbidden("The inbox can't be renamed.")
        self._arrange(b"RENAME %b %b" % (self.encode_name(name), self.encode_name(new)))
        self.subscribe(new)
        self.unsubscribe(name)

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

    def _arrange(self, line: bytes, *, needed: bool = True) -> None:
        self._begin(SMALL_ANSWER)
        self._awake()
        try:
            self._once([line])
        except Refused as error:
            if needed:
                raise _in_words(error) from error


def _in_words(error: Refused) -> ProtocolError:
    if error.code in ("NONEXISTENT", "TRYCREATE"):
        return NoSuchMailbox(detail=error.detail, code=error.code)
    if error.code == "ALREADYEXISTS":
        return Refused("There is a mailbox of this name already.", error.detail, error.code)
    if error.code == "CANNOT":
        return Refused("The mail server takes no mailbox of this name.", error.detail, error.code)
    return error
