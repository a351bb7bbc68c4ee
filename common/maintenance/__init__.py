"""What a sweep or an operator does to batches that no event moves on."""

__all__ = [
    "assembly",
    "deadlines",
    "recount",
    "redrive",
    "requests",
    "schema_migration",
    "sweep_ticks",
    "swept",
]
