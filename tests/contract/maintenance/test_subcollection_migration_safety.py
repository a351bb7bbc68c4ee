"""Moving open batches between the modes, while others record.

The first names are those of the study that planned the migration.
"""

import asyncio
import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

import pytest

from common.batches.batches import Batches
from common.batches.dual_write_check import ConsistencyCheck
from common.batches.records import Batch, BatchStatus, Counts
from common.batches.rules import is_sampled
from common.batches.trigger_outbox import TriggerOutbox
from common.documents.writes import Union
from common.findings import FindingClass
from common.findings.reporter import Reporter
from common.findings.store import FindingStore
from common.maintenance.deadlines import OverdueBatches
from common.maintenance.schema_migration import ORDER, Migration
from common.messages import PlayerCompletion, PlayerOutcome
from common.recorder.answers import Recorded, RecordOutcome
from common.recorder.recorder import Recorder
from common.recorder.sampled_checks import SampledChecks
from common.result import Result
from common.schema_mode import SchemaMode
from functions.completion_recorder.handler import handle
from tests.support.batch_helpers import (
    AFTER_DEADLINE,
    DEADLINE,
    EVERY_MODE,
    GAME_DATE,
    Published,
    alter,
    as_the_old_system_wrote_it,
    completion,
    deliver,
    names,
    opened,
    put,
    timeline,
)
from tests.support.findings import Heard

LEGACY, DUAL, READS, SUBCOLLECTION = ORDER
WRITES_BOTH = pytest.mark.parametrize("mode", [DUAL, READS], ids=lambda mode: mode.value)
EVERY_SWITCH = pytest.mark.parametrize(
    ("mode", "to"),
    [(mode, to) for mode in ORDER for to in ORDER if mode is not to],
    ids=lambda mode: mode.value,
)


@pytest.fixture
def heard() -> Heard:
    return Heard()


def check(batches: Batches, heard: Heard, instance: str) -> ConsistencyCheck:
    findings = FindingStore(batches.store.documents)
    reporter = Reporter(findings, heard, now=lambda: datetime.now(UTC), teller=instance)
    return ConsistencyCheck(batches.store, reporter.report)


class Checking:
    """An instance of the function, which compares the schemas after a sample of its events."""

    def __init__(self, recorder: Recorder, batches: Batches, check: ConsistencyCheck) -> None:
        self._recorder = recorder
        self._outbox = TriggerOutbox(batches.store, Published)
        self._checks = SampledChecks(check.check, wait_seconds=60.0)

    async def record(self, completion: PlayerCompletion, *, event_id: str) -> Result[Recorded]:
        return await handle(
            completion, event_id, recorder=self._recorder, outbox=self._outbox, checks=self._checks
        )

    def trigger_sent(self, batch: Batch) -> None:
        self._recorder.trigger_sent(batch)


@pytest.fixture
def checking(recorder: Recorder, batches: Batches, heard: Heard) -> Checking:
    return Checking(recorder, batches, check(batches, heard, "one"))


@pytest.fixture
def migration(batches: Batches) -> Migration:
    return Migration(batches)


def switch(migration: Migration, batch: Batch, to: SchemaMode) -> Result[Batch]:
    is_forward = ORDER.index(to) > ORDER.index(batch.schema_mode)
    return (migration.upgrade if is_forward else migration.rollback)(batch.batch_id, to=to)


def sampled_player() -> str:
    return next(name for name in names(1_000) if is_sampled("batch1", name))


@WRITES_BOTH
async def test_consistency_validation_during_migration(
    batches: Batches, checking: Checking, heard: Heard
) -> None:
    """While many record at once, the sample never sees a difference that is not there."""
    opened(batches, 200)

    await asyncio.gather(*(deliver(checking, player) for player in names(200)))

    assert sum(is_sampled("batch1", player) for player in names(200)) > 10
    assert heard.messages == []
    batch = batches.get("batch1").unwrap()
    documents = {one.player_lookup for one in batches.completions("batch1").unwrap()}
    assert set(batch.in_array) == documents and batch.counter == 200


@WRITES_BOTH
async def test_consistency_mismatch_detection(
    batches: Batches, checking: Checking, heard: Heard, another_recorder: Recorder
) -> None:
    """The players that differ are named, and told once by all instances together."""
    opened(batches, 1_000)
    alter(batches, completed_players=Union(("player00001",)))
    put(
        batches,
        "completions/player00002",
        {"player_lookup": "player00002", "outcome": "completed", "predictions_count": 1},
    )
    others = Checking(another_recorder, batches, check(batches, heard, "another"))
    sampled = [name for name in names(1_000)[3:] if is_sampled("batch1", name)][:6]

    answers = await deliver(checking, *sampled[:3]) + await deliver(others, *sampled[3:])

    assert [answer.outcome for answer in answers] == [RecordOutcome.RECORDED] * 6
    told = "\n".join(heard.messages)
    assert (told.count("*missing_marker* opened"), told.count("*ghost_marker* opened")) == (1, 1)
    ids = {
        each.finding.finding_class: (each.finding.scope.name, each.finding.ids)
        for each in FindingStore(batches.store.documents).unsettled().unwrap().values()
    }
    assert ids[FindingClass.MISSING_MARKER] == ("batch1", ("player00001",))
    assert ids[FindingClass.GHOST_MARKER] == ("batch1", ("player00002",))


@pytest.mark.parametrize("mode", [DUAL], ids=["dual_write"])
async def test_consistency_during_switch_to_subcollection_reads(
    batches: Batches, checking: Checking, another_recorder: Recorder, heard: Heard, migration: Migration
) -> None:
    """The switch happens in the middle of a burst; nobody is lost, nobody counts twice."""
    opened(batches, 120)

    burst = asyncio.gather(
        *(deliver(checking, player) for player in names(119)),
        *(deliver(another_recorder, player, event="other") for player in names(119)),
    )
    switched = await asyncio.to_thread(migration.upgrade, "batch1", to=READS)
    answers = [answer for each in await burst for answer in each]
    answers += await deliver(another_recorder, "player00119")

    assert switched.is_success
    assert sum(answer.outcome is RecordOutcome.RECORDED for answer in answers) == 120
    batch = batches.get("batch1").unwrap()
    assert (batch.schema_mode, batch.status, batch.counts) == (
        READS,
        BatchStatus.COMPLETE,
        Counts(completed=120),
    )
    assert sorted(batch.in_array) == names(120)
    assert heard.messages == []


@pytest.mark.parametrize("mode", [LEGACY], ids=["legacy"])
async def test_phase1_to_phase2_transition(
    batches: Batches, recorder: Recorder, another_recorder: Recorder, migration: Migration
) -> None:
    """One batch through all modes, a few players in each, by instances that remember the mode before."""
    opened(batches, 8)
    counts = []

    for index, to in enumerate((LEGACY, DUAL, READS, SUBCOLLECTION)):
        switch(migration, batches.get("batch1").unwrap(), to).unwrap()
        await deliver(recorder, names(8)[2 * index])
        await deliver(another_recorder, names(8)[2 * index + 1])
        await deliver(another_recorder, *names(8)[: 2 * index], event="again")
        counts.append(batches.get("batch1").unwrap().counts.completed)

    assert counts == [2, 4, 6, 8]
    batch = batches.get("batch1").unwrap()
    assert (batch.status, batch.total_predictions) == (BatchStatus.COMPLETE, 40)
    assert [one.player_lookup for one in batches.completions("batch1").unwrap()] == names(8)
    assert {"mode-1", "mode-2", "mode-3"} <= timeline(batches).keys()


@EVERY_SWITCH
async def test_rollback_safety(
    batches: Batches, recorder: Recorder, another_recorder: Recorder, migration: Migration, to: SchemaMode
) -> None:
    """From any mode to any other and back: nothing is lost, and nothing that was recorded counts again."""
    before = opened(batches, 10)
    await deliver(recorder, *names(10)[:4])
    skipped = completion("player00004", outcome=PlayerOutcome.SKIPPED)
    failed = completion("player00005", outcome=PlayerOutcome.FAILED)
    for one in (skipped, failed):
        await recorder.record(one, event_id=one.outcome.value)

    there = switch(migration, before, to).unwrap()
    repeats = await deliver(another_recorder, *names(10)[:4]) + await deliver(recorder, *names(10)[:4])
    for instance in (another_recorder, recorder):
        repeats += [(await instance.record(one, event_id="other")).unwrap() for one in (skipped, failed)]
    await deliver(recorder, "player00006")
    back = switch(migration, there, before.schema_mode).unwrap()
    repeats += await deliver(another_recorder, *names(10)[:4], "player00006")
    await deliver(recorder, *names(10)[7:])

    assert not any(answer.completes_batch for answer in repeats)
    assert (there.schema_mode, back.schema_mode) == (to, before.schema_mode)
    assert back.counts == Counts(completed=5, skipped=1, failed=1)
    batch = batches.get("batch1").unwrap()
    assert (batch.status, batch.counts) == (BatchStatus.COMPLETE, Counts(completed=8, skipped=1, failed=1))
    assert batch.total_predictions == 40
    assert sorted(one.player_lookup for one in batches.completions("batch1").unwrap()) == names(10)


@EVERY_SWITCH
async def test_instance_that_remembers_the_mode_before_writes_nothing_under_it(
    batches: Batches, recorder: Recorder, migration: Migration, to: SchemaMode
) -> None:
    """The batch is switched after the instance has cached it; its next event obeys the new mode."""
    before = opened(batches, 3)
    await deliver(recorder, "player00000")

    switch(migration, before, to).unwrap()
    await deliver(recorder, "player00001")

    batch = batches.get("batch1").unwrap()
    documents = {each.player_lookup for each in batches.documents(batch).unwrap().values()}
    assert batch.counts == Counts(completed=2)
    if to.writes_array:
        assert sorted(batch.in_array) == names(2)
    if to.writes_subcollection:
        assert sorted(documents) == names(2)
    else:
        assert "player00001" not in documents


@pytest.mark.parametrize("to", ORDER[1:], ids=lambda mode: mode.value)
@pytest.mark.parametrize("mode", [SUBCOLLECTION], ids=["now"])
async def test_old_batch_compatibility(
    batches: Batches, recorder: Recorder, outbox: TriggerOutbox, migration: Migration, to: SchemaMode
) -> None:
    """A half-done batch of the system before, as it is: read, recorded into, upgraded, completed."""
    as_the_old_system_wrote_it(
        batches,
        expected=5,
        completed=["john-doe", "luka.doncic"],
        failed_players=["jane-roe"],
        predictions_by_player={"john-doe": 5, "luka.doncic": 5},
    )
    as_found = batches.get("batch1").unwrap()

    repeats = await deliver(recorder, "john-doe", "Luka Dončić")
    failed_again = completion("jane-roe", outcome=PlayerOutcome.FAILED)
    repeats.append((await recorder.record(failed_again, event_id="again")).unwrap())
    await deliver(recorder, "fourth")
    upgraded = migration.upgrade("batch1", to=to).unwrap()
    repeats += await deliver(recorder, "johndoe", event="other")
    [last] = await deliver(recorder, "fifth")

    assert (as_found.schema_mode, as_found.status) == (LEGACY, BatchStatus.OPEN)
    assert (as_found.counts, as_found.total_predictions) == (Counts(completed=2, failed=1), 10)
    assert {answer.outcome for answer in repeats} == {RecordOutcome.DUPLICATE}
    assert upgraded.counts == Counts(completed=3, failed=1)
    assert last.completes_batch and last.owed_trigger is not None
    batch = batches.get("batch1").unwrap()
    assert (batch.counts, batch.total_predictions) == (Counts(completed=4, failed=1), 20)
    predictions = {one.player_lookup: one.predictions_count for one in batches.completions("batch1").unwrap()}
    assert predictions == {"johndoe": 5, "lukadoncic": 5, "janeroe": 0, "fourth": 5, "fifth": 5}


async def test_batch_that_the_old_system_completed_is_left_alone(
    batches: Batches, recorder: Recorder, overdue: OverdueBatches, published: Published, migration: Migration
) -> None:
    as_the_old_system_wrote_it(batches, expected=2, completed=names(2), is_complete=True)

    answers = await deliver(recorder, *names(2))
    resumed = overdue.close_overdue(AFTER_DEADLINE).unwrap()
    upgraded = migration.upgrade("batch1", to=SUBCOLLECTION)

    assert [answer.outcome for answer in answers] == [RecordOutcome.DUPLICATE] * 2
    assert (resumed, published.messages) == ([], [])
    assert upgraded.error is not None and "only an open batch" in upgraded.error.message


async def test_switch_that_would_lose_or_invent_something_is_refused_by_name(
    batches: Batches, recorder: Recorder, migration: Migration
) -> None:
    both = Batches(batches.store.documents, mode=DUAL)
    opened(both, 3)
    await deliver(recorder, "player00000")
    torn: dict[str, Any] = {"completed_players": [], "failed_players": ["player00000"]}
    alter(batches, **torn)
    before = batches.get("batch1").unwrap()

    answer = migration.upgrade("batch1", to=SUBCOLLECTION)

    assert answer.error is not None and not answer.is_retryable
    assert "array and documents disagree about ['player00000']" in answer.error.message
    assert batches.get("batch1").unwrap() == before


def test_batch_too_large_for_the_array_cannot_roll_back(batches: Batches, migration: Migration) -> None:
    opened(batches, 1_001)

    answers = [migration.rollback("batch1", to=to) for to in (LEGACY, DUAL, READS)]

    assert all(answer.error is not None and "do not fit" in answer.error.message for answer in answers)
    assert batches.get("batch1").unwrap().schema_mode is SUBCOLLECTION


def test_upgrade_and_rollback_each_go_one_way_and_may_be_repeated(
    batches: Batches, migration: Migration
) -> None:
    opened(batches, 2)

    wrong = migration.upgrade("batch1", to=DUAL)
    back = [migration.rollback("batch1", to=DUAL).unwrap() for _ in range(2)]

    assert wrong.error is not None and "is a rollback" in wrong.error.message
    assert [batch.mode_epoch for batch in back] == [1, 1]


async def test_timed_out_player_of_an_upgraded_batch_may_still_come_late(
    batches: Batches, recorder: Recorder, migration: Migration, overdue: OverdueBatches
) -> None:
    opened(Batches(batches.store.documents, mode=LEGACY), 20)
    await deliver(recorder, *names(19))
    migration.upgrade("batch1", to=SUBCOLLECTION).unwrap()
    overdue.close_overdue(AFTER_DEADLINE).unwrap()

    [late] = await deliver(recorder, "player00019")

    assert (late.outcome, late.completes_batch) == (RecordOutcome.LATE, True)


@EVERY_MODE
async def test_hyphens_dots_accents_and_slashes_in_names_are_one_player(
    batches: Batches, recorder: Recorder
) -> None:
    opened(batches, ["Luka Dončić", "j.r. o'neil/smith", "Ø"])

    spellings = ["luka-doncic", "LUKA DONCIC", "J.R. O'Neil/Smith", "jroneilsmith", "o"]
    answers = [(await deliver(recorder, name, event=str(n)))[0] for n, name in enumerate(spellings)]

    assert [answer.outcome.value for answer in answers] == [
        "recorded",
        "duplicate",
        "recorded",
        "duplicate",
        "recorded",
    ]
    assert batches.get("batch1").unwrap().status is BatchStatus.COMPLETE


FLAGS = {
    LEGACY: ("false", "false", "false"),
    DUAL: ("true", "true", "false"),
    READS: ("true", "true", "true"),
    SUBCOLLECTION: ("true", "false", "true"),
}
VARIABLES = ("ENABLE_SUBCOLLECTION_COMPLETIONS", "DUAL_WRITE_MODE", "USE_SUBCOLLECTION_READS")


@pytest.mark.parametrize("mode", list(FLAGS), ids=lambda mode: mode.value)
def test_two_processes_in_different_modes_obey_the_mode_of_the_batch(
    batches: Batches, mode: SchemaMode, project_id: str
) -> None:
    opened(batches, 60)
    other = LEGACY if mode is not LEGACY else SUBCOLLECTION
    events = "".join(json.dumps({"player": name, "event": name}) + "\n" for name in names(60))

    processes = [_start(project_id, own_mode) for own_mode in (mode, other)]
    said = [json.loads(process.communicate(events, timeout=60)[0]) for process in processes]

    assert len({event for each in said for event in each["completed_by"]}) == 1
    batch = batches.get("batch1").unwrap()
    assert (batch.schema_mode, batch.status) == (mode, BatchStatus.COMPLETE)
    assert (batch.counts, batch.total_predictions) == (Counts(completed=60), 300)


def _start(project: str, mode: SchemaMode) -> "subprocess.Popen[str]":
    environment = os.environ | dict(zip(VARIABLES, FLAGS[mode], strict=True))
    command = [sys.executable, "-m", "tests.support.record_process", project, "batch1", "8"]
    return subprocess.Popen(
        command, env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )


def test_unstamped_opening_of_an_old_batch_id_is_refused(batches: Batches) -> None:
    """A batch of the system before has no manifest: nobody can say that its set is the same."""
    as_the_old_system_wrote_it(batches, expected=2)

    answer = batches.open("batch1", GAME_DATE, names(2), deadline=DEADLINE)

    assert answer.error is not None and answer.error.message.startswith("expected_players:")
