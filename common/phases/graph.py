"""The pipelines as data: which processors end a phase, what must be in the tables, what starts next.

This file alone changes when a pipeline changes; `shape.py` says what each part means and refuses what is not
sound. Names of processors and tables are those that the publishers use.
"""

from collections.abc import Mapping
from datetime import time
from types import MappingProxyType
from typing import Final

from ..consolidation.receipt import PROCESSOR as CONSOLIDATION
from ..predictions.table import TABLE as PREDICTIONS
from ..sport import DatasetRole
from .mode import Mode
from .shape import Boundary, Coverage, Deadline, Graph, ModeRules, Reported, RowCounts, Table, Tier


def _on(days_after: int, hour: int, minute: int = 0) -> Deadline:
    """The wall clock of the pipeline's zone, so many days after the game date."""
    return Deadline(days_after=days_after, at=time(hour, minute))


def _tables(role: DatasetRole, *names: str, date_column: str = "game_date") -> tuple[Table, ...]:
    """Tables of one dataset with the same date column."""
    return tuple(Table(role=role, name=name, date_column=date_column) for name in names)


def _covers(table: Table, schedule: Table, min_pct: float) -> Coverage:
    """The table knows so many percent of the games that the schedule has of the date."""
    return Coverage(name="games_covered", table=table, schedule=schedule, column="game_id", min_pct=min_pct)


def _entities(*processors: str) -> dict[str, tuple[str, ...]]:
    """The team tables tell of teams, all others of players."""
    teams = tuple(name for name in processors if "team" in name.split("_"))
    return {"players": tuple(name for name in processors if name not in teams), "teams": teams}


def _before_the_games(rules: ModeRules, *others: Mode) -> dict[Mode, ModeRules]:
    """The same rules for dates whose games have not been played."""
    return dict.fromkeys((Mode.SAME_DAY, Mode.TOMORROW, *others), rules)


# ---------------------------------------------------------------- nba

NBA_SCHEDULE: Final = Table(role=DatasetRole.RAW, name="nbac_schedule")

_NBA_RAW_PLAYED: Final = (
    "nbac_schedule",
    "nbac_gamebook_player_stats",
    "bdl_player_boxscores",
    "odds_api_game_lines",
)

NBA_RAW: Final = Boundary(
    name="phase2_to_phase3",
    phase=2,
    next_phase=3,
    completes_on="PHASE2_RAW_COMPLETE",
    dispatches_to="PHASE3_TRIGGER",
    triggered_by="phase2_to_phase3_orchestrator",
    parent_processor="Phase2Orchestrator",
    # Publishers use both spellings.
    aliases={"bdl_player_box_scores": "bdl_player_boxscores", "br_rosters": "br_rosters_current"},
    entities=_entities(*_NBA_RAW_PLAYED, "bigdataball_play_by_play", "br_rosters_current"),
    modes={
        Mode.OVERNIGHT: ModeRules(
            expected=_NBA_RAW_PLAYED,
            critical=("nbac_schedule", "nbac_gamebook_player_stats"),
            optional=("bigdataball_play_by_play", "br_rosters_current"),
            tiers=(
                Tier(reason="tier2_timeout", after_minutes=60, at_least=3),
                Tier(reason="max_timeout", after_minutes=240, at_least=1),
            ),
            gates=(
                RowCounts(
                    name="raw_rows",
                    tables=_tables(DatasetRole.RAW, *_NBA_RAW_PLAYED),
                    required=("nbac_schedule", "nbac_gamebook_player_stats"),
                    at_least=2,
                ),
                _covers(Table(role=DatasetRole.RAW, name="nbac_gamebook_player_stats"), NBA_SCHEDULE, 80),
            ),
            deadline=_on(1, 8),
        ),
        # Box scores and gamebooks of games that have not been played cannot be there.
        **_before_the_games(
            ModeRules(
                expected=("nbac_schedule", "odds_api_game_lines"),
                critical=("nbac_schedule",),
                optional=(
                    "nbac_gamebook_player_stats",
                    "bdl_player_boxscores",
                    "bigdataball_play_by_play",
                    "br_rosters_current",
                ),
                tiers=(Tier(reason="max_timeout", after_minutes=240, at_least=1),),
                gates=(
                    RowCounts(
                        name="raw_rows",
                        tables=_tables(DatasetRole.RAW, "nbac_schedule", "odds_api_game_lines"),
                        required=("nbac_schedule",),
                        at_least=1,
                    ),
                ),
                deadline=_on(0, 12),
            )
        ),
    },
)
"""When yesterday's results, or today's schedule and odds, are in."""

_NBA_ANALYTICS: Final = (
    "player_game_summary",
    "team_defense_game_summary",
    "team_offense_game_summary",
    "upcoming_player_game_context",
    "upcoming_team_game_context",
)

NBA_ANALYTICS: Final = Boundary(
    name="phase3_to_phase4",
    phase=3,
    next_phase=4,
    completes_on="PHASE3_ANALYTICS_COMPLETE",
    dispatches_to="PHASE4_TRIGGER",
    triggered_by="phase3_to_phase4_orchestrator",
    parent_processor="Phase3Orchestrator",
    entities=_entities(*_NBA_ANALYTICS),
    modes={
        Mode.OVERNIGHT: ModeRules(
            expected=_NBA_ANALYTICS,
            critical=("player_game_summary", "upcoming_player_game_context"),
            tiers=(
                # Zero minutes: no wait, a majority is enough as soon as the critical ones are there.
                Tier(reason="critical_plus_majority", after_minutes=0, at_least=3),
                Tier(reason="max_timeout", after_minutes=240, at_least=1),
            ),
            gates=(
                RowCounts(
                    name="analytics_rows",
                    tables=_tables(DatasetRole.ANALYTICS, *_NBA_ANALYTICS),
                    required=("player_game_summary", "upcoming_player_game_context"),
                    at_least=2,
                ),
                _covers(Table(role=DatasetRole.ANALYTICS, name="player_game_summary"), NBA_SCHEDULE, 80),
            ),
            deadline=_on(1, 8, 30),
        ),
        # The tables of played games are rightly empty: neither waited for nor looked at.
        **_before_the_games(
            ModeRules(
                expected=("upcoming_player_game_context",),
                critical=("upcoming_player_game_context",),
                optional=(
                    "upcoming_team_game_context",
                    "player_game_summary",
                    "team_defense_game_summary",
                    "team_offense_game_summary",
                ),
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
                    _covers(
                        Table(role=DatasetRole.ANALYTICS, name="upcoming_player_game_context"),
                        NBA_SCHEDULE,
                        80,
                    ),
                ),
                deadline=_on(0, 12, 30),
            )
        ),
    },
)
"""When the summaries of played games, or the contexts of coming ones, are made."""

_NBA_PRECOMPUTE: Final = ModeRules(
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
        _covers(Table(role=DatasetRole.PREDICTIONS, name="ml_feature_store_v2"), NBA_SCHEDULE, 60),
    ),
    deadline=_on(1, 9),
)
"""The same tables whatever the mode; the deadline alone differs."""

NBA_PRECOMPUTE: Final = Boundary(
    name="phase4_to_phase5",
    phase=4,
    next_phase=5,
    completes_on="PHASE4_PRECOMPUTE_COMPLETE",
    dispatches_to="PREDICTIONS_TRIGGER",
    triggered_by="phase4_to_phase5_orchestrator",
    parent_processor="Phase4Orchestrator",
    aliases={"ml_feature_store_v2": "ml_feature_store"},
    entities=_entities(*_NBA_PRECOMPUTE.expected),
    modes={
        Mode.OVERNIGHT: _NBA_PRECOMPUTE,
        **_before_the_games(_NBA_PRECOMPUTE.model_copy(update={"deadline": _on(0, 13)})),
    },
)
"""When the features of the predictions are made."""

_EXPORT: Final = ModeRules(
    expected=(CONSOLIDATION,),
    critical=(CONSOLIDATION,),
    gates=(
        Reported(name="completion_pct", processor=CONSOLIDATION, field="completion_pct", minimum=80),
        Reported(name="predictions", processor=CONSOLIDATION, field="completed_predictions", minimum=10),
        RowCounts(
            name="prediction_rows",
            tables=(Table(role=DatasetRole.PREDICTIONS, name=PREDICTIONS, min_rows=10),),
            required=(PREDICTIONS,),
            at_least=1,
        ),
    ),
    deadline=_on(1, 9, 30),
)
"""One processor, which tells how many players and predictions it has: too few are not exported."""

_PREDICTIONS: Final = Boundary(
    name="phase5_to_phase6",
    phase=5,
    next_phase=6,
    completes_on="PHASE5_PREDICTIONS_COMPLETE",
    dispatches_to="PHASE6_EXPORT_TRIGGER",
    triggered_by="phase5_to_phase6_orchestrator",
    parent_processor="Phase5Orchestrator",
    export_types=("tonight", "tonight-players", "predictions", "best-bets", "streaks"),
    modes={
        Mode.OVERNIGHT: _EXPORT,
        **_before_the_games(_EXPORT.model_copy(update={"deadline": _on(0, 13, 30)})),
    },
)
"""When a batch is consolidated; the same of all sports."""

# ---------------------------------------------------------------- mlb: analytics leads to predictions

_MLB_ANALYTICS: Final = ModeRules(
    expected=("pitcher_game_summary", "upcoming_pitcher_game_context"),
    critical=("upcoming_pitcher_game_context",),
    tiers=(Tier(reason="max_timeout", after_minutes=240, at_least=1),),
    gates=(
        RowCounts(
            name="analytics_rows",
            tables=_tables(DatasetRole.ANALYTICS, "upcoming_pitcher_game_context"),
            required=("upcoming_pitcher_game_context",),
            at_least=1,
        ),
    ),
    deadline=_on(1, 9),
)

MLB_ANALYTICS: Final = Boundary(
    name="phase3_to_phase5",
    phase=3,
    next_phase=5,
    completes_on="PHASE3_ANALYTICS_COMPLETE",
    dispatches_to="PREDICTIONS_TRIGGER",
    triggered_by="phase3_to_phase5_orchestrator",
    parent_processor="Phase3Orchestrator",
    entities=_entities(*_MLB_ANALYTICS.expected),
    modes={
        Mode.OVERNIGHT: _MLB_ANALYTICS,
        **_before_the_games(_MLB_ANALYTICS.model_copy(update={"deadline": _on(0, 13)})),
    },
)
"""From analytics straight to the predictions: this sport has no phase 4."""

GRAPHS: Final[Mapping[str, Graph]] = MappingProxyType(
    {
        graph.sport: graph
        for graph in (
            Graph(
                sport="nba",
                schedule=NBA_SCHEDULE,
                boundaries=(NBA_RAW, NBA_ANALYTICS, NBA_PRECOMPUTE, _PREDICTIONS),
            ),
            Graph(sport="mlb", boundaries=(MLB_ANALYTICS, _PREDICTIONS)),
        )
    }
)
"""By sport."""
