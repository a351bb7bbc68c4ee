"""Batches: the document of a day's predictions and its life, from its opening to the end of its phase.

`Batches` opens and reads them, `Closing` and `TriggerOutbox` end them. All of it works on
the port of `common.documents`. The records are here at once; what works on them is loaded when it is asked
for, so that rules and handlers load no client, no clock and no log.
"""

from typing import TYPE_CHECKING

from ..lazy_face import lazy_face
from .completion import Completion
from .records import Batch, BatchStatus, Counts, Progress, Roster

if TYPE_CHECKING:
    from .batches import Batches
    from .closing import Closing, Settlement
    from .trigger_outbox import TriggerOutbox

__all__ = [
    "Batch",
    "BatchStatus",
    "Batches",
    "Closing",
    "Completion",
    "Counts",
    "Progress",
    "Roster",
    "Settlement",
    "TriggerOutbox",
]

_LAZY = {
    "Batches": "batches",
    "Closing": "closing",
    "Settlement": "closing",
    "TriggerOutbox": "trigger_outbox",
}

__getattr__ = lazy_face(__name__, _LAZY)
