"""What the completions claim to have staged, and whether it is there. Facts in, decision out.

The tables to merge come from these claims and not from a listing: a table that nobody claims is not merged,
and one that is missing is missed.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from .batch_records import Batch, Completion
from .merge_sql import Slice
from .messages import PlayerOutcome
from .result import ErrorInfo, Result

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
    unstaged_players: tuple[str, ...]
    """Who reported predictions without saying where they are, as the system before did."""

    @property
    def rows(self) -> int:
        return sum(claim.rows for claim in self.claims)

    @property
    def tables(self) -> tuple[str, ...]:
        return tuple(sorted({claim.table for claim in self.claims}))

    @property
    def slices(self) -> tuple[Slice, ...]:
        players: dict[str, list[str]] = defaultdict(list)
        for claim in self.claims:
            players[claim.table].append(claim.player)
        return tuple(Slice(table=table, players=tuple(sorted(players[table]))) for table in sorted(players))


def claims_of(batch: Batch, completions: Iterable[Completion], generation: int) -> Claims:
    """What is claimed and not consolidated yet: of the generations after the last consolidated one."""
    completed = [
        one
        for one in completions
        if one.outcome is PlayerOutcome.COMPLETED
        and batch.consolidated_generation < one.generation <= generation
    ]
    return Claims(
        claims=tuple(
            Claim(table=one.staging_table, player=one.player_lookup, rows=one.staged_rows)
            for one in completed
            if one.staging_table and one.staged_rows
        ),
        unstaged_players=tuple(
            one.player_lookup for one in completed if one.predictions_count and not one.staging_table
        ),
    )


def compare(claims: Claims, counted: Sequence[Mapping[str, Any]]) -> Result[None]:
    """Claimed rows = found rows, for each table and player: fewer are lost, more were loaded twice.

    `counted` has `staging_table`, `player_lookup`, `found_rows`, `misdated_rows`. Rows of players whom nobody
    claims in a table stay out of the merge and out of this.
    """
    found = {(row["staging_table"], row["player_lookup"]): row for row in counted}
    problems = [
        problem
        for claim in claims.claims
        for problem in _problems(claim, found.get((claim.table, claim.player)))
    ]
    if problems:
        return Result.failure(
            ErrorInfo.permanent(
                STAGED_ROWS_DIFFER,
                "; ".join(problems[:MAX_NAMED]),
                problems=problems[:MAX_NAMED],
                problem_count=len(problems),
            )
        )
    return Result.success(None)


def _problems(claim: Claim, row: Mapping[str, Any] | None) -> Iterable[str]:
    found = 0 if row is None else row["found_rows"]
    if found != claim.rows:
        yield f"{claim.table}: {claim.player}: {claim.rows} rows claimed, {found} found"
    if row is not None and row["misdated_rows"]:
        yield f"{claim.table}: {claim.player}: {row['misdated_rows']} rows of another day"
