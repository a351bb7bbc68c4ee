"""Each way in which counters, documents and rows of a batch can differ: how it comes about, who is named, and
what mends it. One batch has rows; each other difference has a batch of its own, on another date."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from google.cloud import firestore

from common.batches.records import COMPLETIONS, UNEXPECTED
from common.consolidation.day_lock import DayLock
from common.consolidation.main_rows import MainRows
from common.findings import FindingClass, Repair
from common.messages import PlayerOutcome
from tests.support.audit_stack import AuditStack
from tests.support.batch_helpers import GAME_DATE, Published
from tests.support.consolidation_stack import BATCH, NAMES, TABLES, Stack
from tests.support.prediction_rows import prediction

LINES = (24.5, 25.5)
PLAYERS = "abcdefg"
NEXT_DAY = GAME_DATE + timedelta(days=1)
OF_DAY = f"game_date = DATE '{GAME_DATE}'"
OF_COUNTS = ("lost", "double", "missing", "ghost", "contradicting", "predictions")


@dataclass(kw_only=True)
class World:
    """A day with rows, batches of the day after it, and auditors that repair."""

    stack: Stack
    published: Published = field(default_factory=Published)
    audits: AuditStack = field(init=False)

    def __post_init__(self) -> None:
        self.audits = AuditStack(self.stack.batches, self.stack.db, warehouse=self.stack.warehouse)
        day_lock = DayLock(self.stack.lock, NAMES)
        self.audits.main_rows = MainRows(self.stack.warehouse, day_lock, TABLES, self.stack.now)
        self.audits.can_repair(self.published)

    def play(self) -> None:
        """Players with two rows each, one who skipped and one who failed; and three of each other batch."""
        self.stack.open([*PLAYERS, "skipped", "failed"])
        for player in PLAYERS:
            self.stack.complete(player, self.stack.stage(rows_of(player)))
        self.stack.complete("skipped", None, outcome=PlayerOutcome.SKIPPED)
        self.stack.complete("failed", None, outcome=PlayerOutcome.FAILED)
        self.stack.consolidate().unwrap()
        in_an_hour = datetime.now(UTC) + timedelta(hours=1)
        for name in OF_COUNTS:
            asyncio.run(self.audits.play(name, *"abc", game_date=NEXT_DAY, deadline=in_an_hour))
            self.audits.change(name, status="consolidated")

    def come_again(self) -> None:
        """Workers answer what was asked for; the day is consolidated once more, the other batches are not."""
        for request in self.published.requests:
            player, batch_id = request.player_lookup, request.batch_id
            if batch_id == BATCH:
                self.stack.complete(player, self.stack.stage(rows_of(player), worker="w2"))
            else:
                asyncio.run(self.audits.record(batch_id, player, game_date=NEXT_DAY))
        self.stack.consolidate(generation=self.stack.batches.get(BATCH).unwrap().generation).unwrap()

    def execute(self, statement: str) -> None:
        self.stack.warehouse.execute(statement.replace("{main}", f"`{TABLES.main}`")).unwrap()

    def document(self, batch_id: str, player: str, below: str = COMPLETIONS) -> firestore.DocumentReference:
        found: firestore.DocumentReference = self.audits.ref(batch_id).collection(below).document(player)
        return found


Change = Callable[[World], Any]


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One of them."""

    finding_class: FindingClass
    scope: str
    players: tuple[str, ...] = ()
    make: Change
    repair: Repair


def rows_of(player: str) -> list[dict[str, Any]]:
    return [prediction(player, current_points_line=line) for line in LINES]


def _record_a_stranger(world: World) -> None:
    fields = {"player_lookup": "zoe", "outcome": "completed", "predictions_count": 0, "event_id": "x"}
    world.document("ghost", "zoe").set(fields)


def _change(batch_id: str, **fields: int) -> Change:
    increments = {name: firestore.Increment(by) for name, by in fields.items()}
    return lambda world: world.audits.change(batch_id, **increments)


def _sql(*statements: str) -> Change:
    def execute(world: World) -> None:
        for each in statements:
            world.execute(each)

    return execute


_INSERT_A_STRANGER = (
    "INSERT INTO {main} (prediction_id, system_id, player_lookup, game_date, game_id, predicted_points, "
    "confidence_score, recommendation, prediction_version, is_active, created_at, updated_at) VALUES ('x', "
    f"'s', 'zoe', DATE '{GAME_DATE}', 'g', 1, 1, 'OVER', 1, TRUE, TIMESTAMP '2026-01-17 00:00:00', "
    "TIMESTAMP '2026-01-17 00:00:00')"
)

DIFFERENCES = (
    Difference(
        finding_class=FindingClass.LOST_INCREMENT,
        scope="lost",
        make=_change("lost", completed_count=-1),
        repair=Repair.RECOMPUTE_COUNTERS,
    ),
    Difference(
        finding_class=FindingClass.DOUBLE_INCREMENT,
        scope="double",
        make=_change("double", completed_count=1),
        repair=Repair.RECOMPUTE_COUNTERS,
    ),
    Difference(
        finding_class=FindingClass.LOST_INCREMENT,
        scope="predictions",
        make=_change("predictions", total_predictions_subcoll=-5),
        repair=Repair.RECOMPUTE_COUNTERS,
    ),
    Difference(
        finding_class=FindingClass.CONTRADICTING_OUTCOMES,
        scope="contradicting",
        make=_change("contradicting", completed_count=-1, failed_count=1),
        repair=Repair.RECOMPUTE_COUNTERS,
    ),
    Difference(
        finding_class=FindingClass.GHOST_MARKER,
        scope="ghost",
        players=("zoe",),
        make=_record_a_stranger,
        repair=Repair.RECOMPUTE_COUNTERS,
    ),
    Difference(
        finding_class=FindingClass.MISSING_MARKER,
        scope="missing",
        players=("b",),
        make=lambda world: world.document("missing", "b").delete(),
        repair=Repair.REDRIVE_MISSING,
    ),
    Difference(
        finding_class=FindingClass.MISSING_MARKER,
        scope=BATCH,
        players=("f",),
        make=lambda world: world.document(BATCH, "f").delete(),
        repair=Repair.REDRIVE_MISSING,
    ),
    Difference(
        finding_class=FindingClass.MISSING_ROW,
        scope=BATCH,
        players=("b", "c"),
        make=_sql(
            f"DELETE FROM {{main}} WHERE {OF_DAY} AND player_lookup = 'b'",
            f"DELETE FROM {{main}} WHERE {OF_DAY} AND player_lookup = 'c' AND current_points_line = 24.5",
        ),
        repair=Repair.REDRIVE_MISSING,
    ),
    Difference(
        finding_class=FindingClass.GHOST_ROW,
        scope=BATCH,
        players=("zoe",),
        make=_sql(_INSERT_A_STRANGER),
        repair=Repair.REPLACE_ROWS,
    ),
    Difference(
        finding_class=FindingClass.DUPLICATE_ROW,
        scope=BATCH,
        players=("a",),
        make=_sql(f"INSERT INTO {{main}} SELECT * FROM {{main}} WHERE {OF_DAY} AND player_lookup = 'a'"),
        repair=Repair.REPLACE_ROWS,
    ),
    Difference(
        finding_class=FindingClass.MODIFIED_ROW,
        scope=BATCH,
        players=("d",),
        make=_sql(
            "UPDATE {main} SET predicted_points = 99, updated_at = TIMESTAMP '2099-01-01 00:00:00' "
            f"WHERE {OF_DAY} AND player_lookup = 'd'"
        ),
        repair=Repair.REPLACE_ROWS,
    ),
    Difference(
        finding_class=FindingClass.BROKEN_ROW_RULE,
        scope=GAME_DATE.isoformat(),
        players=("e",),
        make=_sql(f"UPDATE {{main}} SET confidence_score = 150 WHERE {OF_DAY} AND player_lookup = 'e'"),
        repair=Repair.REPLACE_ROWS,
    ),
)


def put_aside(world: World) -> dict[str, Any]:
    """What is kept of the stranger's document."""
    return world.document("ghost", "zoe", UNEXPECTED).get().to_dict() or {}
