"""The same call for many things at once, and one answer for all of them."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from .result import Result

K = TypeVar("K")
V = TypeVar("V")


def for_each(items: Sequence[K], work: Callable[[K], Result[V]], *, at_once: int) -> Result[dict[K, V]]:
    """`work` for every item, `at_once` at a time; the answers by item, in the order given.

    All are tried, whatever fails; then the first failure in the order of the items is told, and the answers
    of the others are dropped: `work` is to be one that may be repeated. What `work` raises is raised. Items
    are hashable and each of them stands once. Log ids and trace of the caller's context are not in the
    threads.
    """
    with ThreadPoolExecutor(at_once) as pool:
        results = dict(zip(items, pool.map(work, items), strict=True))
    for result in results.values():
        if result.error is not None:
            return Result.failure(result.error)
    return Result.success({item: result.unwrap() for item, result in results.items()})
