import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from structlog.testing import capture_logs

from common.recorder.sampled_checks import SampledChecks
from common.result import ErrorInfo, Result

DOWN = ErrorInfo.transient("ServiceUnavailable", "down")


class Check:
    """Keeps which batches it was asked to look at; hangs while it is told to."""

    def __init__(self, answer: Result[Any] | Exception = Result.success(())) -> None:  # noqa: B008
        self._answer = answer
        self.may_end = threading.Event()
        self.may_end.set()
        self.looked_at: list[str] = []

    def __call__(self, batch_id: str) -> Result[Any]:
        self.looked_at.append(batch_id)
        assert self.may_end.wait(timeout=10)
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer


@pytest.fixture
def executor() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as pool:
        yield pool


@pytest.mark.parametrize(
    "answer", [Result.failure(DOWN), ValueError("no such webhook")], ids=["fails", "raises"]
)
async def test_check_that_goes_wrong_is_logged_and_fails_nobody(
    executor: ThreadPoolExecutor, answer: Result[Any] | Exception
) -> None:
    with capture_logs() as logs:
        await SampledChecks(Check(answer), executor=executor).run("batch1")

    [line] = logs
    assert (line["action"], line["batch_id"]) == ("consistency_unchecked", "batch1")
    assert line["error"]["message"] in ("down", "no such webhook")


async def test_check_has_ended_when_the_event_goes_on(executor: ThreadPoolExecutor) -> None:
    check = Check()

    await SampledChecks(check, executor=executor).run("batch1")

    assert check.looked_at == ["batch1"]


async def test_event_does_not_wait_for_a_check_that_hangs_nor_for_those_behind_it(
    executor: ThreadPoolExecutor,
) -> None:
    check = Check()
    check.may_end.clear()
    checks = SampledChecks(check, executor=executor, max_pending=2, wait_seconds=0.005)

    with capture_logs() as logs:
        await asyncio.wait_for(
            asyncio.gather(*(checks.run(f"batch{number}") for number in range(4))), timeout=5
        )
        check.may_end.set()

    assert [line["action"] for line in logs] == ["check_left_out"] * 2
    assert check.looked_at[:1] == ["batch0"]


async def test_samples_are_taken_again_once_the_checks_that_hung_have_ended(
    executor: ThreadPoolExecutor,
) -> None:
    check = Check()
    check.may_end.clear()
    checks = SampledChecks(check, executor=executor, max_pending=1, wait_seconds=0.005)
    await checks.run("hangs")
    check.may_end.set()
    await asyncio.wait_for(asyncio.get_running_loop().run_in_executor(executor, lambda: None), timeout=5)
    await asyncio.sleep(0)

    await checks.run("batch1")

    assert check.looked_at == ["hangs", "batch1"]
