import codecs
import json
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from common.message_fields import check_document_id
from common.messages import (
    MESSAGES,
    AuditRequest,
    BatchComplete,
    ExportTrigger,
    Message,
    MessageStatus,
    Phase,
    PhaseCompletion,
    PhaseTrigger,
    PlayerCompletion,
    PlayerOutcome,
    PredictionRequest,
    PredictionsSummary,
    Sweep,
)
from common.result import ErrorInfo, ErrorType
from common.staging.table_names import staging_table
from common.texts import MAX_NAMED

COMPLETION: dict[str, Any] = {
    "batch_id": "batch-1",
    "player_lookup": "lebronjames",
    "game_date": "2026-01-17",
    "predictions_generated": 3,
}
REQUEST = COMPLETION | {"game_id": "0022500001"}
BATCH_COMPLETE: dict[str, Any] = {"batch_id": "batch-1", "game_date": "2026-01-17", "generation": 1}
PHASE_COMPLETION: dict[str, Any] = {
    "processor_name": "consolidation_trigger",
    "phase": "phase_5_predictions",
    "execution_id": "e-1",
    "game_date": "2026-01-17",
    "status": "success",
}
PHASE_TRIGGER: dict[str, Any] = {
    "game_date": "2026-01-17",
    "dispatch_id": "phase_4-2026-01-17-1",
    "trigger_source": "orchestrator",
    "triggered_by": "phase_transitions",
    "trigger_reason": "all_complete",
    "upstream_processors_count": 5,
}
EXPORT_TRIGGER: dict[str, Any] = {
    "target_date": "2026-01-17",
    "export_types": ["predictions"],
    "dispatch_id": "phase_6-2026-01-17-1",
    "trigger_source": "orchestrator",
    "triggered_by": "phase_transitions",
}
VALID: dict[type[Message], dict[str, Any]] = {
    PlayerCompletion: COMPLETION,
    PredictionRequest: REQUEST,
    BatchComplete: BATCH_COMPLETE,
    PhaseCompletion: PHASE_COMPLETION,
    PhaseTrigger: PHASE_TRIGGER,
    ExportTrigger: EXPORT_TRIGGER,
    Sweep: {},
    AuditRequest: {},
}


def refusal(model: type[Message], body: dict[str, Any]) -> ErrorInfo:
    result = model.parse(json.dumps(body).encode())
    assert result.error is not None, f"accepted: {result.data}"
    assert result.error.type is ErrorType.PERMANENT
    return result.error


def fields_named_by(error: ErrorInfo) -> dict[str, str]:
    assert error.details is not None
    return {problem["field"]: problem["value"] for problem in error.details["problems"]}


def test_every_message_has_a_valid_example_here() -> None:
    assert set(VALID) == set(MESSAGES.values())


@pytest.mark.parametrize(("model", "body"), VALID.items(), ids=lambda value: getattr(value, "__name__", ""))
def test_valid_body_is_accepted_and_survives_a_round_trip(model: type[Message], body: dict[str, Any]) -> None:
    message = model.parse(json.dumps(body).encode()).unwrap()

    assert model.parse(message.to_json()).unwrap() == message


@pytest.mark.parametrize(
    ("model", "field"),
    [(model, field) for model, body in VALID.items() for field in body if field in model.model_fields],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_missing_decisive_field_is_named(model: type[Message], field: str) -> None:
    body = {name: value for name, value in VALID[model].items() if name != field}

    assert list(fields_named_by(refusal(model, body))) == [field]


BAD_FIELDS = [
    (PlayerCompletion, "batch_id", ""),
    (PlayerCompletion, "batch_id", "a/b"),
    (PlayerCompletion, "batch_id", "__reserved__"),
    (PlayerCompletion, "batch_id", ".."),
    (PlayerCompletion, "batch_id", "x" * 1501),
    (PlayerCompletion, "batch_id", 7),
    (PlayerCompletion, "player_lookup", ""),
    (PlayerCompletion, "player_lookup", "'-."),
    (PlayerCompletion, "player_lookup", "Ђоковић"),
    (PlayerCompletion, "player_lookup", "x" * 201),
    (PlayerCompletion, "player_lookup", None),
    (PlayerCompletion, "game_date", "17.01.2026"),
    (PlayerCompletion, "game_date", "2026-02-30"),
    (PlayerCompletion, "game_date", "2026-01-17T12:00:00"),
    (PlayerCompletion, "game_date", 1768608000),
    (PlayerCompletion, "predictions_generated", -1),
    (PlayerCompletion, "predictions_generated", "3"),
    (PlayerCompletion, "predictions_generated", 3.0),
    (PlayerCompletion, "predictions_generated", True),
    (PlayerCompletion, "predictions_generated", 2**63),
    (PlayerCompletion, "outcome", "done"),
    (PlayerCompletion, "outcome", "timed_out"),
    (PlayerCompletion, "reason", 5),
    (PlayerCompletion, "staging_table", "a`; DROP TABLE b"),
    (PlayerCompletion, "timestamp", "yesterday"),
    (PlayerCompletion, "correlation_id", "x" * 257),
    (PredictionRequest, "game_id", ""),
    (PredictionRequest, "line_values", ["24.5"]),
    (PredictionRequest, "line_values", [float("nan")]),
    (PredictionRequest, "line_values", [float("inf")]),
    (BatchComplete, "generation", 0),
    (PhaseCompletion, "phase", "phase_7"),
    (PhaseCompletion, "status", "done"),
    (PhaseCompletion, "processor_name", ""),
    (PhaseCompletion, "record_count", -1),
    (PhaseCompletion, "duration_seconds", float("nan")),
    (PhaseCompletion, "metadata", ["no", "object"]),
    (PhaseTrigger, "dispatch_id", ""),
    (PhaseTrigger, "upstream_processors_count", -1),
    (ExportTrigger, "export_types", []),
    (AuditRequest, "repair", "yes"),
]


@pytest.mark.parametrize(("model", "field", "value"), BAD_FIELDS, ids=lambda value: repr(value)[:40])
def test_bad_field_is_named_with_its_value(model: type[Message], field: str, value: object) -> None:
    error = refusal(model, VALID[model] | {field: value})

    (named,) = fields_named_by(error)
    assert named.split(".")[0] == field
    assert model.__name__ in error.message and field in error.message


def test_value_is_told_but_cut_when_it_is_long() -> None:
    named = fields_named_by(refusal(PlayerCompletion, COMPLETION | {"batch_id": "x" * 5000}))

    assert named["batch_id"].startswith("'xxx") and len(named["batch_id"]) < 250


def test_all_bad_fields_are_told_at_once() -> None:
    error = refusal(PlayerCompletion, {"batch_id": "a/b", "predictions_generated": -1, "player_lookup": "!"})

    assert set(fields_named_by(error)) == {"batch_id", "predictions_generated", "player_lookup", "game_date"}


def test_only_the_first_of_very_many_bad_values_are_told() -> None:
    error = refusal(PredictionRequest, REQUEST | {"line_values": ["x"] * 10_000})

    assert error.details is not None
    assert error.details["problem_count"] == 10_000
    assert len(error.details["problems"]) == MAX_NAMED
    assert len(error.message) < 5_000


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"[]", b"null", b"5", b"[" * 10_000], ids=repr)
def test_body_that_is_no_json_object_is_refused(body: bytes) -> None:
    error = PlayerCompletion.parse(body).error

    assert error is not None and error.type is ErrorType.PERMANENT
    assert list(fields_named_by(error)) == ["body"]


@pytest.mark.parametrize("outcome", ["skipped", "failed"])
def test_player_who_is_not_completed_needs_a_reason(outcome: str) -> None:
    assert "reason" in fields_named_by(refusal(PlayerCompletion, COMPLETION | {"outcome": outcome}))
    assert "reason" in fields_named_by(
        refusal(PlayerCompletion, COMPLETION | {"outcome": outcome, "reason": ""})
    )

    explained = COMPLETION | {"outcome": outcome, "reason": "no line"}
    assert PlayerCompletion.parse(json.dumps(explained).encode()).is_success


@pytest.mark.parametrize(
    "half", [{"staging_table": staging_table("batch-1", "w")}, {"staged_rows": 3}], ids=str
)
def test_staging_table_and_rows_come_together(half: dict[str, object]) -> None:
    assert "staged_rows" in fields_named_by(refusal(PlayerCompletion, COMPLETION | half))


def test_legacy_event_is_accepted_and_counts_as_completed() -> None:
    legacy = COMPLETION | {"timestamp": "2026-01-17T22:59:01.123456", "worker_instance": "worker-00042"}

    completion = PlayerCompletion.parse(json.dumps(legacy).encode()).unwrap()

    assert completion.outcome is PlayerOutcome.COMPLETED
    assert completion.staging_table is None and completion.staged_rows is None
    assert completion.timestamp == datetime(2026, 1, 17, 22, 59, 1, 123456, tzinfo=UTC)


def test_spelling_of_a_player_does_not_matter() -> None:
    spelled = COMPLETION | {"player_lookup": "Luka Dončić Jr."}

    assert PlayerCompletion.parse(json.dumps(spelled).encode()).unwrap().player_lookup == "lukadoncicjr"


def test_field_of_a_newer_publisher_is_ignored() -> None:
    assert PlayerCompletion.parse(json.dumps(COMPLETION | {"confidence": 5}).encode()).is_success


def test_message_cannot_be_changed() -> None:
    message = BatchComplete.parse(json.dumps(BATCH_COMPLETE).encode()).unwrap()

    with pytest.raises(ValidationError, match="frozen"):
        message.generation = 2  # type: ignore[misc]


@pytest.mark.parametrize("value", [101.0, -0.1, float("nan")], ids=str)
def test_summary_refuses_an_impossible_percentage(value: float) -> None:
    counts = dict.fromkeys(
        (
            "expected_players",
            "completed_players",
            "skipped_players",
            "failed_players",
            "timed_out_players",
            "completed_predictions",
        ),
        1,
    )

    with pytest.raises(ValidationError, match="completion_pct"):
        PredictionsSummary(batch_id="b", generation=1, completion_pct=value, **counts)


def test_values_of_the_unified_message_are_those_that_its_readers_know() -> None:
    assert {status.value for status in MessageStatus} == {
        "success",
        "partial",
        "no_data",
        "failed",
        "skipped",
    }
    assert [phase.value.split("_")[1] for phase in Phase] == ["1", "2", "3", "4", "5", "6"]


@pytest.mark.parametrize("good", ["a", "a.b", "ü" * 750, "__a", "a__", " "], ids=lambda good: good[:5])
def test_document_id_that_firestore_takes_is_accepted(good: str) -> None:
    assert check_document_id(good) == good


@pytest.mark.parametrize(
    "table",
    [
        "player_prop_predictions_backup",
        "player_prop_predictions",
        staging_table("another", "w"),
        staging_table("bb", "w"),
        "_staging_b",
        "_staging_b_",
        "_gathered_b_1_1",
        "_staging_b_W",
        "_staging_b_q61",
    ],
)
def test_table_that_is_no_staging_table_of_this_very_batch_is_refused(table: str) -> None:
    claim = COMPLETION | {"batch_id": "b", "staging_table": table, "staged_rows": 1}

    assert "staging_table" in fields_named_by(refusal(PlayerCompletion, claim))


def test_table_of_this_batch_is_accepted_whatever_its_id() -> None:
    for batch_id in ("b", "nba-2026-01-17_x", "Ünïque q"):
        claim = COMPLETION | {"batch_id": batch_id, "staging_table": staging_table(batch_id, "w-1")}
        assert PlayerCompletion.parse(json.dumps(claim | {"staged_rows": 1}).encode()).is_success


@pytest.mark.parametrize("field", ["predictions_generated", "staged_rows"])
def test_player_has_a_million_predictions_at_most(field: str) -> None:
    claim = COMPLETION | {"batch_id": "b", "staging_table": staging_table("b", "w"), "staged_rows": 1}

    assert PlayerCompletion.parse(json.dumps(claim | {field: 1_000_000}).encode()).is_success
    for absurd in (-1, 1_000_001, 2**63 - 1, 2**63, 10**100):
        assert field in fields_named_by(refusal(PlayerCompletion, claim | {field: absurd}))


def test_long_reason_is_cut_and_says_so() -> None:
    failed = COMPLETION | {"outcome": "failed", "reason": "é" * 300_000}

    reason = PlayerCompletion.parse(json.dumps(failed).encode()).unwrap().reason

    assert reason is not None and len(reason) == 2_000
    assert reason.startswith("ééé") and reason.endswith("… (cut: 300,000 characters)")


def test_reason_as_long_as_people_read_is_kept() -> None:
    failed = COMPLETION | {"outcome": "failed", "reason": "x" * 2_000}

    assert PlayerCompletion.parse(json.dumps(failed).encode()).unwrap().reason == "x" * 2_000


def test_byte_order_mark_before_a_message_does_not_matter() -> None:
    assert PlayerCompletion.parse(codecs.BOM_UTF8 + json.dumps(COMPLETION).encode()).is_success


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"])
def test_moment_beyond_all_years_is_refused(moment: str) -> None:
    assert "timestamp" in fields_named_by(refusal(PlayerCompletion, COMPLETION | {"timestamp": moment}))


texts = st.text(st.characters(codec="utf-8"), max_size=50)
names = st.from_regex(r"[a-z0-9]{1,20}", fullmatch=True)
counts = st.integers(0, 1_000_000)
dates = st.dates(date(1900, 1, 1))
times = st.datetimes(timezones=st.just(UTC)) | st.none()
ids = st.from_regex(r"[A-Za-z0-9-]{1,40}", fullmatch=True)
common = {"correlation_id": texts | st.none(), "timestamp": times}

tables = st.builds(staging_table, st.just("b-1"), ids)
completions = st.builds(
    PlayerCompletion,
    batch_id=ids,
    player_lookup=names,
    game_date=dates,
    predictions_generated=counts,
    worker_instance=texts | st.none(),
    **common,
) | st.builds(
    PlayerCompletion,
    batch_id=st.just("b-1"),
    player_lookup=names,
    game_date=dates,
    predictions_generated=counts,
    outcome=st.sampled_from([PlayerOutcome.SKIPPED, PlayerOutcome.FAILED]),
    reason=texts.filter(bool),
    staging_table=tables,
    staged_rows=counts,
    **common,
)
requests = st.builds(
    PredictionRequest,
    batch_id=ids,
    player_lookup=names,
    game_date=dates,
    game_id=texts.filter(bool),
    line_values=st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=3).map(tuple),
    is_home=st.booleans() | st.none(),
    **common,
)
batches = st.builds(
    BatchComplete, batch_id=ids, game_date=dates, generation=st.integers(1, 2**63 - 1), **common
)
phases = st.builds(
    PhaseCompletion,
    processor_name=texts.filter(bool),
    phase=st.sampled_from(Phase),
    execution_id=texts.filter(bool),
    game_date=dates,
    status=st.sampled_from(MessageStatus),
    metadata=st.dictionaries(texts, st.integers(-(2**53), 2**53) | texts | st.booleans(), max_size=3),
    skip_downstream=st.booleans(),
    **common,
)


@given(message=completions | requests | batches | phases)
@settings(max_examples=2 * settings().max_examples)
def test_any_message_survives_a_round_trip(message: Message) -> None:
    assert type(message).parse(message.to_json()).unwrap() == message
