"""Looks for whatever is stuck, inconsistent or absent, and mends what can be mended safely.

A check is a function `check_x(...) -> Ok | Found | Unknown` and a line in `checks.py`; its rule is pure, its
query stands beside it. `auditor.py` runs them, `repairs.py` mends. An audit may run beside others and beside
everything that works: it only reads, but for findings, repairs and its own document.
"""

__all__ = [
    "assembly",
    "audit_log",
    "auditor",
    "batch_reader",
    "batch_rules",
    "batches_seen",
    "coverage",
    "in_turn",
    "outcomes",
    "pace",
    "report",
    "retention",
    "row_checks",
    "row_rules",
    "rule_sql",
    "run_checks",
    "schedule",
]
