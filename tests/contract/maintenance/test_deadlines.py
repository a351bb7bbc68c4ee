"""Deadlines, late completions and what the sweep resumes, in every mode."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from google.cloud import firestore

from common.batches.batches import Batches
from common.batches.closing import Closing
from common.batches.records import BatchStatus, Counts
from common.batches.trigger_outbox import TriggerOutbox
from common.documents.store import FirestoreDocuments
from common.maintenance.deadlines import OverdueBatches, time_out_missing
from common.maintenance.redrive import redrive
from common.messages import PlayerOutcome
from common.recorder.answers import RecordOutcome
from common.recorder.recorder import Recorder
from tests.support.batch_helpers import (
    AFTER_DEADLINE,
    DEADLINE,
    EVERY_MODE,
    Published,
    completion,
    deliver,
    let_the_grace_pass,
    names,
    opened,
    request_for,
    timeline,
)
from tests.support.firestore_proxy import FirestoreProxy
from tests.support.firestore_relay import COMMIT
from tests.support.grpc_server import serving

pytestmark = EVERY_MODE


async def test_enough_players_at_the_deadline_make_a_partial_batch(
    batches: Batches, recorder: Recorder, overdue: OverdueBatches, published: Published
) -> None:
    opened(batches, 20)
    await deliver(recorder, *names(19))

    [resumed] = overdue.close_overdue(AFTER_DEADLINE).unwrap()

    assert (resumed.timed_out, resumed.closed_as) == (("player00019",), BatchStatus.PARTIAL)
    batch = batches.get("batch1").unwrap()
    assert (batch.status, batch.counts) == (BatchStatus.PARTIAL, Counts(completed=19, timed_out=1))
    assert published.triggers == [("batch1", 1)]
    assert batch.trigger_message_id == resumed.trigger_message_id
    ended = {one.player_lookup: one.outcome for one in batches.completions("batch1").unwrap()}
    assert ended["player00019"] is PlayerOutcome.TIMED_OUT


async def test_too_few_players_at_the_deadline_make_a_failed_batch_that_is_told_and_not_consolidated(
    batches: Batches, recorder: Recorder, overdue: OverdueBatches, published: Published
) -> None:
    opened(batches, 20)
    await deliver(recorder, *names(18))

    [resumed] = overdue.close_overdue(AFTER_DEADLINE).unwrap()

    assert resumed.closed_as is BatchStatus.FAILED
    assert batches.get("batch1").unwrap().counts == Counts(completed=18, timed_out=2)
    assert timeline(batches)["closed-1"]["message"] == "failed: 18 of 20 players reported"
    assert published.triggers == []


async def test_nothing_happens_before_the_deadline_and_nothing_twice_after_it(
    batches: Batches, recorder: Recorder, overdue: OverdueBatches, published: Published
) -> None:
    opened(batches, 20)
    await deliver(recorder, *names(19))

    too_early = overdue.close_overdue(DEADLINE - timedelta(seconds=1)).unwrap()
    first = overdue.close_overdue(DEADLINE).unwrap()
    again = overdue.close_overdue(AFTER_DEADLINE).unwrap()

    assert (too_early, len(first), again) == ([], 1, [])
    assert published.triggers == [("batch1", 1)]


async def test_late_completion_of_a_partial_batch_starts_a_new_generation(
    batches: Batches, recorder: Recorder, overdue: OverdueBatches, outbox: TriggerOutbox, published: Published
) -> None:
    opened(batches, 20)
    await deliver(recorder, *names(19))
    overdue.close_overdue(AFTER_DEADLINE).unwrap()
    batches.start_consolidation("batch1", 1).unwrap()
    batches.finish_consolidation("batch1", 1, 7, {}).unwrap()

    [late] = await deliver(recorder, "player00019")
    assert late.owed_trigger is not None
    outbox.send(late.owed_trigger).unwrap()
    [redelivered] = await deliver(recorder, "player00019")
    [other] = await deliver(recorder, "player00019", event="other")

    assert (late.outcome, late.completes_batch, late.ended_count) == (RecordOutcome.LATE, True, 20)
    assert (redelivered.outcome, redelivered.owed_trigger) == (RecordOutcome.LATE, None)
    assert (other.outcome, other.owed_trigger) == (RecordOutcome.DUPLICATE, None)
    batch = batches.get("batch1").unwrap()
    assert (batch.status, batch.generation) == (BatchStatus.COMPLETE, 2)
    assert (batch.counts, batch.total_predictions) == (Counts(completed=20), 100)
    assert published.triggers == [("batch1", 1), ("batch1", 2)]
    [completion] = [one for one in batches.completions("batch1").unwrap() if one.late]
    assert (completion.player_lookup, completion.generation) == ("player00019", 2)


async def test_generation_that_closes_during_a_consolidation_is_not_hidden_by_its_end(
    batches: Batches, recorder: Recorder, overdue: OverdueBatches
) -> None:
    opened(batches, 20)
    await deliver(recorder, *names(19))
    overdue.close_overdue(AFTER_DEADLINE).unwrap()
    batches.start_consolidation("batch1", 1).unwrap()

    await deliver(recorder, "player00019")
    batches.finish_consolidation("batch1", 1, 7, {}).unwrap()

    batch = batches.get("batch1").unwrap()
    assert (batch.status, batch.consolidated_generation, batch.generation) == (BatchStatus.COMPLETE, 1, 2)
    assert batch.owes_trigger


async def test_late_completions_lift_a_failed_batch_once_enough_have_come(
    batches: Batches, recorder: Recorder, overdue: OverdueBatches
) -> None:
    opened(batches, 20)
    await deliver(recorder, *names(17))
    overdue.close_overdue(AFTER_DEADLINE).unwrap()

    [still_failed] = await deliver(recorder, "player00017")
    status_between = batches.get("batch1").unwrap().status
    [lifting] = await deliver(recorder, "player00018")

    assert (still_failed.outcome, still_failed.completes_batch) == (RecordOutcome.LATE, False)
    assert status_between is BatchStatus.FAILED
    assert lifting.completes_batch
    batch = batches.get("batch1").unwrap()
    assert (batch.status, batch.generation) == (BatchStatus.PARTIAL, 2)
    assert batch.counts == Counts(completed=19, timed_out=1)


async def test_late_completion_of_an_abandoned_batch_is_kept_and_triggers_nothing(
    batches: Batches, recorder: Recorder, overdue: OverdueBatches
) -> None:
    opened(batches, 20)
    await deliver(recorder, *names(10))
    overdue.close_overdue(AFTER_DEADLINE).unwrap()
    batches.abandon("batch1", who="ann", why="test").unwrap()

    [late] = await deliver(recorder, "player00019")

    assert (late.outcome, late.completes_batch, late.owed_trigger) == (RecordOutcome.LATE, False, None)
    batch = batches.get("batch1").unwrap()
    assert (batch.status, batch.counts) == (BatchStatus.ABANDONED, Counts(completed=11, timed_out=9))


async def test_late_failure_is_a_failure_and_no_longer_a_time_out(
    batches: Batches, recorder: Recorder, overdue: OverdueBatches
) -> None:
    opened(batches, 20)
    await deliver(recorder, *names(19))
    overdue.close_overdue(AFTER_DEADLINE).unwrap()

    late = completion("player00019", outcome=PlayerOutcome.FAILED)
    answer = (await recorder.record(late, event_id="late")).unwrap()

    assert (answer.outcome, answer.completes_batch) == (RecordOutcome.LATE, True)
    batch = batches.get("batch1").unwrap()
    assert (batch.status, batch.counts) == (BatchStatus.COMPLETE, Counts(completed=19, failed=1))


async def test_completion_while_the_deadline_is_being_applied_counts_as_late_without_a_new_generation(
    batches: Batches, recorder: Recorder, overdue: OverdueBatches
) -> None:
    opened(batches, 3)
    await deliver(recorder, "player00000")
    time_out_missing(batches, "batch1").unwrap()

    [late] = await deliver(recorder, "player00001")
    overdue.close_overdue(AFTER_DEADLINE).unwrap()

    assert late.outcome is RecordOutcome.LATE
    batch = batches.get("batch1").unwrap()
    assert (batch.generation, batch.counts) == (1, Counts(completed=2, timed_out=1))


async def test_deadline_and_completions_race_and_every_player_ends_once(
    batches: Batches, recorder: Recorder, overdue: OverdueBatches
) -> None:
    opened(batches, 60, min_completion_pct=0)
    await deliver(recorder, *names(20))

    with ThreadPoolExecutor(2) as pool:
        sweeps = [pool.submit(overdue.close_overdue, AFTER_DEADLINE) for _ in range(2)]
        answers = await asyncio.gather(*(deliver(recorder, player) for player in names(60)[20:]))
        swept = [sweep.result() for sweep in sweeps]

    assert all(each.is_success for each in swept)
    assert {answer.outcome for [answer] in answers} <= {RecordOutcome.RECORDED, RecordOutcome.LATE}
    batch = batches.get("batch1").unwrap()
    assert batch.counts == Counts(completed=60)
    assert batch.status is BatchStatus.COMPLETE
    assert batch.total_predictions == 300


async def test_completion_that_comes_just_before_its_time_out_is_not_timed_out(
    batches: Batches,
    recorder: Recorder,
    firestore_host: str,
    project_id: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    opened(batches, 4)
    proxy, loop = FirestoreProxy(firestore_host), asyncio.get_running_loop()

    def be_faster() -> None:
        asyncio.run_coroutine_threadsafe(deliver(recorder, "player00002"), loop).result(timeout=20)

    with serving(proxy) as address:
        monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", address)
        slow = Batches(FirestoreDocuments(firestore.Client(project=project_id)))
        proxy.once_before(COMMIT, be_faster)
        timed_out = await asyncio.to_thread(time_out_missing, slow, "batch1")

    assert sorted(timed_out.unwrap()) == ["player00000", "player00001", "player00003"]
    assert batches.get("batch1").unwrap().counts == Counts(completed=1, timed_out=3)


async def test_sweep_closes_a_batch_whose_closer_died_and_publishes_its_trigger(
    batches: Batches,
    overdue: OverdueBatches,
    published: Published,
    firestore_client: firestore.Client,
    recorder: Recorder,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    opened(batches, 2)
    monkeypatch.setattr(Closing, "settle", _die)
    with pytest.raises(_Died):
        await deliver(recorder, *names(2))
    monkeypatch.undo()

    resumed = overdue.close_overdue(DEADLINE - timedelta(hours=1)).unwrap()

    assert [each.closed_as for each in resumed] == [BatchStatus.COMPLETE]
    assert published.triggers == [("batch1", 1)]


async def test_sweep_publishes_a_trigger_that_was_not_noted_only_after_the_grace(
    batches: Batches,
    recorder: Recorder,
    overdue: OverdueBatches,
    published: Published,
    firestore_client: firestore.Client,
) -> None:
    opened(batches, 1)
    await deliver(recorder, "player00000")

    overdue.close_overdue(AFTER_DEADLINE).unwrap()
    in_the_grace = list(published.triggers)
    let_the_grace_pass(batches)
    overdue.close_overdue(AFTER_DEADLINE).unwrap()

    assert (in_the_grace, published.triggers) == ([], [("batch1", 1)])


async def test_one_batch_that_cannot_be_helped_does_not_keep_the_others_waiting(
    batches: Batches, recorder: Recorder, overdue: OverdueBatches, published: Published
) -> None:
    for batch_id in ("batch1", "batch2"):
        opened(batches, 1, batch_id=batch_id, min_completion_pct=0)
    published.is_down = True

    down = overdue.close_overdue(AFTER_DEADLINE)
    published.is_down = False
    up = overdue.close_overdue(AFTER_DEADLINE)

    assert down.is_partial and down.is_retryable
    assert down.error is not None and "batch1" in down.error.message and "batch2" in down.error.message
    assert up.is_success
    assert sorted(published.triggers) == [("batch1", 1), ("batch2", 1)]


async def test_redrive_asks_again_for_who_was_timed_out(
    batches: Batches, recorder: Recorder, overdue: OverdueBatches, published: Published
) -> None:
    opened(batches, 3)
    await deliver(recorder, "player00001")
    overdue.close_overdue(AFTER_DEADLINE).unwrap()

    done = redrive(batches, published, "batch1", request_for).unwrap()

    assert done.players == ("player00000", "player00002")


class _Died(Exception):
    pass


def _die(*_: object, **__: object) -> None:
    raise _Died
