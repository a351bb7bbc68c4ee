"""What the completions claim to have staged, and whether it is there. Facts in, decision out.

The tables to merge come from these claims and not from a listing: a table that nobody claims is not merged,
and one that is missing is missed.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ..batches.records import Batch, Completion
from ..messages import PlayerOutcome
from ..result import ErrorInfo, Result
from .merge_sql import Slice

STAGED_ROWS_DIFFER: Final = "StagedRowsDiffer"
MAX_NAMED: Final = 20


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A completion's word: so many rows of this player are in that table."""

    table: str
    player: str
    rows: int


@dataclass(frozen=True, kw_only=True)
class Claims:
    """What one consolidation has to merge."""

    claims: tuple[Claim, ...]
    finished_players: frozenset[str]
    """Everybody who has completed so far: no rows of theirs are still to come."""
    unstaged_players: tuple[str, ...]
    """Who reported predictions without saying where they are, as the system before did."""

    @property
    def rows(self) -> int:
        return sum(claim.rows for claim in self.claims)

    @property
    def slices(self) -> tuple[Slice, ...]:
        players: dict[str, list[str]] = defaultdict(list)
        for claim in self.claims:
            players[claim.table].append(claim.player)
        return tuple(Slice(table=table, players=tuple(sorted(players[table]))) for table in sorted(players))


@dataclass(frozen=True, kw_only=True)
class Counted:
    """Rows of one player in one staging table, as they were gathered."""

    staging_table: str
    player_lookup: str
    is_claimed: bool
    found_rows: int
    misdated_rows: int


def claims_of(batch: Batch, completions: Iterable[Completion], generation: int) -> Claims:
    """What is claimed and not consolidated yet: of the generations after the last consolidated one."""
    completed = [
        one for one in completions if one.outcome is PlayerOutcome.COMPLETED and one.generation <= generation
    ]
    due = [one for one in completed if one.generation > batch.consolidated_generation]
    return Claims(
        claims=tuple(
            Claim(table=one.staging_table, player=one.player_lookup, rows=one.staged_rows)
            for one in due
            if one.staging_table and one.staged_rows
        ),
        finished_players=frozenset(one.player_lookup for one in completed),
        unstaged_players=tuple(
            one.player_lookup for one in due if one.predictions_count and not one.staging_table
        ),
    )


def compare(claims: Claims, counted: Sequence[Counted]) -> Result[None]:
    """Claimed rows = found rows, for each table and player: fewer are lost, more were loaded twice.

    Rows of players whom nobody claims in a table stay out of the merge and out of this.
    """
    found = {(one.staging_table, one.player_lookup): one for one in counted}
    problems = [
        problem
        for claim in claims.claims
        for problem in _problems(claim, found.get((claim.table, claim.player)))
    ]
    if problems:
        return Result.failure(_differ(problems))
    return Result.success(None)


def droppable(claims: Claims, counted: Sequence[Counted]) -> Mapping[str, int]:
    """Table → its rows, of the tables in which nobody's rows are still to be merged."""
    rows: dict[str, int] = defaultdict(int)
    awaited = {one.staging_table for one in counted if one.player_lookup not in claims.finished_players}
    for one in counted:
        if one.staging_table not in awaited:
            rows[one.staging_table] += one.found_rows
    return dict(rows)


def _problems(claim: Claim, counted: Counted | None) -> Iterator[str]:
    found = 0 if counted is None else counted.found_rows
    if found != claim.rows:
        yield f"{claim.table}: {claim.player}: {claim.rows} rows claimed, {found} found"
    if counted is not None and counted.misdated_rows:
        yield f"{claim.table}: {claim.player}: {counted.misdated_rows} rows of another day"


def _differ(problems: Sequence[str]) -> ErrorInfo:
    named = list(problems[:MAX_NAMED])
    details: dict[str, Any] = {"problems": named, "problem_count": len(problems)}
    return ErrorInfo.permanent(STAGED_ROWS_DIFFER, "; ".join(named), **details)
