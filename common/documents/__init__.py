"""Documents by path: the port over the store of documents, and what keeps it.

`Documents` and `AsyncDocuments` say what can be asked, `writes` what can be written, as values.
`FirestoreDocuments` and `AsyncFirestoreDocuments` are the store, `MemoryDocuments` their twin: loaded when
they are asked for, so that who only reads a record of the port loads no client.
"""

from typing import TYPE_CHECKING

from ..lazy_face import lazy_face
from .document import Document
from .port import REFUSED, AsyncDocuments, Documents, Written, accepted, is_refused
from .query import ALL, Query
from .writes import (
    REMOVED,
    SERVER_TIME,
    Absent,
    Create,
    Delete,
    Difference,
    Increment,
    Merge,
    Set,
    Union,
    Update,
    Write,
)

if TYPE_CHECKING:
    from .async_store import AsyncFirestoreDocuments
    from .memory_store import AsyncMemoryDocuments, MemoryDocuments
    from .store import FirestoreDocuments

__all__ = [
    "ALL",
    "REFUSED",
    "REMOVED",
    "SERVER_TIME",
    "Absent",
    "AsyncDocuments",
    "AsyncFirestoreDocuments",
    "AsyncMemoryDocuments",
    "Create",
    "Delete",
    "Difference",
    "Document",
    "Documents",
    "FirestoreDocuments",
    "Increment",
    "MemoryDocuments",
    "Merge",
    "Query",
    "Set",
    "Union",
    "Update",
    "Write",
    "Written",
    "accepted",
    "is_refused",
]

_LAZY = {
    "AsyncFirestoreDocuments": "async_store",
    "AsyncMemoryDocuments": "memory_store",
    "FirestoreDocuments": "store",
    "MemoryDocuments": "memory_store",
}

__getattr__ = lazy_face(__name__, _LAZY)
