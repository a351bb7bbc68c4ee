"""The rows of the main table against what was consolidated: facts in, findings out. Pure.

receipts of the day's batches ──▶ how many keys there should be
completions of these batches  ──▶ whose they are (read only for a day that differs)
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from ..batches.completion import RECOUNTED, Completion
from ..findings import Finding, FindingClass, Repair, Scope, Severity, operator_command
from ..messages import PlayerOutcome
from ..texts import counted
from .stores import BIGQUERY, FIRESTORE

CHECK: Final = "warehouse_rows"
_STORES: Final = frozenset({FIRESTORE, BIGQUERY})


@dataclass(frozen=True, kw_only=True)
class Day:
    """What the receipts of one day's consolidated batches promise."""

    game_date: date
    batch_ids: tuple[str, ...]
    key_count: int
    """Distinct business keys in the main table."""
    consolidated_at: datetime
    """The latest consolidation: whatever changes a row later is none of ours."""


@dataclass(frozen=True, kw_only=True)
class PlayerRows:
    """The rows of one player of one day in the main table."""

    game_date: date
    player_lookup: str
    key_count: int
    """Distinct business keys."""
    row_count: int
    """Rows, repeated keys included."""
    duplicate_keys: int
    """Keys that are there more than once."""
    modified_keys: int
    """Keys with a row that was changed after `Day.consolidated_at`, or that does not tell when it was
    changed."""


def row_findings(
    day: Day,
    rows: Sequence[PlayerRows],
    completions: Mapping[str, Completion],
    expected: Collection[str] = (),
) -> list[Finding]:
    """What differs on a day, one finding per class, with the players named. Pure.

    `rows` are those of every player of the day, `completions` and `expected` those of all its consolidated
    batches together. A player may be in several findings. Order: missing, ghost, duplicate, modified; names
    sorted.
    """
    found = {one.player_lookup: one for one in rows}
    completed = {name: one for name, one in completions.items() if one.outcome is PlayerOutcome.COMPLETED}
    # Who was lost and is asked for again may have kept a part of his rows: he brings the others.
    awaited = {name for name, one in completions.items() if one.event_id == RECOUNTED}
    known = completed.keys() | awaited | (set(expected) - completions.keys())
    # Who did not say where the rows are, as the legacy system did, has none that could be missed.
    staged = {
        name: one.staged_rows for name, one in completed.items() if one.staging_table and one.staged_rows
    }
    # A player with fewer keys than staged rows is no defect by himself: staged rows may repeat a key, and the
    # MERGE keeps one. Only where keys are missing in the whole day, those players are named.
    is_short = sum(one.key_count for one in rows) < day.key_count
    missing = [
        name
        for name, number in staged.items()
        if number and (name not in found or (is_short and found[name].key_count < number))
    ]
    told = {
        FindingClass.MISSING_ROW: missing,
        FindingClass.GHOST_ROW: [name for name in found if name not in known],
        FindingClass.DUPLICATE_ROW: [name for name, one in found.items() if one.duplicate_keys],
        FindingClass.MODIFIED_ROW: [name for name, one in found.items() if one.modified_keys],
    }
    return [_finding(day, finding_class, sorted(names)) for finding_class, names in told.items() if names]


_WHAT: Final = {
    FindingClass.MISSING_ROW: "fewer rows in the main table than predicted",
    FindingClass.GHOST_ROW: "rows in the main table, and no consolidated batch has them",
    FindingClass.DUPLICATE_ROW: "a prediction more than once in the main table",
    FindingClass.MODIFIED_ROW: "rows that were changed after their consolidation",
}


def _finding(day: Day, finding_class: FindingClass, names: Sequence[str]) -> Finding:
    """Of the batch, where the day has one: then the batch can be asked for the players; else of the day."""
    is_one_batch = len(day.batch_ids) == 1
    # Which of several batches a player is missing from cannot be told from his rows: a person has to look.
    can_redrive = is_one_batch and finding_class is FindingClass.MISSING_ROW
    redrive = Repair.REDRIVE_MISSING if can_redrive else None
    scope = Scope.of_batch(day.batch_ids[0], day.game_date) if is_one_batch else Scope.of_date(day.game_date)
    return Finding(
        finding_class=finding_class,
        severity=Severity.CRITICAL,
        check=CHECK,
        scope=scope,
        summary=f"{counted(len(names), 'player', 'have')} {_WHAT[finding_class]}",
        ids=tuple(names),
        repair=redrive if finding_class is FindingClass.MISSING_ROW else Repair.REPLACE_ROWS,
        look=operator_command("verify", day.game_date.isoformat()),
        depends_on=_STORES,
    )
