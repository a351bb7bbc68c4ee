"""Events whose batch is compared afterwards: whatever becomes of that, they are events as any other."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from common.batches.batches import Batches
from common.batches.dual_write_check import ConsistencyCheck
from common.batches.rules import is_sampled
from common.batches.trigger_outbox import TriggerOutbox
from common.documents.writes import Union
from common.recorder.recorder import Recorder
from common.recorder.sampled_checks import SampledChecks
from common.result import Result
from common.schema_mode import SchemaMode
from functions.completion_recorder.handler import handle
from tests.support.batch_helpers import Published, alter, completion, names, opened

WRITES_BOTH = pytest.mark.parametrize("mode", [SchemaMode.DUAL_WRITE], ids=["dual_write"])
SAMPLED = [name for name in names(1_000) if is_sampled("batch1", name)]


@pytest.fixture
def deliver(recorder: Recorder, batches: Batches, outbox: TriggerOutbox) -> Iterator[Callable[..., Any]]:
    """Delivers a completion to the function; `report` is what is done with a difference."""
    with ThreadPoolExecutor(1) as executor:

        async def delivered(
            player: str,
            report: Callable[[Any], Result[Any]],
            batch_id: str = "batch1",
            *,
            waits: float = 20.0,
        ) -> Any:
            check = ConsistencyCheck(batches.store, report).check
            checks = SampledChecks(check, executor=executor, wait_seconds=waits)
            event = completion(player, batch_id=batch_id)
            return await handle(event, f"event-{player}", recorder=recorder, outbox=outbox, checks=checks)

        yield delivered


@WRITES_BOTH
async def test_alert_that_raises_comes_after_the_trigger_and_fails_nothing(
    batches: Batches, published: Published, deliver: Callable[..., Any]
) -> None:
    opened(batches, SAMPLED[:1])
    alter(batches, completed_players=Union(("nobody",)))
    triggers_before: list[int] = []

    def report(_: Any) -> Result[None]:
        triggers_before.append(len(published.triggers))
        raise ValueError("unknown url type: ''")

    result = await deliver(SAMPLED[0], report)

    assert result.is_success
    assert published.triggers == [("batch1", 1)]
    assert triggers_before == [1]


@WRITES_BOTH
async def test_alerts_that_hang_hold_up_no_event_of_another_batch(
    batches: Batches, published: Published, deliver: Callable[..., Any]
) -> None:
    opened(batches, SAMPLED[:20])
    opened(batches, 1, batch_id="healthy")
    alter(batches, completed_players=Union(("nobody",)))
    may_end, hangs = threading.Event(), threading.Event()

    def report(_: Any) -> Result[None]:
        hangs.set()
        assert may_end.wait(timeout=30)
        return Result.success(None)

    sick = [asyncio.create_task(deliver(player, report, waits=0.1)) for player in SAMPLED[:8]]
    assert await asyncio.to_thread(hangs.wait, 20)
    healthy = await deliver(names(1)[0], report, "healthy")
    still_hanging = not may_end.is_set()
    may_end.set()

    assert healthy.is_success and still_hanging
    assert published.triggers == [("healthy", 1)]
    assert all(result.is_success for result in await asyncio.gather(*sick))
