"""A crash, or a lost answer, at every I/O step of a consolidation: the end is that of an undisturbed one.

The steps are met where they leave the function: Firestore's calls on the wire, those of the warehouse and of
the publisher at their doors. The test prints its matrix: a row per step, a column per fault.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from google.cloud import firestore

from common.batches.batches import Batches
from common.consolidation.consolidator import Consolidator
from common.consolidation.day_lock import LOCK_TYPE
from common.consolidation.receipt import Receipt
from common.documents.store import FirestoreDocuments
from common.lock.lock import Lock
from common.messages import BatchComplete, Message, PhaseCompletion
from common.result import LOCK_HELD, ErrorInfo, Result
from common.staging.table_names import PREFIX, parse_gathered
from common.topics import Topic
from common.warehouse.warehouse import Warehouse
from functions.consolidation_trigger.handler import handle
from tests.support.batch_helpers import Published
from tests.support.consolidation_stack import NAMES, TABLES, Stack
from tests.support.grpc_server import serving
from tests.support.io_steps import Broken, Fault, IoSteps
from tests.support.matrix import difference
from tests.support.prediction_rows import prediction

FAULTS = (Fault.CRASH_AFTER, Fault.LOST_ANSWER)
"""A crash before a step is a crash after the one before it."""
READS = ("BatchGetDocuments", "RunQuery", "look", "list_tables")
"""After these the world is as it was before: a crash there is the crash after the last write."""
WRITES = ("Commit", "execute CREATE", "execute MERGE", "execute INSERT", "delete_table", "Publish")
SAME, OK = "same", "ok"
MAX_DELIVERIES = 5
PLAYERS = ("a", "b")


class StepWarehouse:
    """A warehouse whose every call is a step, whatever calls there are."""

    def __init__(self, steps: IoSteps, warehouse: Warehouse) -> None:
        self._steps = steps
        self._warehouse = warehouse

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._warehouse, name)

        def call(*args: Any, **options: Any) -> Result[Any]:
            return _step(self._steps, _title(name, args), lambda: method(*args, **options))

        return call


class StepPublisher:
    """A publisher whose every publish is a step."""

    def __init__(self, steps: IoSteps, published: Published) -> None:
        self._steps = steps
        self._published = published

    def publish(self, topic: Topic, message: Message) -> Result[str]:
        return _step(self._steps, "Publish", lambda: self._published.publish(topic, message))


def _step(steps: IoSteps, name: str, action: Any) -> Result[Any]:
    try:
        answer: Result[Any] = steps.run(name, action)
        return answer
    except Broken as exc:
        return Result.failure(ErrorInfo.transient("Broken", str(exc)))


def _title(name: str, args: tuple[Any, ...]) -> str:
    """`execute MERGE`: the call, and of a statement what it does."""
    if name != "execute":
        return name
    words = ("MERGE", "CREATE", "INSERT", "SELECT")
    return f"{name} {next(word for word in words if word in args[0])}"


@dataclass(frozen=True, kw_only=True)
class World:
    """One complete batch, on a day of its own."""

    stack: Stack
    steps: IoSteps
    batch_id: str
    day: date
    published: Published

    def deliver(self) -> Result[Receipt]:
        """The trigger reaches a new instance."""
        db = firestore.Client(project=self.stack.project)
        batches = Batches(FirestoreDocuments(db))
        consolidator = Consolidator(
            warehouse=StepWarehouse(self.steps, self.stack.warehouse),  # type: ignore[arg-type]
            batches=batches,
            lock=Lock(db),
            names=NAMES,
            now=self.stack.now,
        )
        result = handle(
            BatchComplete(batch_id=self.batch_id, game_date=self.day, generation=1),
            "event-1",
            consolidator=consolidator,
            batches=batches,
            publisher=StepPublisher(self.steps, self.published),
            dataset=TABLES.predictions,
        )
        db.close()
        return result

    def let_the_lease_expire(self) -> None:
        past = datetime.now(UTC) - timedelta(seconds=1)
        lock = self.stack.db.document(f"{LOCK_TYPE}_locks/{LOCK_TYPE}_{self.day}")
        if lock.get().exists:
            lock.update({"expires_at": past})


@pytest.mark.timeout(900)  # some forty consolidations, each recovered
def test_every_crash_and_every_lost_answer_ends_like_an_undisturbed_consolidation(
    stack: Stack, firestore_host: str, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    steps = IoSteps(firestore_host)
    with serving(steps) as address:
        monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", address)
        calm = prepared(stack, steps, 0)
        steps.arm(-1, Fault.CRASH_AFTER)
        calm.deliver().unwrap()
        names = tuple(steps.names)
        recovered = {
            (step, fault): world_after(stack, steps, step, fault)
            for step, name in enumerate(names)
            for fault in FAULTS
            if fault is not Fault.CRASH_AFTER or name not in READS
        }

    tables = EndTables.of(stack)
    wanted = state(calm, tables)
    rows = [
        (name, [verdict(recovered.get((step, fault)), tables, wanted) for fault in FAULTS])
        for step, name in enumerate(names)
    ]
    show(capsys, rows)
    assert all(cell in (OK, SAME) for _, row in rows for cell in row)
    assert set(names) == {*READS, *WRITES}


def world_after(stack: Stack, steps: IoSteps, step: int, fault: Fault) -> World:
    """One whose consolidation met the fault and was delivered again until it succeeded."""
    world = prepared(stack, steps, 1 + 2 * step + FAULTS.index(fault))
    steps.arm(step, fault)
    world.deliver()
    steps.revive()
    recover(world)
    return world


def verdict(world: World | None, tables: "EndTables", wanted: Mapping[str, Any]) -> str:
    """`ok`, or what differs from the undisturbed end; `same` for what is tried as another crash."""
    return SAME if world is None else difference(wanted, state(world, tables)) or OK


def prepared(stack: Stack, steps: IoSteps, number: int) -> World:
    steps.revive()
    day = date(2026, 1, 1) + timedelta(days=number)
    batch_id = f"batch{number}"
    stack.play(
        {player: [prediction(player, game_date=day)] for player in PLAYERS},
        worker=lambda player: f"worker-{player}",
        batch_id=batch_id,
        game_date=day,
    )
    return World(
        stack=stack,
        steps=steps,
        batch_id=batch_id,
        day=day,
        published=Published(),
    )


def recover(world: World) -> None:
    """Deliver again until it succeeds; a dead holder's lease expires, a live one's has been released."""
    for _ in range(MAX_DELIVERIES):
        result = world.deliver()
        if result.is_success:
            return
        if result.error is not None and result.error.exception_class == LOCK_HELD:
            world.let_the_lease_expire()
    raise AssertionError(f"not consolidated by {MAX_DELIVERIES} deliveries: {result}")


@dataclass(frozen=True, kw_only=True)
class EndTables:
    """What the warehouse holds of all worlds: asked once, for it is the emulator that takes the time."""

    main: Sequence[Mapping[str, Any]]
    fences: Sequence[Mapping[str, Any]]
    log: Sequence[Mapping[str, Any]]
    staging: Sequence[str]

    @staticmethod
    def of(stack: Stack) -> "EndTables":
        return EndTables(
            main=stack.rows_of_all_days(TABLES.main),
            fences=stack.rows_of_all_days(TABLES.fences),
            log=stack.log_rows(),
            staging=stack.staging_tables(),
        )


def state(world: World, tables: EndTables) -> dict[str, Any]:
    """The end, without what may differ: times, fences, and how often the same announcement was made."""
    batch = world.stack.batches.get(world.batch_id).unwrap()
    [receipt] = world.stack.receipts(world.batch_id)
    announced = {_announcement(message) for message in world.published.messages}
    fences = [row["fence"] for row in tables.fences if row["game_date"] == world.day]
    mine = [row for row in tables.log if row["execution_id"] == f"{world.batch_id}-1"]
    rows = [row for row in tables.main if row["game_date"] == world.day]
    return {
        "rows": [_timeless(row) for row in sorted(rows, key=lambda row: str(row["player_lookup"]))],
        "status": batch.status,
        "generations": (batch.consolidated_generation, batch.phase_generation),
        "receipt": {key: receipt[key] for key in ("rows_staged", "keys_in_main", "duplicate_keys")},
        "announcements": len(announced),
        "staging tables": [name for name in tables.staging if name.startswith(f"{PREFIX}{world.batch_id}_")],
        "gathered tables": [name for name in tables.staging if _is_gathered(name, world.batch_id)],
        "log": [(row["status"], row["record_count"]) for row in mine],
        "fence rows": len(fences),
        "fence": fences[0] >= receipt["fence"],
    }


def _is_gathered(name: str, batch_id: str) -> bool:
    """By whatever holder, dead ones included."""
    gathered = parse_gathered(name)
    return gathered is not None and gathered.batch_id == batch_id


def _announcement(message: Message) -> str:
    assert isinstance(message, PhaseCompletion)
    return f"{message.execution_id} {message.status} {message.record_count} {message.metadata}"


def _timeless(row: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key not in ("updated_at", "game_date")}


def show(capsys: Any, rows: list[tuple[str, list[str]]]) -> None:
    with capsys.disabled():
        print(f"\nconsolidation: {len(rows)} I/O steps, then {' | '.join(fault.value for fault in FAULTS)}")
        for number, (name, row) in enumerate(rows, start=1):
            cells = " | ".join(f"{cell if cell in (OK, SAME) else 'BROKEN':^11}" for cell in row)
            print(f"{number:2} {name:20} {cells}")
            for cell in row:
                if cell not in (OK, SAME):
                    print(f"   {cell}")
