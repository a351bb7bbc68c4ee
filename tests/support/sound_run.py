"""The evidence of a run in which every promise was kept, with parts replaced as a test wants them."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from common.batches.completion import Completion
from common.batches.records import Batch, BatchStatus, Counts
from common.consolidation.receipt import Receipt
from common.lock.rules import RELEASED, LockRecord
from common.messages import MessageStatus, Phase, PhaseCompletion, PlayerOutcome
from common.schema_mode import SchemaMode
from common.sport import Sport
from local.day.players import first_players
from local.day.predicting import is_skipped, predict
from local.day.slate import Slate
from local.judging.delivery_log import DeliveryLog
from local.judging.evidence import Announced, Evidence
from local.judging.rows import rule_of

BATCH_ID = "batch_2026-01-17_1768690800"
DAY = date(2026, 1, 17)
OPENED_AT = datetime(2026, 1, 17, 23, tzinfo=UTC)
SLATE = Slate(sport=Sport.NBA, game_date=DAY, players=tuple(first_players(30)))


def sound_run(**parts: Any) -> Evidence:
    """All is well but what `parts` replace."""
    requests = tuple(SLATE.requests(BATCH_ID, OPENED_AT))
    rows = rule_of(requests)
    evidence = Evidence(
        requests=requests,
        batch=batch(),
        opened_at=OPENED_AT,
        completions=completions(),
        unexpected_players=(),
        closing_claims=("closed-1",),
        receipts=(receipt(len(rows)),),
        lock=lock(),
        dead_letters=(),
        completion_events=36,
        triggers=("t1",),
        announced=(announced(len(rows)),),
        dead_letter_messages=0,
        expected=rows,
        main=tuple(rows),
        staging_left={},
        unmerged_left=0,
        executions=1,
        recorder_log=DeliveryLog(actions=()),
        consolidation_log=DeliveryLog(actions=()),
    )
    return replace(evidence, **parts)


def completions() -> tuple[Completion, ...]:
    return tuple(
        Completion(
            player_lookup=request.player_lookup,
            outcome=PlayerOutcome.SKIPPED if is_skipped(request.player_lookup) else PlayerOutcome.COMPLETED,
            predictions_count=0 if is_skipped(request.player_lookup) else len(predict(request)),
            event_id=str(number),
            completed_at=OPENED_AT + timedelta(seconds=number),
        )
        for number, request in enumerate(SLATE.requests(BATCH_ID, OPENED_AT))
    )


def batch(**fields: Any) -> Batch:
    outcomes = Counter(one.outcome for one in completions())
    known: Mapping[str, Any] = {
        "batch_id": BATCH_ID,
        "game_date": DAY,
        "expected_players": len(SLATE.players),
        "schema_mode": SchemaMode.SUBCOLLECTION,
        "status": BatchStatus.CONSOLIDATED,
        "counts": Counts(
            completed=outcomes[PlayerOutcome.COMPLETED], skipped=outcomes[PlayerOutcome.SKIPPED]
        ),
        "total_predictions": sum(one.predictions_count for one in completions()),
        "generation": 1,
        "trigger_message_id": "t1",
        "trigger_generation": 1,
        "consolidated_generation": 1,
        "phase_message_id": "p1",
        "phase_generation": 1,
    }
    return Batch(**{**_UNSEEN, **known, **fields})


_UNSEEN: Mapping[str, Any] = {
    **{name: None for name in Batch.__dataclass_fields__},
    "update_time": OPENED_AT,
    "read_time": OPENED_AT,
}


def receipt(rows: int, **fields: Any) -> Receipt:
    known: Mapping[str, Any] = {
        **{name: 0 for name in Receipt.__dataclass_fields__},
        "batch_id": BATCH_ID,
        "generation": 1,
        "fence": 1,
        "tables": ("_staging_a", "_staging_b"),
        "keys_staged": rows,
        "keys_in_main": rows,
        "started_at": OPENED_AT + timedelta(seconds=40),
        "consolidated_at": OPENED_AT + timedelta(seconds=41),
    }
    return Receipt(**{**known, **fields})


def lock(**fields: Any) -> LockRecord:
    claim = LockRecord(
        lock_type="consolidation",
        lock_key="consolidation_2026-01-17",
        operation_id=BATCH_ID,
        holder_id="holder",
        fence=1,
        state=RELEASED,
        acquired_at=OPENED_AT,
        renewed_at=OPENED_AT,
        expires_at=OPENED_AT + timedelta(seconds=300),
    )
    return replace(claim, **fields)


def announced(rows: int, **fields: Any) -> Announced:
    known: Mapping[str, Any] = {
        "processor_name": "prediction_consolidation",
        "phase": Phase.PREDICTIONS,
        "execution_id": f"{BATCH_ID}-1",
        "game_date": DAY,
        "status": MessageStatus.SUCCESS,
        "record_count": rows,
        "metadata": {"completed_predictions": rows, "completion_pct": 100.0},
    }
    message = PhaseCompletion(**{**known, **fields})
    return Announced(message_id="p1", published_at=OPENED_AT + timedelta(seconds=42), message=message)
