"""Reads the evidence of a run from Firestore, Pub/Sub, BigQuery and the functions' logs."""

import time
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from common import topics
from common.batches.records import CLAIMS, RECEIPTS, UNEXPECTED, Batch, batch_path
from common.consolidation.day_lock import LOCK_TYPE
from common.consolidation.receipt import PROCESSOR as CONSOLIDATION
from common.consolidation.receipt import Receipt
from common.entrypoint.dead_letters import COLLECTION as DEAD_LETTERS
from common.execution_log import TABLE as EXECUTION_LOG
from common.lock.rules import LockKey, LockRecord
from common.messages import PhaseCompletion, PredictionRequest
from common.sport import DatasetRole
from common.topics import REGISTRY
from common.warehouse.warehouse import Warehouse

from ..stack.stack import Stack
from . import taps
from .delivery_log import DeliveryLog
from .evidence import Announced, Evidence
from .judging_sql import SQL
from .rows import RowReader, rule_of

if TYPE_CHECKING:
    from google.pubsub_v1 import PubsubMessage

READ_TIMEOUT_SECONDS = 30.0
"""Of one reading."""
_LOOK_EVERY_SECONDS = 0.2


def gather(
    stack: Stack, batch_id: str, requests: Iterable[PredictionRequest], *, settle_within: timedelta
) -> Evidence:
    """Read everything once; raises what a store raises. Takes the messages out of the tapped subscriptions.

    Nobody may publish completions any more. Those that were published get `settle_within` to be delivered.
    """
    asked = tuple(requests)
    # First what was published, then what was logged of it: an event that is published later has no log to be
    # missed in.
    [completion_events] = taps.drain(stack.subscriber_client, [stack.names.tap(topics.PREDICTION_READY)])
    events = {one.message_id for one in completion_events}
    recorder_log = _settled_log(stack.server("completion_recorder").log, events, settle_within)
    triggers, announced, *dead_letters = _published(stack)
    batches = stack.batches
    batch = batches.get(batch_id).unwrap()
    document = stack.database.document(batch_path(batch_id))
    # No record of ours has it: the batch's own reading does not need it.
    opened_at = document.get(["start_time"], timeout=READ_TIMEOUT_SECONDS).get("start_time")
    rows = RowReader(Warehouse(stack.bigquery), stack.sport_names)
    # Both after the run: nothing moves any more.
    main, left = rows.in_main(batch.game_date), rows.in_staging()
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
        expected=rule_of(asked),
        main=main,
        staging_left={table: len(found) for table, found in left.items()},
        # A key that is merged and staged still is no loss: its table waits for the clean-up.
        unmerged_left=len({row.key for found in left.values() for row in found} - {row.key for row in main}),
        executions=_executions(stack, batch, opened_at),
        recorder_log=recorder_log,
        consolidation_log=DeliveryLog.read(stack.server("consolidation_trigger").log),
    )


def _settled_log(log: Path, events: set[str], within: timedelta) -> DeliveryLog:
    """The log, once all events are in it or time is up: what is missing then is judged as missing."""
    deadline = time.monotonic() + within.total_seconds()
    while True:
        found = DeliveryLog.read(log)
        if events <= found.delivered_events or time.monotonic() > deadline:
            return found
        time.sleep(_LOOK_EVERY_SECONDS)


def _documents(collection: Any) -> list[dict[str, Any]]:
    """All of them, as they are stored, in the order of their names."""
    return [snapshot.to_dict() for snapshot in collection.get(timeout=READ_TIMEOUT_SECONDS)]


def _ids(collection: Any) -> tuple[str, ...]:
    """The names of its documents, in their order."""
    return tuple(snapshot.id for snapshot in collection.get(timeout=READ_TIMEOUT_SECONDS))


def _lock(stack: Stack, batch: Batch) -> LockRecord | None:
    """The day's lock as it is now; None if nobody ever took it. Read as a document: asking the lock itself
    could only say that it is free."""
    names = stack.sport_names
    key = LockKey(
        lock_type=LOCK_TYPE,
        game_date=batch.game_date,
        sport=names.sport.value,
        dataset_prefix=names.dataset_prefix,
    )
    snapshot = (
        stack.database.collection(key.collection).document(key.document_id).get(timeout=READ_TIMEOUT_SECONDS)
    )
    return LockRecord.from_fields(snapshot.to_dict() or {}) if snapshot.exists else None


def _published(stack: Stack) -> "list[list[PubsubMessage]]":
    """Triggers, announcements, then the dead letters of each topic."""
    tapped = map(stack.names.tap, (topics.PREDICTION_BATCH_COMPLETE, topics.PHASE5_PREDICTIONS_COMPLETE))
    return taps.drain(stack.subscriber_client, [*tapped, *map(stack.names.dead_letters, REGISTRY.values())])


def _announced(published: "PubsubMessage") -> Announced:
    """Raises ResultError for a message that its own receivers could not read."""
    return Announced(
        message_id=published.message_id,
        published_at=published.publish_time,
        message=PhaseCompletion.parse(published.data).unwrap(),
    )


def _executions(stack: Stack, batch: Batch, opened_at: datetime) -> int:
    """Rows of the consolidation in the execution log since the batch was opened; raises ResultError."""
    dataset = stack.sport_names.dataset(DatasetRole.ORCHESTRATION)
    sql = SQL.fill("executions", log=f"`{dataset}.{EXECUTION_LOG}`")
    parameters = {"opened_at": opened_at, "game_date": batch.game_date, "processor": CONSOLIDATION}
    return len(Warehouse(stack.bigquery).query(sql, parameters).unwrap().rows)
