"""A lock for work that must not run twice at once: a lease on a document, with a fencing token.

`lock` hands out the `lease` for a key; `rules` has what the document says of who holds it. LOCK_HELD and
LOCK_LOST, the two answers that are no fault, stand in `common/result.py`.
"""

__all__ = ["lease", "lock", "memory_store", "rules", "store"]
