from collections.abc import Sequence

import pytest

from common.recorder.fallback import commit_all
from common.result import ErrorInfo, ErrorType, Result

INVALID = ErrorInfo.permanent("InvalidArgument", "too large")
UNKNOWN = ErrorInfo(ErrorType.UNKNOWN, "Unheard", "of")
DOWN = ErrorInfo.transient("ServiceUnavailable", "down")


class Store:
    """Refuses every group that holds something bad, as a whole; what it takes, it answers tenfold."""

    def __init__(self, error: ErrorInfo | Exception, *, bad: Sequence[int]) -> None:
        self._error = error
        self._bad = bad
        self.groups: list[list[int]] = []

    async def commit(self, items: Sequence[int]) -> list[Result[int]]:
        self.groups.append(list(items))
        if not set(items) & set(self._bad):
            return [Result.success(10 * item) for item in items]
        if isinstance(self._error, Exception):
            raise self._error
        return [Result.failure(self._error) for _ in items]


@pytest.mark.parametrize(
    "error", [INVALID, UNKNOWN, OverflowError("a bug")], ids=["for good", "unknown", "raised"]
)
async def test_whoever_is_good_alone_does_not_fail_with_its_group(error: ErrorInfo | Exception) -> None:
    store = Store(error, bad=[2])

    first, bad, last = await commit_all(store.commit, [1, 2, 3], batch_id="batch1")

    assert (first, last) == (Result.success(10), Result.success(30))
    assert bad.is_failure
    assert store.groups == [[1, 2, 3], [1], [2], [3]]


async def test_group_that_meets_a_store_that_is_down_is_not_taken_apart() -> None:
    store = Store(DOWN, bad=[2])

    answers = await commit_all(store.commit, [1, 2, 3], batch_id="batch1")

    assert [answer.error for answer in answers] == [DOWN] * 3
    assert store.groups == [[1, 2, 3]]


@pytest.mark.parametrize("items", [[7], [1, 2]], ids=["alone and bad", "all good"])
async def test_nothing_is_committed_twice_where_that_could_not_help(items: list[int]) -> None:
    store = Store(INVALID, bad=[7])

    await commit_all(store.commit, items, batch_id="batch1")

    assert store.groups == [items]


async def test_who_failed_for_reasons_of_its_own_is_not_committed_again() -> None:
    groups: list[list[int]] = []

    async def commit(items: Sequence[int]) -> list[Result[int]]:
        groups.append(list(items))
        return [Result.failure(ErrorInfo.permanent("ArrayFull", f"no room for {item}")) for item in items]

    answers = await commit_all(commit, [1, 2, 3], batch_id="batch1")

    assert all(answer.is_failure for answer in answers)
    assert groups == [[1, 2, 3]]


async def test_who_was_answered_before_the_others_failed_is_not_committed_again() -> None:
    groups: list[list[int]] = []

    async def commit(items: Sequence[int]) -> list[Result[int]]:
        groups.append(list(items))
        good = Result.success(1)
        return [good if item == 1 or len(items) == 1 else Result.failure(INVALID) for item in items]

    answers = await commit_all(commit, [1, 2, 3], batch_id="batch1")

    assert [answer.is_success for answer in answers] == [True] * 3
    assert groups == [[1, 2, 3], [2], [3]]
