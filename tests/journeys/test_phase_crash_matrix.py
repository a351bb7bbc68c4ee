"""A crash, or a lost answer, at every I/O step of a boundary: the end is that of an undisturbed run.

The last processor's completion is recorded, decided on, passed through its gates, claimed, published, noted,
told and logged. After each fault it is delivered again, or nothing comes any more but the sweep.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from google.cloud import firestore

from common.documents.store import FirestoreDocuments
from common.messages import Message
from common.phases.decision import PhaseState
from common.result import ErrorInfo, Result
from common.topics import Topic
from common.warehouse.records import Rows
from tests.support.batch_helpers import Published
from tests.support.grpc_server import serving
from tests.support.io_steps import Broken, Fault, IoSteps
from tests.support.matrix import difference, lasting, show_matrix
from tests.support.phase_world import PRECOMPUTE, FakeWarehouse, PhaseWorld

LAST = PRECOMPUTE[-1]
MAX_DELIVERIES = 5
REDELIVERY, SWEEP = "redelivery", "sweep"
COLUMNS = [
    (Fault.CRASH_BEFORE, REDELIVERY),
    (Fault.CRASH_BEFORE, SWEEP),
    (Fault.CRASH_AFTER, REDELIVERY),
    (Fault.CRASH_AFTER, SWEEP),
    (Fault.LOST_ANSWER, SWEEP),
]


def stepping(steps: IoSteps, name: str, action: Callable[[], Result[Any]]) -> Result[Any]:
    """One step that is no call of Firestore, and may be the one that breaks."""
    try:
        return steps.run(name, action)
    except Broken as exc:
        return Result.failure(ErrorInfo.transient("Broken", str(exc)))


class StepPublisher:
    def __init__(self, steps: IoSteps, published: Published) -> None:
        self._steps, self._published = steps, published

    def publish(self, topic: Topic, message: Message) -> Result[str]:
        return stepping(self._steps, "Publish", lambda: self._published.publish(topic, message))


class StepWarehouse(FakeWarehouse):
    def __init__(self, steps: IoSteps) -> None:
        super().__init__()
        self._steps = steps

    def query(self, sql: str, parameters: Mapping[str, Any] | None = None) -> Result[Rows]:
        answer = super().query
        return stepping(self._steps, "Gates", lambda: answer(sql, parameters))


@dataclass(frozen=True, kw_only=True)
class Instances:
    """One database, seen past the faults, and an instance of the function that works through them."""

    calm: PhaseWorld
    world: PhaseWorld

    @property
    def is_recorded(self) -> bool:
        return LAST in self.calm.day().reports


def instances_of(project: str, steps: IoSteps, faulty_host: str, patch: pytest.MonkeyPatch) -> Instances:
    """All processors but the last have reported."""
    calm = PhaseWorld(documents=FirestoreDocuments(firestore.Client(project=project)))
    for name in PRECOMPUTE[:-1]:
        calm.report(name).unwrap()
    patch.setenv("FIRESTORE_EMULATOR_HOST", faulty_host)
    world = PhaseWorld(documents=FirestoreDocuments(firestore.Client(project=project)))
    world.publisher = StepPublisher(steps, calm.published)
    world.warehouse = StepWarehouse(steps)
    world.logged = calm.logged
    return Instances(calm=calm, world=world)


@pytest.fixture
def steps(firestore_host: str) -> IoSteps:
    return IoSteps(firestore_host)


@pytest.fixture
def make(
    steps: IoSteps, firestore_host: str, project_id: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[], Instances]]:
    number = 0

    def made() -> Instances:
        nonlocal number
        number += 1
        monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", firestore_host)
        return instances_of(f"{project_id}-{number}", steps, address, monkeypatch)

    with serving(steps) as address:
        yield made


def test_fault_at_any_step_of_the_last_completion_changes_nothing(
    make: Callable[[], Instances], steps: IoSteps, capsys: Any
) -> None:
    undisturbed = make()
    steps.arm(10**9, Fault.CRASH_BEFORE)
    undisturbed.world.report(LAST).unwrap()
    wanted, names = state(undisturbed), tuple(steps.names)

    rows = []
    for step, name in enumerate(names):
        cells = []
        for fault, recovery in COLUMNS:
            instances = make()
            steps.arm(step, fault)
            instances.world.report(LAST)
            steps.revive()
            recover(instances, recovery)
            cells.append(verdict(instances, wanted))
        rows.append((name, cells))

    columns = [f"{fault.value}, {recovery}" for fault, recovery in COLUMNS]
    show_matrix(capsys, "the last completion of a phase", columns, rows)
    assert [name for name, _ in rows].count("Publish") == 1
    assert all(cell == "ok" for _, cells in rows for cell in cells)


def recover(instances: Instances, recovery: str) -> None:
    """By redelivery; or by the sweep alone, once the completion has reached the store: before that nobody but
    the redelivery can know of it. A claim's grace has passed."""
    world = instances.world
    world.clock.advance(timedelta(minutes=10))
    if recovery == SWEEP:
        world.sweep()
        if instances.is_recorded:
            world.clock.advance(timedelta(minutes=10))
            world.sweep().unwrap()
            return
    for _ in range(MAX_DELIVERIES):
        if world.report(LAST).is_success:
            return
        world.clock.advance(timedelta(minutes=2))
    raise AssertionError(f"not handled by {MAX_DELIVERIES} deliveries")


def verdict(instances: Instances, wanted: Mapping[str, Any]) -> str:
    """`ok`, or what differs. A dispatch may be published twice: its id tells that it is the same."""
    return difference(wanted, state(instances)) or "ok"


NOT_THE_SAME = {"message_id", "claimed_by", "decisions_kept", "message"}
"""Who did it, and how often it was decided; and the message, which tells the time."""


def state(instances: Instances) -> dict[str, Any]:
    """What the store says of the date, what was started, and what is in the log; without times."""
    world = instances.calm
    documents = world.documents.get([world.day().key.path]).unwrap()
    reports = world.below("processors")
    same = partial(lasting, without=NOT_THE_SAME)
    return {
        "date": same({path: dict(document.data) for path, document in documents.items()}),
        "processors": same({name: dict(fields) for name, fields in reports.items()}),
        "started": sorted({started.dispatch_id for started in world.started}),
        "state": world.day().state is PhaseState.DISPATCHED,
        "logged": sorted(world.logged.rows),
    }
