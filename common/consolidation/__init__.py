"""The staging tables of a batch become one set of rows in the main table: merged once, verified, cleaned up.

`consolidator` is the use case, `receipt` its proof, `clean_up` what an auditor does to orphaned tables.
"""

__all__ = [
    "clean_up",
    "consolidator",
    "day_lock",
    "duplicate_keys",
    "main_rows",
    "merge_sql",
    "receipt",
    "receipt_chain",
    "staged_rows",
    "unmergeable",
]
