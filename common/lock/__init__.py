"""A lock for work that must not run twice at once: a lease on a document, with a fencing token.

`Lock` hands out a `Lease` for a `LockKey`; a `LockRecord` is what the document says of who holds it.
LOCK_HELD and LOCK_LOST, the two answers that are no fault, stand in `common/result.py`.
"""

from typing import TYPE_CHECKING

from ..lazy_face import lazy_face
from .rules import LockKey, LockRecord

if TYPE_CHECKING:
    from .lease import Lease as Lease
    from .lock import LEASE_TOO_SHORT as LEASE_TOO_SHORT
    from .lock import Lock as Lock

__all__ = ["LEASE_TOO_SHORT", "Lease", "Lock", "LockKey", "LockRecord"]

__getattr__ = lazy_face(__name__, {"LEASE_TOO_SHORT": "lock", "Lease": "lease", "Lock": "lock"})
