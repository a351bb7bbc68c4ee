from threading import Barrier

from common.parallel import for_each
from common.result import ErrorInfo, Result


def test_answers_come_back_by_item_in_the_order_given() -> None:
    answers = for_each(["b", "a"], lambda item: Result.success(item.upper()), at_once=2).unwrap()

    assert list(answers.items()) == [("b", "B"), ("a", "A")]
    assert for_each([], lambda item: Result.success(item), at_once=2).unwrap() == {}


def test_the_first_failure_is_told_once_all_were_tried() -> None:
    tried: list[int] = []

    def work(item: int) -> Result[int]:
        tried.append(item)
        return Result.failure(ErrorInfo.transient("Odd", str(item))) if item % 2 else Result.success(item)

    result = for_each([2, 1, 3, 4], work, at_once=1)

    assert result.error is not None and result.error.message == "1"
    assert tried == [2, 1, 3, 4]


def test_as_many_run_at_once_as_may() -> None:
    together = Barrier(3, timeout=10)

    for_each(range(3), lambda _: Result.success(together.wait()), at_once=3).unwrap()
