"""Group commit with commits that end when the test says so."""

import asyncio
from collections.abc import Sequence

import pytest

from common.recorder.group_commit import GroupCommit


class Store:
    """Keeps every group that it is given until it is let go."""

    def __init__(self) -> None:
        self.groups: list[list[int]] = []
        self._ends: list[asyncio.Future[None]] = []

    async def commit(self, items: Sequence[int]) -> list[int]:
        self.groups.append(list(items))
        end = asyncio.get_running_loop().create_future()
        self._ends.append(end)
        await end
        return [item * 10 for item in items]

    def end(self, number: int, error: Exception | None = None) -> None:
        if error is None:
            self._ends[number].set_result(None)
        else:
            self._ends[number].set_exception(error)


async def turns() -> None:
    """Let everything happen that can."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_first_item_does_not_wait_and_those_that_come_meanwhile_share_the_next_commit() -> None:
    store = Store()
    group = GroupCommit(store.commit, max_in_flight=1)

    answers = [group.submit(1)]
    await turns()
    answers += [group.submit(item) for item in (2, 3, 4)]
    await turns()
    before_the_end = list(store.groups)
    store.end(0)
    await turns()
    store.end(1)

    assert before_the_end == [[1]]
    assert store.groups == [[1], [2, 3, 4]]
    assert await asyncio.gather(*answers) == [10, 20, 30, 40]


async def test_items_of_one_turn_share_a_commit() -> None:
    store = Store()
    group = GroupCommit(store.commit)

    for item in range(5):
        group.submit(item)
    await turns()

    assert store.groups == [[0, 1, 2, 3, 4]]


async def test_callers_who_come_again_over_a_few_turns_share_a_commit() -> None:
    store = Store()
    group = GroupCommit(store.commit)

    for item in range(5):
        group.submit(item)
        await asyncio.sleep(0)
    await turns()

    assert store.groups == [[0, 1, 2, 3, 4]]


async def test_item_that_was_left_behind_waits_for_those_who_were_just_answered() -> None:
    store = Store()
    group = GroupCommit(store.commit, max_in_flight=1)

    async def comes_twice(item: int) -> None:
        await group.submit(item)
        await group.submit(item + 100)

    callers = [asyncio.create_task(comes_twice(item)) for item in range(5)]
    await turns()
    straggler = group.submit(9)
    store.end(0)
    await turns()

    assert store.groups[1:] == [[9, 100, 101, 102, 103, 104]]
    store.end(1)
    await asyncio.gather(straggler, *callers)


async def test_further_commit_starts_only_when_as_many_wait_as_are_under_way() -> None:
    store = Store()
    group = GroupCommit(store.commit)
    sizes = []

    for item in range(12):
        group.submit(item)
        await turns()
        sizes.append([len(each) for each in store.groups])

    assert sizes[0] == [1]
    assert sizes[1] == sizes[2] == [1, 1]
    assert sizes[3] == [1, 1, 2]
    assert sizes[7] == [1, 1, 2, 4]
    assert sizes[-1] == [1, 1, 2, 4], "four are in flight: the rest waits"


async def test_group_is_never_larger_than_allowed() -> None:
    store = Store()
    group = GroupCommit(store.commit, max_in_flight=1, max_group=3)

    for item in range(7):
        group.submit(item)
    for number in range(3):
        await turns()
        store.end(number)
    await turns()

    assert store.groups == [[0, 1, 2], [3, 4, 5], [6]]


async def test_group_is_never_larger_than_its_bytes_allow_and_who_exceeds_them_goes_alone() -> None:
    store = Store()
    group = GroupCommit(store.commit, max_in_flight=1, max_group_bytes=10, size_of=lambda item: item)

    for item in (4, 6, 1, 99, 9, 1, 1):
        group.submit(item)
    for number in range(4):
        await turns()
        store.end(number)
    await turns()

    assert store.groups == [[4, 6], [1], [99], [9, 1], [1]]


async def test_error_reaches_every_caller_of_its_group_and_no_other() -> None:
    store = Store()
    group = GroupCommit(store.commit, max_in_flight=1)
    failing = [group.submit(1), group.submit(2)]
    await turns()
    fine = group.submit(3)

    store.end(0, OSError("down"))
    await turns()
    store.end(1)

    for future in failing:
        with pytest.raises(OSError, match="down"):
            await future
    assert await fine == 30


async def test_caller_that_goes_away_does_not_take_its_group_along() -> None:
    store = Store()
    group = GroupCommit(store.commit)

    async def call(item: int) -> int:
        return await group.submit(item)

    leaving, staying = asyncio.create_task(call(1)), asyncio.create_task(call(2))
    await turns()
    leaving.cancel()
    store.end(0)

    assert await asyncio.wait_for(staying, timeout=5) == 20
    with pytest.raises(asyncio.CancelledError):
        await leaving
