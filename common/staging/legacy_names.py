"""Names that the legacy system gave its staging tables, where they tell for certain whose they are.

`_staging_{batch}_{worker}`, with every `-` turned into `_`, and a worker id that was new for every call. That
is one-way: `b-1` and `b_1` had the same names, and one batch's prefix could be another's. For the batch ids
that were in use (`batch_{date}_{seconds}`) and the two forms of worker ids it is unambiguous: after the
seconds comes a letter, which no id of a batch has there.

Needed while batches that the legacy workers staged are still to be consolidated. Pure.
"""

import re
from typing import Final

from .table_names import PREFIX

_BATCH_ID: Final = re.compile(r"batch_\d{4}-\d\d-\d\d_\d+")
_WORKER: Final = re.compile(r"worker_[0-9a-f]{12}|[a-z][a-z0-9_]*_[0-9a-f]{8}")
"""Without and with the name of a Cloud Run revision."""


def prefix(batch_id: str) -> str | None:
    """What the names of a batch's tables start with; None for a batch id of another form, whose tables cannot
    be told for certain and are never merged or dropped by name.
    """
    if not _BATCH_ID.fullmatch(batch_id):
        return None
    return f"{PREFIX}{batch_id.replace('-', '_')}_"


def belongs_to(table: str, batch_id: str) -> bool:
    """Whether `table` is named as the legacy system named a staging table of this very batch.

    Asked before merging, and again before dropping.
    """
    # The prefix alone would let a batch have the tables of one whose seconds go on: `…_17` of `…_176`.
    start = prefix(batch_id)
    if start is None or not table.startswith(start):
        return False
    return _WORKER.fullmatch(table.removeprefix(start)) is not None
