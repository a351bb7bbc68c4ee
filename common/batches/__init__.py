"""Batches: the document of a day's predictions and its life, from its opening to the end of its phase.

`Batches` opens and reads them, `Closing` and `TriggerOutbox` end them. All of it works on the port
`Documents`: `FirestoreDocuments` is the store, `MemoryDocuments` its twin. The records are here at once; what
works on them is loaded when it is asked for, so that rules and handlers load no client, no clock and no log.
"""

from typing import TYPE_CHECKING

from ..lazy_face import lazy_face
from .records import Batch, BatchStatus, Completion, Counts, Progress, Roster

if TYPE_CHECKING:
    from .async_store import AsyncFirestoreDocuments
    from .batches import Batches
    from .closing import Closing, Settlement
    from .memory_store import AsyncMemoryDocuments, MemoryDocuments
    from .port import AsyncDocuments, Documents
    from .store import FirestoreDocuments
    from .trigger_outbox import TriggerOutbox

__all__ = [
    "AsyncDocuments",
    "AsyncFirestoreDocuments",
    "AsyncMemoryDocuments",
    "Batch",
    "BatchStatus",
    "Batches",
    "Closing",
    "Completion",
    "Counts",
    "Documents",
    "FirestoreDocuments",
    "MemoryDocuments",
    "Progress",
    "Roster",
    "Settlement",
    "TriggerOutbox",
]

_LAZY = {
    "AsyncDocuments": "port",
    "AsyncFirestoreDocuments": "async_store",
    "AsyncMemoryDocuments": "memory_store",
    "Batches": "batches",
    "Closing": "closing",
    "Documents": "port",
    "FirestoreDocuments": "store",
    "MemoryDocuments": "memory_store",
    "Settlement": "closing",
    "TriggerOutbox": "trigger_outbox",
}

__getattr__ = lazy_face(__name__, _LAZY)
