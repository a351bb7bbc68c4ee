"""Batches: the document of a day's predictions and its life, from its opening to the end of its phase.

`batches` opens and reads them, `closing` and `trigger_outbox` end them; `records` and `completion` are what
the documents say. All of it works on the port of `common.documents`.
"""

__all__ = [
    "batch_document",
    "batch_store",
    "batches",
    "changes",
    "closing",
    "completion",
    "differences",
    "dual_write_check",
    "expected_end",
    "late_completion",
    "player_manifest",
    "recording",
    "records",
    "rules",
    "timeline",
    "trigger_outbox",
]
