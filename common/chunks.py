"""Cut a sequence into runs of a length that one statement can take."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")


def chunks(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Consecutive runs of at most `size` items, in order; nothing for no items. `size` is 1 or more."""
    return (items[start : start + size] for start in range(0, len(items), size))
