"""The phases of an NBA day: processors, tables, gates and waits, as the publishers name them.

The date is over the morning after; today and tomorrow have schedule, odds and contexts, but no results.
"""

from datetime import time
from typing import Final

from ..sport import DatasetRole
from .mode import UPCOMING, Mode
from .shape import Boundary, Coverage, Deadline, ModeRules, RowCounts, Table, Tier

SCHEDULE: Final = Table(role=DatasetRole.RAW, name="nbac_schedule")


def _tables(role: DatasetRole, *names: str, date_column: str = "game_date") -> tuple[Table, ...]:
    """Tables of one dataset with the same date column."""
    return tuple(Table(role=role, name=name, date_column=date_column) for name in names)


def _covers(role: DatasetRole, table: str, min_pct: float) -> Coverage:
    """The table has at least `min_pct` percent of the games that the schedule has for the date."""
    return Coverage(
        name="games_covered",
        table=Table(role=role, name=table),
        schedule=SCHEDULE,
        column="game_id",
        min_pct=min_pct,
    )


def _entities(*processors: str) -> dict[str, tuple[str, ...]]:
    """The team tables tell of teams, all others of players."""
    teams = tuple(name for name in processors if "team" in name.split("_"))
    return {"players": tuple(name for name in processors if name not in teams), "teams": teams}


_RAW_PLAYED: Final = (
    "nbac_schedule",
    "nbac_gamebook_player_stats",
    "bdl_player_boxscores",
    "odds_api_game_lines",
)

RAW: Final = Boundary(
    name="phase2_to_phase3",
    phase=2,
    next_phase=3,
    completes_on="PHASE2_RAW_COMPLETE",
    dispatches_to="PHASE3_TRIGGER",
    triggered_by="phase2_to_phase3_orchestrator",
    parent_processor="Phase2Orchestrator",
    # Publishers use both spellings.
    aliases={"bdl_player_box_scores": "bdl_player_boxscores", "br_rosters": "br_rosters_current"},
    entities=_entities(*_RAW_PLAYED, "bigdataball_play_by_play", "br_rosters_current"),
    modes={
        Mode.OVERNIGHT: ModeRules(
            expected=_RAW_PLAYED,
            critical=("nbac_schedule", "nbac_gamebook_player_stats"),
            optional=("bigdataball_play_by_play", "br_rosters_current"),
            tiers=(
                Tier(reason="tier2_timeout", after_minutes=60, at_least=3),
                Tier(reason="max_timeout", after_minutes=240, at_least=1),
            ),
            gates=(
                RowCounts(
                    name="raw_rows",
                    tables=_tables(DatasetRole.RAW, *_RAW_PLAYED),
                    required=("nbac_schedule", "nbac_gamebook_player_stats"),
                    at_least=2,
                ),
                _covers(DatasetRole.RAW, "nbac_gamebook_player_stats", 80),
            ),
            deadline=Deadline(days_after=1, at=time(8)),
        ),
        # Box scores and gamebooks of games that have not been played cannot be there.
        **dict.fromkeys(
            UPCOMING,
            ModeRules(
                expected=("nbac_schedule", "odds_api_game_lines"),
                critical=("nbac_schedule",),
                tiers=(Tier(reason="max_timeout", after_minutes=240, at_least=1),),
                gates=(
                    RowCounts(
                        name="raw_rows",
                        tables=_tables(DatasetRole.RAW, "nbac_schedule", "odds_api_game_lines"),
                        required=("nbac_schedule",),
                        at_least=1,
                    ),
                ),
                deadline=Deadline(days_after=0, at=time(12)),
            ),
        ),
    },
)
"""When yesterday's results, or today's schedule and odds, are in."""

_ANALYTICS: Final = (
    "player_game_summary",
    "team_defense_game_summary",
    "team_offense_game_summary",
    "upcoming_player_game_context",
    "upcoming_team_game_context",
)

ANALYTICS: Final = Boundary(
    name="phase3_to_phase4",
    phase=3,
    next_phase=4,
    completes_on="PHASE3_ANALYTICS_COMPLETE",
    dispatches_to="PHASE4_TRIGGER",
    triggered_by="phase3_to_phase4_orchestrator",
    parent_processor="Phase3Orchestrator",
    entities=_entities(*_ANALYTICS),
    modes={
        Mode.OVERNIGHT: ModeRules(
            expected=_ANALYTICS,
            critical=("player_game_summary", "upcoming_player_game_context"),
            tiers=(
                # Zero minutes: no wait, a majority is enough as soon as the critical ones are there.
                Tier(reason="critical_plus_majority", after_minutes=0, at_least=3),
                Tier(reason="max_timeout", after_minutes=240, at_least=1),
            ),
            gates=(
                RowCounts(
                    name="analytics_rows",
                    tables=_tables(DatasetRole.ANALYTICS, *_ANALYTICS),
                    required=("player_game_summary", "upcoming_player_game_context"),
                    at_least=2,
                ),
                _covers(DatasetRole.ANALYTICS, "player_game_summary", 80),
            ),
            deadline=Deadline(days_after=1, at=time(8, 30)),
        ),
        # The tables of played games are rightly empty: neither waited for nor looked at.
        **dict.fromkeys(
            UPCOMING,
            ModeRules(
                expected=("upcoming_player_game_context",),
                critical=("upcoming_player_game_context",),
                gates=(
                    RowCounts(
                        name="analytics_rows",
                        tables=_tables(
                            DatasetRole.ANALYTICS,
                            "upcoming_player_game_context",
                            "upcoming_team_game_context",
                        ),
                        required=("upcoming_player_game_context",),
                        at_least=1,
                    ),
                    _covers(DatasetRole.ANALYTICS, "upcoming_player_game_context", 80),
                ),
                deadline=Deadline(days_after=0, at=time(12, 30)),
            ),
        ),
    },
)
"""When the summaries of played games, or the contexts of coming ones, are made."""

_PRECOMPUTE: Final = ModeRules(
    expected=(
        "team_defense_zone_analysis",
        "player_shot_zone_analysis",
        "player_composite_factors",
        "player_daily_cache",
        "ml_feature_store",
    ),
    critical=("player_daily_cache", "ml_feature_store"),
    tiers=(
        Tier(reason="tier2_timeout", after_minutes=60, at_least=4),
        Tier(reason="tier3_timeout", after_minutes=120, at_least=3),
        Tier(reason="max_timeout", after_minutes=240, at_least=1),
    ),
    gates=(
        RowCounts(
            name="precompute_rows",
            tables=(
                *_tables(DatasetRole.PREDICTIONS, "ml_feature_store_v2"),
                *_tables(DatasetRole.PRECOMPUTE, "player_daily_cache", date_column="cache_date"),
                *_tables(DatasetRole.PRECOMPUTE, "player_composite_factors"),
                *_tables(
                    DatasetRole.PRECOMPUTE,
                    "player_shot_zone_analysis",
                    "team_defense_zone_analysis",
                    date_column="analysis_date",
                ),
            ),
            required=("player_daily_cache", "ml_feature_store_v2"),
            at_least=3,
        ),
        _covers(DatasetRole.PREDICTIONS, "ml_feature_store_v2", 60),
    ),
    deadline=Deadline(days_after=1, at=time(9)),
)
"""The same tables whatever the mode; the deadline alone differs."""

PRECOMPUTE: Final = Boundary(
    name="phase4_to_phase5",
    phase=4,
    next_phase=5,
    completes_on="PHASE4_PRECOMPUTE_COMPLETE",
    dispatches_to="PREDICTIONS_TRIGGER",
    triggered_by="phase4_to_phase5_orchestrator",
    parent_processor="Phase4Orchestrator",
    aliases={"ml_feature_store_v2": "ml_feature_store"},
    entities=_entities(*_PRECOMPUTE.expected),
    modes={
        Mode.OVERNIGHT: _PRECOMPUTE,
        **dict.fromkeys(UPCOMING, _PRECOMPUTE.due_by(Deadline(days_after=0, at=time(13)))),
    },
)
"""When the features of the predictions are made."""

BOUNDARIES: Final = (RAW, ANALYTICS, PRECOMPUTE)
"""Phases 2 to 5, in their order; the export follows."""
