"""The array of completed players at its limit, and the subcollection that has none.

The first names are those of the study that planned the migration.
"""

import asyncio
from collections.abc import AsyncIterator

import grpc
import pytest
from google.cloud import firestore
from structlog.testing import capture_logs

from common.batches.batches import Batches
from common.batches.records import BatchStatus, Counts
from common.batches.rules import MAX_ARRAY_ELEMENTS
from common.documents import async_store, store
from common.documents.async_store import AsyncFirestoreDocuments
from common.documents.store import FirestoreDocuments
from common.maintenance.schema_migration import Migration
from common.recorder.answers import RecordOutcome
from common.recorder.recorder import Recorder
from common.result import ErrorType
from common.schema_mode import SchemaMode
from tests.support.batch_helpers import (
    DEADLINE,
    EVERY_MODE,
    GAME_DATE,
    MODES_WITH_ARRAY,
    as_the_old_system_wrote_it,
    completion,
    deliver,
    names,
    opened,
)
from tests.support.firestore_proxy import FirestoreProxy
from tests.support.firestore_relay import COMMIT
from tests.support.grpc_server import serving

LEGACY = pytest.mark.parametrize("mode", [SchemaMode.LEGACY], ids=["legacy"])


@MODES_WITH_ARRAY
async def test_exactly_1000_players(batches: Batches, recorder: Recorder) -> None:
    opened(batches, MAX_ARRAY_ELEMENTS)

    answers = await deliver(recorder, *names(MAX_ARRAY_ELEMENTS))

    assert sum(answer.completes_batch for answer in answers) == 1
    batch = batches.get("batch1").unwrap()
    assert (batch.status, batch.counts) == (BatchStatus.COMPLETE, Counts(completed=MAX_ARRAY_ELEMENTS))
    assert sorted(batch.in_array) == names(MAX_ARRAY_ELEMENTS)


@MODES_WITH_ARRAY
def test_1001_players_fails_gracefully(batches: Batches) -> None:
    answer = batches.open("batch1", GAME_DATE, names(1_001), deadline=DEADLINE)

    assert answer.error is not None and answer.error.type is ErrorType.PERMANENT
    assert "1001 do not fit into the array" in answer.error.message
    assert batches.get("batch1").is_failure


@LEGACY
async def test_1001st_player_of_an_old_batch_fails_gracefully(batches: Batches, recorder: Recorder) -> None:
    as_the_old_system_wrote_it(batches, expected=1_001, completed=names(1_000))
    before = batches.get("batch1").unwrap()

    over = await recorder.record(completion("player01000"), event_id="over")

    assert over.error is not None and over.error.type is ErrorType.PERMANENT
    assert over.error.message.startswith("player_lookup: 'player01000' does not fit into the array")
    assert batches.get("batch1").unwrap() == before


@MODES_WITH_ARRAY
async def test_high_volume_stress_900_players(
    batches: Batches, recorder: Recorder, another_recorder: Recorder
) -> None:
    opened(batches, 900)

    with capture_logs() as logs:
        halves = await asyncio.gather(
            deliver(recorder, *names(900)[:500]), deliver(another_recorder, *names(900)[400:])
        )

    outcomes = [answer.outcome for half in halves for answer in half]
    assert outcomes.count(RecordOutcome.RECORDED) == 1_000, "both deliveries of one event have one answer"
    assert batches.get("batch1").unwrap().counts == Counts(completed=900)
    warnings = [line for line in logs if line.get("action") == "array_nearly_full"]
    assert warnings and all(line["batch_id"] == "batch1" for line in warnings)


@LEGACY
async def test_each_instance_warns_once_of_a_batch_that_nears_the_limit(
    batches: Batches, recorder: Recorder, another_recorder: Recorder
) -> None:
    as_the_old_system_wrote_it(batches, expected=905, completed=names(899))

    with capture_logs() as logs:
        for one in (recorder, another_recorder):
            await _in_turn(one, names(902)[899:])

    assert [line["action"] for line in logs].count("array_nearly_full") == 2


@MODES_WITH_ARRAY
async def test_899_players_do_not_warn(batches: Batches, recorder: Recorder) -> None:
    opened(batches, 899)

    with capture_logs() as logs:
        await deliver(recorder, *names(899))

    assert [line for line in logs if line.get("action") == "array_nearly_full"] == []


@pytest.mark.parametrize("mode", [SchemaMode.LEGACY, SchemaMode.SUBCOLLECTION], ids=lambda mode: mode.value)
async def test_array_performance_degradation_near_limit(
    batches: Batches, recorder: Recorder, mode: SchemaMode
) -> None:
    """What makes the array slow is that every reader and every write moves all of it."""
    opened(batches, 1_000)
    await deliver(recorder, *names(100))
    small = _bytes(batches)
    await deliver(recorder, *names(1_000)[100:])

    growth = _bytes(batches) / small

    assert growth > 5 if mode is SchemaMode.LEGACY else growth < 1.5


async def test_subcollection_performance_under_load(
    batches: Batches, proxied: Recorder, proxy: FirestoreProxy
) -> None:
    """Many completions share one write of the batch document, whatever the size of the batch."""
    opened(batches, 20_000)
    calls = []

    for start in (0, 600, 1_200):
        before = proxy.calls[COMMIT]
        await asyncio.gather(
            *(_in_turn(proxied, names(20_000)[start + n : start + 600 : 32]) for n in range(32))
        )
        calls.append(proxy.calls[COMMIT] - before)

    assert batches.get("batch1").unwrap().counts == Counts(completed=1_800)
    assert max(calls) <= 0.15 * 600, f"commits per 600 completions: {calls}"


@EVERY_MODE
async def test_counter_accuracy_under_concurrency(
    batches: Batches, recorder: Recorder, another_recorder: Recorder
) -> None:
    opened(batches, 200)

    both = await asyncio.gather(
        deliver(recorder, *names(200), event="first"), deliver(another_recorder, *names(200), event="second")
    )

    answers = [answer for each in both for answer in each]
    assert sum(answer.outcome is RecordOutcome.RECORDED for answer in answers) == 200
    assert sum(answer.completes_batch for answer in answers) == 1
    batch = batches.get("batch1").unwrap()
    assert (batch.counts, batch.total_predictions) == (Counts(completed=200), 1_000)


@EVERY_MODE
async def test_firestore_unavailable_during_arrayunion(
    batches: Batches, proxied: Recorder, proxy: FirestoreProxy, impatient: None
) -> None:
    opened(batches, 3)
    await deliver(proxied, "player00000")
    proxy.refuse(COMMIT, grpc.StatusCode.UNAVAILABLE)

    down = await proxied.record(completion("player00001"), event_id="event-player00001")
    proxy.accept(COMMIT)
    up = await deliver(proxied, *names(3))

    assert down.error is not None and down.error.type is ErrorType.TRANSIENT
    assert [answer.outcome for answer in up] == [RecordOutcome.RECORDED] * 3
    assert sum(answer.completes_batch for answer in up) == 1
    assert batches.get("batch1").unwrap().counts == Counts(completed=3)


@EVERY_MODE
async def test_answer_lost_after_the_commit_counts_once(
    batches: Batches, proxied: Recorder, proxy: FirestoreProxy
) -> None:
    opened(batches, 20)
    await deliver(proxied, "player00000")
    proxy.lose_answers(COMMIT, 3)

    answers = await deliver(proxied, *names(20))

    assert [answer.outcome for answer in answers] == [RecordOutcome.RECORDED] * 20
    assert sum(answer.completes_batch for answer in answers) == 1
    batch = batches.get("batch1").unwrap()
    assert (batch.status, batch.counts, batch.total_predictions) == (
        BatchStatus.COMPLETE,
        Counts(completed=20),
        100,
    )


@LEGACY
async def test_partial_batch_at_limit(batches: Batches, recorder: Recorder) -> None:
    """Of a group that does not fit as a whole, whoever fits is recorded."""
    as_the_old_system_wrote_it(batches, expected=1_003, completed=names(998))

    late_comers = names(1_003)[998:]
    answers = await asyncio.gather(
        *(recorder.record(completion(name), event_id=name) for name in [*late_comers, "player00005"])
    )

    assert [answer.is_success for answer in answers] == [True, True, False, False, False, True]
    assert answers[-1].unwrap().outcome is RecordOutcome.DUPLICATE
    assert len(batches.get("batch1").unwrap().in_array) == MAX_ARRAY_ELEMENTS


@LEGACY
async def test_recovery_after_limit_hit(
    batches: Batches, recorder: Recorder, another_recorder: Recorder
) -> None:
    """Upgraded, the batch takes the events that it had refused, from an instance that knew it before, too."""
    as_the_old_system_wrote_it(batches, expected=1_002, completed=names(1_000))
    refused = [
        await recorder.record(completion(name), event_id=f"event-{name}") for name in names(1_002)[1_000:]
    ]

    Migration(batches).upgrade("batch1", to=SchemaMode.SUBCOLLECTION).unwrap()
    [first] = await deliver(recorder, "player01000")
    [second] = await deliver(another_recorder, "player01001")

    assert all(answer.is_failure for answer in refused)
    assert (first.ended_count, second.ended_count, second.completes_batch) == (1_001, 1_002, True)
    assert len(batches.completions("batch1").unwrap()) == 1_002


def _bytes(batches: Batches) -> int:
    """What one reader of the batch moves."""
    [document] = batches.store.documents.get(["prediction_batches/batch1"]).unwrap().values()
    return len(repr(document.data))


async def _in_turn(recorder: Recorder, players: list[str]) -> None:
    for player in players:
        await deliver(recorder, player)


@pytest.fixture
async def proxied(
    proxy: FirestoreProxy, project_id: str, monkeypatch: pytest.MonkeyPatch
) -> "AsyncIterator[Recorder]":
    """A recorder all of whose calls go through the proxy."""
    with serving(proxy) as address:
        monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", address)
        db, async_db = firestore.Client(project=project_id), firestore.AsyncClient(project=project_id)
        yield Recorder(AsyncFirestoreDocuments(async_db), Batches(FirestoreDocuments(db)))


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls are given up after a moment."""
    monkeypatch.setattr(async_store, "ASYNC_RETRY", async_store.ASYNC_RETRY.with_timeout(0.3))
    monkeypatch.setattr(store, "RETRY", store.RETRY.with_timeout(0.3))
