"""The recorder against a model of a dozen lines, under any interleaving that hypothesis can think of."""

import asyncio
from collections.abc import Coroutine
from datetime import UTC, datetime
from typing import Any

import pytest
from google.cloud import firestore
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from common.batches.batches import Batches
from common.batches.records import BatchStatus, Counts
from common.batches.rules import closing_status
from common.batches.trigger_outbox import TriggerOutbox
from common.documents.async_store import AsyncFirestoreDocuments
from common.documents.memory_store import AsyncMemoryDocuments, MemoryDocuments
from common.documents.port import AsyncDocuments, Documents
from common.documents.store import FirestoreDocuments
from common.maintenance.deadlines import OverdueBatches
from common.maintenance.schema_migration import ORDER, Migration
from common.messages import PlayerOutcome
from common.recorder.answers import Recorded, RecordOutcome
from common.recorder.recorder import Recorder
from common.result import Result
from common.schema_mode import SchemaMode
from tests.support.batch_helpers import AFTER_DEADLINE, Published, completion, opened

ENDS = {
    "ann": PlayerOutcome.COMPLETED,
    "ben": PlayerOutcome.COMPLETED,
    "cat": PlayerOutcome.COMPLETED,
    "dan": PlayerOutcome.SKIPPED,
    "eve": PlayerOutcome.FAILED,
}
WORKERS_OUTCOMES = (PlayerOutcome.COMPLETED, PlayerOutcome.SKIPPED, PlayerOutcome.FAILED)
MIN_PCT = 60.0
DELIVERY = st.tuples(st.sampled_from([*ENDS, "stranger"]), st.integers(0, 2), st.integers(0, 1))
"""Player, which of its events, which instance."""


class Model:
    """What should be true: how each player ended, and how the batch stands."""

    def __init__(self) -> None:
        self.ended: dict[str, PlayerOutcome] = {}
        self.unexpected: set[str] = set()
        self.status = BatchStatus.OPEN
        self.generation = 1
        self.triggers: set[tuple[str, int]] = set()

    @property
    def counts(self) -> Counts:
        counts = Counts()
        for outcome in self.ended.values():
            counts = counts.plus(outcome)
        return counts

    def is_corrected_by(self, player: str) -> bool:
        """Whether a worker's outcome of the player gives way to the one in ENDS."""
        before = self.ended.get(player)
        return before not in (None, PlayerOutcome.TIMED_OUT) and _outdoes(ENDS[player], before)

    def deliver(self, player: str, outcome: PlayerOutcome | None = None) -> RecordOutcome:
        if player not in ENDS:
            self.unexpected.add(player)
            return RecordOutcome.UNEXPECTED
        before = self.ended.get(player)
        if not _outdoes(outcome or ENDS[player], before):
            return RecordOutcome.DUPLICATE
        self.ended[player] = outcome or ENDS[player]
        is_late = before is not None and self.status is not BatchStatus.OPEN
        self._close(is_late=is_late)
        return RecordOutcome.LATE if is_late else RecordOutcome.RECORDED

    def pass_deadline(self) -> None:
        if self.status is BatchStatus.OPEN:
            self.ended = dict.fromkeys(ENDS, PlayerOutcome.TIMED_OUT) | self.ended
            self._close(is_late=False)

    def _close(self, *, is_late: bool) -> None:
        if len(self.ended) < len(ENDS) or self.status is BatchStatus.ABANDONED:
            return
        status = closing_status(self.counts, expected=len(ENDS), min_completion_pct=MIN_PCT)
        if is_late and status is BatchStatus.FAILED:
            return
        self.status = status
        self.generation += is_late
        if status is not BatchStatus.FAILED:
            self.triggers.add(("batch1", self.generation))


def _outdoes(new: PlayerOutcome, before: PlayerOutcome | None) -> bool:
    """Completed > skipped > failed > timed out > nothing."""
    order = ["timed_out", "failed", "skipped", "completed"]
    return before is None or order.index(new.value) > order.index(before.value)


class RecorderMachine(RuleBasedStateMachine):
    """Two instances, one batch. Each example has a database of its own."""

    project: str
    in_memory: bool
    examples = 0

    def __init__(self) -> None:
        super().__init__()
        RecorderMachine.examples += 1
        self.name = f"{self.project}-{RecorderMachine.examples}"
        self.loop = asyncio.Runner()
        self.model, self.published = Model(), Published()
        self.documents, self.async_documents = self.loop.run(self._stores())
        self.batches = Batches(self.documents)
        self.outbox = TriggerOutbox(self.batches.store, lambda: self.published)
        self.instances = [self._instance() for _ in range(2)]
        opened(self.batches, list(ENDS), min_completion_pct=MIN_PCT)

    def _instance(self) -> Recorder:
        return Recorder(self.async_documents, self.batches)

    async def _stores(self) -> tuple[Documents, AsyncDocuments]:
        if self.in_memory:
            documents = MemoryDocuments(lambda: datetime.now(UTC))
            return documents, AsyncMemoryDocuments(documents)
        self.db = firestore.Client(project=self.name)
        async_db = firestore.AsyncClient(project=self.name)
        return FirestoreDocuments(self.db), AsyncFirestoreDocuments(async_db)

    @rule(deliveries=st.lists(DELIVERY, min_size=1, max_size=8))
    def deliver_at_once(self, deliveries: list[tuple[str, int, int]]) -> None:
        # What corrects an outcome comes alone, below: among others, order decides how often a batch reopens.
        deliveries = [
            one for one in deliveries if one[0] not in ENDS or not self.model.is_corrected_by(one[0])
        ]
        answers = self.loop.run(self._deliver(deliveries))
        wanted = [self.model.deliver(player) for player, _, _ in deliveries]

        strangers = sum(answer.outcome is RecordOutcome.UNEXPECTED for answer in answers)
        assert strangers == wanted.count(RecordOutcome.UNEXPECTED)
        for player in ENDS:
            firsts = {
                event
                for (name, event, _), answer in zip(deliveries, answers, strict=True)
                if name == player and answer.outcome is not RecordOutcome.DUPLICATE
            }
            assert len(firsts) <= 1, f"{player} was recorded by {firsts}"

    @rule(
        player=st.sampled_from(list(ENDS)),
        outcome=st.sampled_from(WORKERS_OUTCOMES),
        instance=st.integers(0, 1),
    )
    def deliver_an_outcome(self, player: str, outcome: PlayerOutcome, instance: int) -> None:
        """Any outcome of any player, whatever another event has said of the player."""
        answer = self.loop.run(self._deliver_one(player, f"{player}-{outcome.value}", instance, outcome))
        wanted = self.model.deliver(player, outcome)
        assert wanted is RecordOutcome.DUPLICATE or answer.outcome is wanted

    @rule()
    def pass_the_deadline(self) -> None:
        OverdueBatches(self.batches, self.outbox).close_overdue(AFTER_DEADLINE).unwrap()
        self.model.pass_deadline()

    @rule(to=st.sampled_from(ORDER))
    def change_the_mode(self, to: SchemaMode) -> None:
        answer = _switch(self.batches, to)
        is_same = self.batches.get("batch1").unwrap().schema_mode is to
        assert answer.is_success or self.model.status is not BatchStatus.OPEN
        assert is_same or answer.is_failure

    @precondition(lambda self: self.model.status in (BatchStatus.COMPLETE, BatchStatus.PARTIAL))
    @rule()
    def consolidate(self) -> None:
        generation = self.model.generation
        self.batches.start_consolidation("batch1", generation).unwrap()
        self.batches.finish_consolidation("batch1", generation, generation, {}).unwrap()
        self.model.status = BatchStatus.CONSOLIDATED

    @precondition(lambda self: self.model.status in (BatchStatus.OPEN, BatchStatus.FAILED))
    @rule()
    def abandon(self) -> None:
        self.batches.abandon("batch1", who="ann", why="test").unwrap()
        self.model.status = BatchStatus.ABANDONED

    @rule(number=st.integers(0, 1))
    def start_an_instance_anew(self, number: int) -> None:
        self.instances[number] = self._instance()

    @invariant()
    def store_says_what_the_model_says(self) -> None:
        progress = self.batches.progress("batch1").unwrap()
        batch, model = progress.batch, self.model
        found = {one.player_lookup: one.outcome for one in self.batches.completions("batch1").unwrap()}
        completed = sum(outcome is PlayerOutcome.COMPLETED for outcome in model.ended.values())
        assert found == model.ended
        assert (batch.counts, batch.total_predictions) == (model.counts, 5 * completed)
        assert (batch.status, batch.generation) == (model.status, model.generation)
        assert set(progress.unexpected) == model.unexpected
        # Of generations that follow each other in one moment only the last one needs a trigger.
        assert set(self.published.triggers) <= model.triggers
        assert max(model.triggers, default=None) == max(self.published.triggers, default=None)

    def teardown(self) -> None:
        if not self.in_memory:
            self.db.close()
        self.loop.close()

    async def _deliver(self, deliveries: list[tuple[str, int, int]]) -> list[Recorded]:
        def deliver(player: str, event: int, instance: int) -> Coroutine[Any, Any, Result[Recorded]]:
            outcome = ENDS.get(player, PlayerOutcome.COMPLETED)
            return self._deliver_once(player, f"{player}-{event}", instance, outcome)

        answers = await asyncio.gather(*(deliver(*delivery) for delivery in deliveries))
        # "Not yet" while another delivery of the closing event publishes: its redelivery finds it noted.
        return [
            (await deliver(*delivery)).unwrap()
            if answer.is_failure and answer.is_retryable
            else answer.unwrap()
            for delivery, answer in zip(deliveries, answers, strict=True)
        ]

    async def _deliver_one(self, player: str, event: str, instance: int, outcome: PlayerOutcome) -> Recorded:
        return (await self._deliver_once(player, event, instance, outcome)).unwrap()

    async def _deliver_once(
        self, player: str, event: str, instance: int, outcome: PlayerOutcome
    ) -> Result[Recorded]:
        message = completion(player, outcome=outcome)
        answer = await self.instances[instance].record(message, event_id=event)
        if answer.is_failure:
            return answer
        recorded = answer.unwrap()
        if recorded.owed_trigger is not None:
            await asyncio.to_thread(self.outbox.send, recorded.owed_trigger)
        return answer


@pytest.mark.parametrize(("kind", "examples"), [("in-memory", 150), ("emulator", 25)])
def test_any_interleaving_leaves_what_the_model_says(
    project_id: str, firestore_host: str, kind: str, examples: int
) -> None:
    RecorderMachine.project, RecorderMachine.in_memory = project_id, kind == "in-memory"
    run_state_machine_as_test(
        RecorderMachine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=15,
            deadline=None,
            derandomize=True,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )


def _switch(batches: Batches, to: SchemaMode) -> Result[Any]:
    batch = batches.get("batch1").unwrap()
    migration = Migration(batches)
    is_forward = ORDER.index(to) >= ORDER.index(batch.schema_mode)
    return (migration.upgrade if is_forward else migration.rollback)("batch1", to=to)
