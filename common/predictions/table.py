"""The predictions table: its columns, its business key and its rules. Staging, MERGE, audit and DDL have
all of it from here.

What BigQuery cannot enforce (it has no CHECK constraints and no unique keys) is checked before loading and
proved after merging.
"""

from collections.abc import Mapping
from typing import Final

from ..player_names import LOOKUP_PATTERN
from .columns import Column, Matches, Mode, NotEmpty, OneOf, RequestSource, Rule, Within

TABLE: Final = "player_prop_predictions"
PARTITION_COLUMN: Final = "game_date"
"""Every statement on the main table names a day: the table requires a partition filter."""
CLUSTERING: Final = ("system_id", "player_lookup", "game_id")
"""In this order; what queries filter by. BigQuery has no index that the merge would use."""

ITEM: Final = "player_lookup"
"""Whom or what a row predicts: the batch's items, of which completions tell in their `player_lookup`. Part of
the key."""

KEY: Final = ("game_id", "player_lookup", "system_id", "current_points_line")
"""What makes two rows of a day the same prediction. The line is exact (24.5 is not 25.0) and may be NULL."""

ORDER: Final = ("created_at", "prediction_id")
"""Which of two rows with the same key counts: the greater. Total, because a `prediction_id` is never reused
for another prediction."""

CHANGED_AT: Final = "updated_at"
"""Set by the consolidation alone: when the row last changed in the main table."""

RULES: Final[Mapping[str, Rule]] = {
    "confidence_score": Within(minimum=0, maximum=100),
    "predicted_points": Within(minimum=0),
    "recommendation": OneOf(values=frozenset({"OVER", "UNDER", "PASS", "NO_LINE"})),
    ITEM: Matches(pattern=LOOKUP_PATTERN),
    "game_id": NotEmpty(),
    "system_id": NotEmpty(),
    "prediction_id": NotEmpty(),
}
"""By column: what is checked before loading, and looked for by the audit."""

REQUESTED_FROM: Final = RequestSource(
    table="upcoming_player_game_context",
    item="player_lookup",
    day="game_date",
    subject="game_id",
    newest_by="processed_at",
)
"""Where a redrive finds what a prediction was asked for."""

REQUIRED, REPEATED = Mode.REQUIRED, Mode.REPEATED


def _text(name: str, mode: Mode = Mode.NULLABLE) -> Column:
    return Column(name=name, type="STRING", mode=mode)


def _decimal(name: str, precision: int, scale: int, mode: Mode = Mode.NULLABLE) -> Column:
    return Column(name=name, type="NUMERIC", mode=mode, precision=precision, scale=scale)


def _plain(type_name: str, *names: str) -> tuple[Column, ...]:
    return tuple(Column(name=name, type=type_name) for name in names)


COLUMNS: Final[tuple[Column, ...]] = (
    # Identity
    _text("prediction_id", REQUIRED),
    _text("system_id", REQUIRED),
    _text("player_lookup", REQUIRED),
    _text("universal_player_id"),
    Column(name="game_date", type="DATE", mode=REQUIRED),
    _text("game_id", REQUIRED),
    Column(name="prediction_version", type="INT64", mode=REQUIRED),
    # The prediction
    _decimal("predicted_points", 5, 1, REQUIRED),
    _decimal("confidence_score", 5, 2, REQUIRED),
    _text("recommendation", REQUIRED),
    *_plain("BOOL", "has_prop_line", "is_actionable"),
    _text("filter_reason"),
    # What it is made of
    _decimal("similarity_baseline", 5, 1),
    *(
        _decimal(f"{name}_adjustment", 5, 2)
        for name in (
            "fatigue",
            "shot_zone",
            "referee",
            "look_ahead",
            "pace",
            "usage_spike",
            "home_away",
            "tier",
        )
    ),
    _decimal("other_adjustments", 5, 2),
    _decimal("adjusted_points", 5, 1),
    _text("scoring_tier"),
    # What it rests on
    *_plain("INT64", "similar_games_count"),
    _decimal("avg_similarity_score", 5, 2),
    _decimal("min_similarity_score", 5, 2),
    _decimal("line_margin", 5, 2),
    _decimal("current_points_line", 4, 1),
    *_plain("STRING", "ml_model_id", "model_version"),
    # Where the line comes from
    _text("line_source"),
    _decimal("estimated_line_value", 4, 1),
    *_plain("STRING", "estimation_method", "line_source_api", "sportsbook"),
    *_plain("BOOL", "was_line_fallback"),
    *_plain("INT64", "line_minutes_before_game"),
    # Several systems
    _decimal("prediction_variance", 5, 2),
    _decimal("system_agreement_score", 5, 2),
    *_plain("INT64", "contributing_systems"),
    # Free form
    *_plain("JSON", "key_factors", "warnings", "feature_importance"),
    # Completeness of the features
    *_plain("INT64", "expected_games_count", "actual_games_count", "missing_games_count"),
    *_plain("FLOAT64", "completeness_percentage"),
    *_plain("BOOL", "is_production_ready"),
    _text("data_quality_issues", REPEATED),
    *_plain("TIMESTAMP", "last_reprocess_attempt_at"),
    *_plain("INT64", "reprocess_attempt_count"),
    *_plain("BOOL", "circuit_breaker_active"),
    *_plain("TIMESTAMP", "circuit_breaker_until"),
    *_plain("BOOL", "manual_override_required", "season_boundary_detected", "backfill_bootstrap_mode"),
    _text("processing_decision_reason"),
    # Status
    Column(name="is_active", type="BOOL", mode=REQUIRED),
    _text("superseded_by"),
    # Injuries as known at the time
    _text("injury_status_at_prediction"),
    *_plain("BOOL", "injury_flag_at_prediction"),
    _text("injury_reason_at_prediction"),
    *_plain("TIMESTAMP", "injury_checked_at"),
    # Times
    Column(name="created_at", type="TIMESTAMP", mode=REQUIRED),
    *_plain("TIMESTAMP", "updated_at"),
)
"""In the order of the table's DDL. A column is added here and in `infra/sql`, the main table first:
staging tables are made from this, and a merge refuses a staging column that the definition does not know."""

BY_NAME: Final[Mapping[str, Column]] = {column.name: column for column in COLUMNS}

DEFAULTS: Final[Mapping[str, bool | int]] = {
    "prediction_version": 1,
    "has_prop_line": True,
    "was_line_fallback": False,
    "is_active": True,
}
"""What a row that leaves the column out is taken to mean."""
