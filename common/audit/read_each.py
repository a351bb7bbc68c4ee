"""One read for each of many batches: a bounded number at a time, and ended by the first that fails."""

from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from ..batches.records import Batch
from ..chunks import chunks
from ..parallel import for_each
from ..result import Result, returns_result

V = TypeVar("V")

AT_ONCE: Final = 16
"""A read waits for the network for ten times as long as it computes."""
CHUNK: Final = 64
"""After so many it is looked whether to go on: whether the time is up, whether the store answers."""


@returns_result
def read_each(batches: Sequence[Batch], read: Callable[[Batch], Result[V]]) -> dict[str, V]:
    """What `read` says of each, by batch id, in the order given.

    A failure is the first one; the chunk in which it fell is tried to its end, what comes after it is not.
    """
    known = {batch.batch_id: batch for batch in batches}
    found: dict[str, V] = {}
    for some in chunks(list(known), CHUNK):
        found |= for_each(some, lambda batch_id: read(known[batch_id]), at_once=AT_ONCE).unwrap()
    return found
