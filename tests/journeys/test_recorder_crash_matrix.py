"""A crash, or a lost answer, at every I/O step of recording: the end is that of an undisturbed run.

Each test prints its matrix: a row per step, a column per fault and way of recovery.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from google.cloud import firestore

from common.batches.batches import Batches
from common.batches.trigger_outbox import TriggerOutbox
from common.documents.async_store import AsyncFirestoreDocuments
from common.documents.store import FirestoreDocuments
from common.maintenance.deadlines import OverdueBatches
from common.messages import Message
from common.recorder.answers import Recorded
from common.recorder.recorder import Recorder
from common.result import ErrorInfo, Result
from common.schema_mode import SchemaMode
from common.topics import Topic
from functions.completion_recorder.handler import handle
from tests.support.batch_helpers import (
    AFTER_DEADLINE,
    DEADLINE,
    EVERY_MODE,
    NotSampled,
    Published,
    completion,
    deliver,
    let_the_grace_pass,
    names,
    opened,
)
from tests.support.firestore_relay import COMMIT, QUERY, READ
from tests.support.grpc_server import serving
from tests.support.io_steps import Broken, Fault, IoSteps
from tests.support.matrix import difference, lasting, show_matrix

MAX_DELIVERIES = 5
PUBLISH = "Publish"
LAST = "player00003"
WITH_AND_WITHOUT_DOCUMENTS = pytest.mark.parametrize(
    "mode", [SchemaMode.LEGACY, SchemaMode.SUBCOLLECTION], ids=lambda mode: mode.value
)
REDELIVERY, SWEEP = "redelivery", "sweep"
COLUMNS = [
    (Fault.CRASH_BEFORE, REDELIVERY),
    (Fault.CRASH_BEFORE, SWEEP),
    (Fault.CRASH_AFTER, REDELIVERY),
    (Fault.CRASH_AFTER, SWEEP),
    (Fault.LOST_ANSWER, REDELIVERY),
]


class StepPublisher:
    """A publisher whose every publish is a step, and may be the one that breaks."""

    def __init__(self, steps: IoSteps, published: Published) -> None:
        self._steps = steps
        self._published = published

    def publish(self, topic: Topic, message: Message) -> Result[str]:
        try:
            return self._steps.run(PUBLISH, lambda: self._published.publish(topic, message))
        except Broken as exc:
            return Result.failure(ErrorInfo.transient("Broken", str(exc)))


@dataclass(frozen=True, kw_only=True)
class World:
    """One database with one batch of four players, three of whom have ended, and what was published."""

    project: str
    steps: IoSteps
    db: firestore.Client
    batches: Batches
    """Both past the faults."""
    published: Published

    async def deliver_last(self) -> Result[Recorded]:
        """The last player's event reaches a new instance."""
        batches, recorder = self._instance()
        outbox = TriggerOutbox(batches.store, lambda: StepPublisher(self.steps, self.published))
        return await handle(completion(LAST), "last", recorder=recorder, outbox=outbox, checks=NotSampled())

    def sweep(self, now: datetime = DEADLINE - timedelta(hours=1)) -> Result[Any]:
        """A new instance of the sweep."""
        batches, _ = self._instance()
        outbox = TriggerOutbox(batches.store, lambda: StepPublisher(self.steps, self.published))
        return OverdueBatches(batches, outbox).close_overdue(now)

    def let_the_grace_pass(self) -> None:
        if self.batches.get("batch1").unwrap().closed_at is not None:
            let_the_grace_pass(self.batches)

    def is_recorded(self) -> bool:
        found = self.batches.completions("batch1").unwrap()
        return any(one.player_lookup == LAST and one.event_id == "last" for one in found)

    def _instance(self) -> tuple[Batches, Recorder]:
        batches = Batches(FirestoreDocuments(firestore.Client(project=self.project)))
        documents = AsyncFirestoreDocuments(firestore.AsyncClient(project=self.project))
        return batches, Recorder(documents, batches)


Act = Callable[[World], Any]


@pytest.fixture
def steps(firestore_host: str) -> IoSteps:
    return IoSteps(firestore_host)


@pytest.fixture
def worlds(
    steps: IoSteps, firestore_host: str, project_id: str, mode: SchemaMode, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[], World]]:
    """Makes worlds that know nothing of each other; whatever is built later goes through the steps."""
    number = 0

    def make() -> World:
        nonlocal number
        number += 1
        project = f"{project_id}-{number}"
        monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", firestore_host)
        db = firestore.Client(project=project)
        batches = Batches(FirestoreDocuments(db), mode=mode)
        monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", address)
        return World(project=project, steps=steps, db=db, batches=batches, published=Published())

    with serving(steps) as address:
        yield make


async def prepared(make: Callable[[], World]) -> World:
    """Three of four players have completed."""
    world = make()
    world.steps.revive()
    opened(world.batches, 4, min_completion_pct=75)
    _, recorder = world._instance()
    await deliver(recorder, *names(3))
    return world


async def prepared_late(make: Callable[[], World]) -> World:
    """The deadline has spoken for the last player, and the trigger of the first generation is out."""
    world = await prepared(make)
    world.sweep(AFTER_DEADLINE).unwrap()
    return world


@EVERY_MODE
async def test_last_completion_of_a_batch(worlds: Callable[[], World], capsys: Any) -> None:
    await check("last completion", lambda: prepared(worlds), capsys, triggers=[("batch1", 1)])


@WITH_AND_WITHOUT_DOCUMENTS
async def test_late_completion_of_a_partial_batch(worlds: Callable[[], World], capsys: Any) -> None:
    triggers = [("batch1", 1), ("batch1", 2)]
    await check("late completion", lambda: prepared_late(worlds), capsys, triggers=triggers)


@WITH_AND_WITHOUT_DOCUMENTS
async def test_sweep_that_applies_the_deadline(
    worlds: Callable[[], World], mode: SchemaMode, capsys: Any
) -> None:
    calm = await prepared(worlds)
    calm.steps.arm(-1, Fault.CRASH_BEFORE)
    calm.sweep(AFTER_DEADLINE).unwrap()
    wanted, rows = state(calm), []

    for step, name in enumerate(steps_met(calm)):
        row = []
        for fault in Fault:
            world = await prepared(worlds)
            world.steps.arm(step, fault)
            world.sweep(AFTER_DEADLINE)
            world.steps.revive()
            world.let_the_grace_pass()
            world.sweep(AFTER_DEADLINE).unwrap()
            row.append(verdict(world, wanted, [("batch1", 1)]))
        rows.append((name, row))

    show_matrix(capsys, "deadline", [f"{fault.value}, sweep" for fault in Fault], rows)
    assert all(cell == "ok" for _, row in rows for cell in row)


async def check(
    title: str, prepare: Callable[[], Any], capsys: Any, *, triggers: list[tuple[str, int]]
) -> None:
    calm = await prepare()
    calm.steps.arm(-1, Fault.CRASH_BEFORE)
    (await calm.deliver_last()).unwrap()
    wanted, rows = state(calm), []

    for step, name in enumerate(steps_met(calm)):
        row = []
        for fault, recovery in COLUMNS:
            world: World = await prepare()
            world.steps.arm(step, fault)
            await world.deliver_last()
            world.steps.revive()
            await recover(world, recovery, is_new_generation=len(triggers) > 1)
            row.append(verdict(world, wanted, triggers))
        rows.append((name, row))

    show_matrix(capsys, title, [f"{fault.value}, {recovery}" for fault, recovery in COLUMNS], rows)
    assert all(cell == "ok" for _, row in rows for cell in row)


def steps_met(world: World) -> tuple[str, ...]:
    """The steps of the undisturbed run. Fails where a kind is missing: a matrix without it proves nothing."""
    names = tuple(world.steps.names)
    assert {READ, COMMIT, PUBLISH} <= set(names) <= {READ, COMMIT, PUBLISH, QUERY}
    assert names.count(COMMIT) >= 2, "the recording or the closing, and the note of the trigger"
    return names


async def recover(world: World, recovery: str, *, is_new_generation: bool) -> None:
    """By redelivery; or without one, by the sweep alone, once the completion has reached the store. Before
    that no sweep can know of it, and the redelivery must come."""
    if recovery == SWEEP:
        world.let_the_grace_pass()
        world.sweep().unwrap()
        if world.is_recorded():
            return
    for _ in range(MAX_DELIVERIES):
        world.let_the_grace_pass()
        if (await world.deliver_last()).is_success:
            return
    raise AssertionError(f"not recorded by {MAX_DELIVERIES} deliveries")


def verdict(world: World, wanted: Mapping[str, Any], triggers: list[tuple[str, int]]) -> str:
    """`ok`, or what differs. A trigger may be published twice: its generation tells that it is the same."""
    if differing := difference(wanted, state(world)):
        return differing
    if sorted(set(world.published.triggers)) != triggers:
        return f"triggers {world.published.triggers}"
    # Once; and once more where whoever published it crashed, or was told that it failed, before it was noted.
    if max(Counter(world.published.triggers).values()) > 2:
        return f"too many triggers {world.published.triggers}"
    return "ok"


WHO_AND_WHEN = {"closed_by_event", "event_id", "message_id", "message", "trigger_message_id", "trigger_claim"}


def state(world: World) -> dict[str, Any]:
    """Every document of the batch, without times and without who closed it: those may differ."""
    ref = world.db.document("prediction_batches/batch1")
    snapshots = [ref.get(), *(each for below in ref.collections() for each in below.get())]
    return {each.reference.path: lasting(each.to_dict() or {}, without=WHO_AND_WHEN) for each in snapshots}
