"""A group that fails for good is committed one by one: a neighbour's value never decides."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from ..result import ErrorInfo, ErrorType, Result

Item = TypeVar("Item")
Answer = TypeVar("Answer")

Commit = Callable[[Sequence[Item]], Awaitable[Sequence[Result[Answer]]]]


async def commit_all(
    commit: Commit[Item, Answer], items: Sequence[Item], *, batch_id: str
) -> list[Result[Answer]]:
    """One answer per item, in order, each as if its item had been committed alone.

    What `commit` raises is the failure of whomever it was raised for. Who failed for good together with
    others goes again, alone: one value that the store refuses would else dead-letter up to 199 good ones. A
    TRANSIENT failure is everybody's: the store that is down is down for each.
    """
    answers = await _caught(commit, items, batch_id)
    failed_together = [index for index, answer in enumerate(answers) if _is_shared_for_good(answer, answers)]
    for index in failed_together:
        [answers[index]] = await _caught(commit, [items[index]], batch_id)
    return answers


async def _caught(commit: Commit[Item, Answer], items: Sequence[Item], batch_id: str) -> list[Result[Answer]]:
    try:
        return list(await commit(items))
    except Exception as exc:  # handed to every caller, not swallowed
        failure: Result[Answer] = Result.failure(ErrorInfo.from_exception(exc, batch_id=batch_id))
        # Nobody knows whose value it was: each is told, and those that failed for good go again alone.
        return [failure] * len(items)


def _is_shared_for_good(answer: Result[Answer], answers: Sequence[Result[Answer]]) -> bool:
    """Whether this failure may be due to a neighbour: an error of its own names its own item."""
    if answer.error is None or answer.error.type is ErrorType.TRANSIENT:
        return False
    return sum(other.error == answer.error for other in answers) > 1
