"""Reads the evidence of a run from Firestore, Pub/Sub, BigQuery and the functions' logs."""

import time
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from common import staging_names, topics
from common.batch_records import CLAIMS, RECEIPTS, UNEXPECTED, Batch
from common.batches import Batches
from common.consolidation import LOCK_TYPE
from common.dead_letters import COLLECTION as DEAD_LETTERS
from common.execution_log import TABLE as EXECUTION_LOG
from common.lock_rules import Claim, LockKey
from common.merge_sql import Tables
from common.messages import PhaseCompletion, PredictionRequest
from common.receipts import Receipt
from common.row_rules import Row
from common.sport import DatasetRole
from common.topics import REGISTRY
from common.warehouse import Warehouse

from . import taps
from .delivery_log import DeliveryLog
from .evidence import Announced, Evidence, Key, Prediction
from .predicting import is_skipped, predict
from .stack import Stack

if TYPE_CHECKING:
    from google.pubsub_v1 import PubsubMessage

READ_TIMEOUT_SECONDS = 30.0
_LOOK_EVERY_SECONDS = 0.2


def gather(
    stack: Stack, batch_id: str, requests: Iterable[PredictionRequest], *, settle_within: timedelta
) -> Evidence:
    """Read everything once; raises what a store raises. Takes the messages out of the tapped subscriptions.

    Nobody may publish completions any more. Those that were published get `settle_within` to be delivered.
    """
    asked = tuple(requests)
    [completion_events] = taps.drain(stack.subscriber_client, [stack.names.tap(topics.PREDICTION_READY)])
    events = {one.message_id for one in completion_events}
    recorder_log = _settled_log(stack.server("completion_recorder").log, events, settle_within)
    triggers, announced, *dead_letters = _published(stack)
    batches = Batches(stack.database)
    batch = batches.get(batch_id).unwrap()
    document = batches.store.ref(batch_id)
    opened_at = document.get(["start_time"], timeout=READ_TIMEOUT_SECONDS).get("start_time")
    main = _main(stack, batch)
    left = _staging_left(stack)
    return Evidence(
        requests=asked,
        batch=batch,
        opened_at=opened_at,
        completions=tuple(batches.completions(batch_id).unwrap()),
        unexpected_players=_ids(document.collection(UNEXPECTED)),
        closing_claims=_ids(document.collection(CLAIMS)),
        receipts=tuple(Receipt.from_document(found) for found in _documents(document.collection(RECEIPTS))),
        lock=_lock(stack, batch),
        dead_letters=tuple(found["reason"] for found in _documents(stack.database.collection(DEAD_LETTERS))),
        completion_events=len(events),
        triggers=tuple(one.message_id for one in triggers),
        announced=tuple(map(_announced, announced)),
        dead_letter_messages=sum(map(len, dead_letters)),
        expected=expected_predictions(asked),
        main=main,
        staging_left={table: len(keys) for table, keys in left.items()},
        unmerged_left=len({key for keys in left.values() for key in keys} - {row.key for row in main}),
        executions=_executions(stack, batch, opened_at),
        recorder_log=recorder_log,
        consolidation_log=DeliveryLog.read(stack.server("consolidation_trigger").log),
    )


def _settled_log(log: Path, events: set[str], within: timedelta) -> DeliveryLog:
    """The log, once all events are in it or time is up."""
    deadline = time.monotonic() + within.total_seconds()
    while True:
        found = DeliveryLog.read(log)
        if events <= found.delivered_events or time.monotonic() > deadline:
            return found
        time.sleep(_LOOK_EVERY_SECONDS)


def _documents(collection: Any) -> list[dict[str, Any]]:
    return [snapshot.to_dict() for snapshot in collection.get(timeout=READ_TIMEOUT_SECONDS)]


def _ids(collection: Any) -> tuple[str, ...]:
    return tuple(snapshot.id for snapshot in collection.get(timeout=READ_TIMEOUT_SECONDS))


def _lock(stack: Stack, batch: Batch) -> Claim | None:
    key = LockKey(lock_type=LOCK_TYPE, game_date=batch.game_date, sport=stack.sport.value)
    snapshot = (
        stack.database.collection(key.collection).document(key.document_id).get(timeout=READ_TIMEOUT_SECONDS)
    )
    return Claim.from_fields(snapshot.to_dict() or {}) if snapshot.exists else None


def _published(stack: Stack) -> "list[list[PubsubMessage]]":
    """Triggers, announcements, then the dead letters of each topic."""
    tapped = map(stack.names.tap, (topics.PREDICTION_BATCH_COMPLETE, topics.PHASE5_PREDICTIONS_COMPLETE))
    return taps.drain(stack.subscriber_client, [*tapped, *map(stack.names.dead_letters, REGISTRY.values())])


def _announced(published: "PubsubMessage") -> Announced:
    return Announced(
        message_id=published.message_id,
        published_at=published.publish_time,
        message=PhaseCompletion.parse(published.data).unwrap(),
    )


def expected_predictions(requests: Iterable[PredictionRequest]) -> frozenset[Prediction]:
    """What the workers' rule makes of the requests."""
    asked = (request for request in requests if not is_skipped(request.player_lookup))
    return frozenset(_prediction(row) for request in asked for row in predict(request))


def _tables(stack: Stack) -> Tables:
    return Tables(predictions=stack.sport_names.dataset(DatasetRole.PREDICTIONS))


def _main(stack: Stack, batch: Batch) -> tuple[Prediction, ...]:
    sql = f"SELECT * FROM `{_tables(stack).main}` WHERE game_date = @game_date"
    asked = Warehouse(stack.bigquery).query(sql, {"game_date": batch.game_date})
    return tuple(_prediction(row) for row in asked.unwrap().rows)


def _staging_left(stack: Stack) -> Mapping[str, list[Key]]:
    warehouse, tables = Warehouse(stack.bigquery), _tables(stack)
    left = [
        table.name
        for prefix in (staging_names.PREFIX, staging_names.GATHERED_PREFIX)
        for table in warehouse.list_tables(tables.predictions, prefix).unwrap()
    ]
    return {
        name: [
            _prediction(row).key
            for row in warehouse.query(f"SELECT * FROM `{tables.path(name)}`").unwrap().rows
        ]
        for name in left
    }


def _executions(stack: Stack, batch: Batch, opened_at: datetime) -> int:
    table = f"{stack.sport_names.dataset(DatasetRole.ORCHESTRATION)}.{EXECUTION_LOG}"
    sql = f"SELECT execution_id FROM `{table}` WHERE started_at >= @opened_at AND game_date = @game_date"
    parameters = {"opened_at": opened_at, "game_date": batch.game_date}
    return len(Warehouse(stack.bigquery).query(sql, parameters).unwrap().rows)


def _prediction(row: Row) -> Prediction:
    line = row["current_points_line"]
    return Prediction(
        key=Key(
            game_id=row["game_id"],
            player_lookup=row["player_lookup"],
            system_id=row["system_id"],
            current_points_line=None if line is None else Decimal(str(line)),
        ),
        prediction_id=row["prediction_id"],
        predicted_points=Decimal(str(row["predicted_points"])),
        confidence_score=Decimal(str(row["confidence_score"])),
        recommendation=row["recommendation"],
    )
