"""Recording completions: each counted once, many in one commit."""

__all__ = ["answers", "array_commit", "assembly", "recorder"]
