"""Locks as their documents say, now or before: read only, many at once."""

from collections.abc import Sequence
from datetime import datetime

from common.batches.batch_store import readable
from common.documents.port import Documents
from common.lock.rules import LockKey, LockRecord
from common.lock.store import LockSnapshot

NO_LEASE = 0.0
"""Nobody who only looks holds a lease, whose end would be reckoned from when the question left."""


def snapshots(
    documents: Documents, keys: Sequence[LockKey], *, as_of: datetime | None = None
) -> dict[LockKey, LockSnapshot]:
    """Those of them that were ever held, in the order asked for; one request. Raises ResultError.

    `server_now` is the time of the reading, or the moment asked for: whether a lease had run out is judged by
    that. With `asked_at` NO_LEASE none of them can be taken for a lock of one's own.
    """
    found = documents.get([str(key) for key in keys], as_of=as_of).unwrap()
    return {
        key: LockSnapshot(
            record=readable(document, LockRecord.from_fields).unwrap(),
            update_time=document.update_time,
            server_now=document.read_time,
            asked_at=NO_LEASE,
        )
        for key in keys
        # A date whose lock nobody ever took has no document, and so no snapshot.
        if (document := found.get(str(key))) is not None
    }
