"""HTTP request → message → handler → acknowledge, retry or dead-letter: decided here and nowhere else.

A function makes an `Endpoint` with a `Route` for each topic that wakes it (see `common/runtime/wiring.py`); a
handler gets its message and the `Delivery` that brought it. Which Result becomes what: `rules.py`.
"""

__all__ = ["canary", "dead_letter_box", "dead_letter_queue", "dead_letters", "endpoint", "envelope", "rules"]
