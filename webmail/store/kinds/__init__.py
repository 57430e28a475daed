"""What kinds of jobs there are, one module a kind: how each is carried out, looked after in doubt, merged and undone.

The ledger (`store/working.py`) keeps the lease, the order and the states and knows none of this; what a kind makes of
the index stands in `store/overlay.py`, because rows have one writer.
"""

from __future__ import annotations

from collections.abc import Mapping

from webmail.models import Job

from . import appends, copies, expunges, flags, imports, mailboxes, moves
from .kind import Kind

KINDS: Mapping[str, Kind] = {
    Job.Kind.FLAG: flags.Flags(),
    Job.Kind.MOVE: moves.Moves(),
    Job.Kind.COPY: copies.Copies(),
    Job.Kind.EXPUNGE: expunges.Expunges(),
    Job.Kind.APPEND: appends.Appends(),
    Job.Kind.IMPORT: imports.Imports(),
    Job.Kind.CREATE: mailboxes.Creates(),
    Job.Kind.RENAME: mailboxes.Renames(),
    Job.Kind.REMOVE: mailboxes.Removes(),
    Job.Kind.SUBSCRIBE: mailboxes.Subscribes(),
}
