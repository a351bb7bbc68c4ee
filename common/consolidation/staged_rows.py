"""What the completions say was staged, and whether it is there. Pure: facts in, decision out.

The tables to merge come from what was said and not from a listing: a table that nobody names is not merged,
and one that is missing is missed. Completions of the legacy system did not say: see `legacy_tables` of
`StagedBatch`.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from .. import texts
from ..batches.completion import Completion
from ..batches.records import Batch
from ..messages import PlayerOutcome
from ..result import ErrorInfo, Result
from ..staging.table_names import belongs_to
from .merge_sql import Slice

STAGED_ROWS_DIFFER: Final = "StagedRowsDiffer"
FOREIGN_TABLE: Final = "ForeignTable"


@dataclass(frozen=True, kw_only=True)
class StagedRows:
    """What one completion says: so many rows of this player are in that table."""

    table: str
    player: str
    rows: int


@dataclass(frozen=True, kw_only=True)
class StagedBatch:
    """What one consolidation has to merge."""

    staged: tuple[StagedRows, ...]
    """What is claimed and not consolidated yet."""
    finished_players: frozenset[str]
    """Everybody who has completed so far: no rows of theirs are still to come."""
    unstaged_players: tuple[str, ...]
    """Who completed without saying where the rows are, or of whom the name alone is known: sorted."""
    legacy_tables: tuple[str, ...] = ()
    """Tables of this very batch that are named as the legacy system named them. Nobody says what is in them:
    the rows of `unstaged_players` are looked for there."""
    rows_claimed: int | None = None
    """Rows that all completions so far claim, merged ones included; None where somebody did not say."""

    @property
    def slices(self) -> tuple[Slice, ...]:
        """Which rows of which table are merged, by table; a table stands in it once."""
        # Sorted, tables and players: the statement reads the same in whatever order completions came.
        players: dict[str, list[str]] = defaultdict(list)
        for one in self.staged:
            players[one.table].append(one.player)
        named = [Slice(table=table, players=tuple(sorted(players[table]))) for table in sorted(players)]
        legacy = [Slice(table=table, players=self.unstaged_players) for table in self.legacy_tables]
        return (*named, *legacy)

    def with_legacy(self, tables: Iterable[str]) -> "StagedBatch":
        """The same, with these legacy tables in place of any others."""
        return replace(self, legacy_tables=tuple(sorted(tables)))


@dataclass(frozen=True, kw_only=True)
class Counted:
    """Rows of one player in one staging table, as they were gathered."""

    staging_table: str
    player_lookup: str
    is_claimed: bool
    """Whether a completion claims rows of this player in this table. Rows that nobody claims stay out of
    the merge: their completion may still come, or lost against a better one."""
    found_rows: int
    misdated_rows: int
    """Of `found_rows`: of another day than the batch's, which the merge's partition predicate would not
    see."""
    found_keys: int
    """Distinct business keys among `found_rows`."""


def staged_of(batch: Batch, completions: Iterable[Completion], generation: int) -> StagedBatch:
    """What is staged and not consolidated yet: of the generations after the last consolidated one, up to
    `generation`.

    A later generation's completions are left to its own consolidation, which its own trigger starts.
    """
    completed = [
        one for one in completions if one.outcome is PlayerOutcome.COMPLETED and one.generation <= generation
    ]
    # Merged generations are left out: their rows are in the main table, and their tables may be gone.
    due = [one for one in completed if one.generation > batch.consolidated_generation]
    return StagedBatch(
        staged=tuple(
            StagedRows(table=one.staging_table, player=one.player_lookup, rows=one.staged_rows)
            for one in due
            if one.staging_table and one.staged_rows
        ),
        finished_players=frozenset(one.player_lookup for one in completed),
        unstaged_players=tuple(sorted(one.player_lookup for one in due if _is_unstaged(one))),
        # Of all, and not of those that are due: it bounds what the receipt says of the whole batch.
        rows_claimed=None
        if any(map(_is_unstaged, completed))
        else sum(one.staged_rows or 0 for one in completed),
    )


def check_names(staged: StagedBatch, batch_id: str) -> Result[None]:
    """Every table that a completion names is one of this batch's; FOREIGN_TABLE (PERMANENT) where it is not.

    What is named is merged and then dropped: a message must not be able to name the main table, a backup, or
    the table of another batch. Checked again here, for the documents may be older than the check of messages.
    """
    foreign = sorted({one.table for one in staged.staged if not belongs_to(one.table, batch_id)})
    if not foreign:
        return Result.success(None)
    named = texts.first_of(foreign, separator=", ")
    return Result.failure(
        ErrorInfo.permanent(
            FOREIGN_TABLE, f"no staging tables of batch {batch_id!r}: {named}", tables=foreign
        )
    )


def verify(staged: StagedBatch, counted: Sequence[Counted]) -> Result[None]:
    """Staged rows = found rows, for each table and player; STAGED_ROWS_DIFFER (PERMANENT) names those that
    differ.

    Fewer are lost, more were loaded twice. Rows that nobody claims, of other players or of another answer of
    the same one, stay out of the merge and out of this check. A table that was dropped and is named here has
    0 rows found.
    """
    found = {(one.staging_table, one.player_lookup): one for one in counted if one.is_claimed}
    problems = [
        problem for one in staged.staged for problem in _problems(one, found.get((one.table, one.player)))
    ]
    # Nobody claims a number of rows in a legacy table, but of which day they are can be seen.
    problems += [
        f"{one.staging_table}: {one.player_lookup}: {texts.counted(one.misdated_rows, 'row')} of another day"
        for one in counted
        if one.staging_table in staged.legacy_tables and one.is_claimed and one.misdated_rows
    ]
    if problems:
        return Result.failure(_differ(problems))
    return Result.success(None)


def still_unstaged(staged: StagedBatch, counted: Sequence[Counted]) -> tuple[str, ...]:
    """Whose rows are nowhere: not in a table that was named, and not in a legacy one."""
    # Legacy tables alone: a named table holds the rows of those who have named it.
    found = {one.player_lookup for one in counted if one.staging_table in staged.legacy_tables}
    return tuple(player for player in staged.unstaged_players if player not in found)


def has_repeated_keys(counted: Sequence[Counted]) -> bool:
    """Whether two claimed rows may have one key.

    A key names its player. So keys can only meet within one player's rows: in one table, which were counted,
    or in two, where he was asked for again and another worker has answered.
    """
    claimed = [one for one in counted if one.is_claimed]
    is_in_two_tables = len({one.player_lookup for one in claimed}) < len(claimed)
    return is_in_two_tables or any(one.found_keys < one.found_rows for one in claimed)


def droppable(staged: StagedBatch, counted: Sequence[Counted]) -> Mapping[str, int]:
    """Table → its rows, of the tables in which nobody's rows are still to be merged.

    A player who has not completed yet may still claim rows that are there: such a table stays, and so do its
    rows that are merged already; merging them again changes nothing.
    """
    rows: dict[str, int] = defaultdict(int)
    awaited = {one.staging_table for one in counted if one.player_lookup not in staged.finished_players}
    # Unclaimed rows are counted with the others: the look before the drop sees all rows of a table.
    for one in counted:
        if one.staging_table not in awaited:
            rows[one.staging_table] += one.found_rows
    return dict(rows)


def _is_unstaged(one: Completion) -> bool:
    """Whether there are rows, or may be, and nobody says where."""
    # Without an event id only the name is known: how many predictions there are is unknown, not zero.
    is_name_only = not one.event_id
    return one.staging_table is None and bool(one.predictions_count or is_name_only)


def _problems(one: StagedRows, counted: Counted | None) -> Iterator[str]:
    found = 0 if counted is None else counted.found_rows
    if found != one.rows:
        yield f"{one.table}: {one.player}: {texts.counted(one.rows, 'row')} claimed, {found} found"
    if counted is not None and counted.misdated_rows:
        yield f"{one.table}: {one.player}: {texts.counted(counted.misdated_rows, 'row')} of another day"


def _differ(problems: Sequence[str]) -> ErrorInfo:
    return ErrorInfo.permanent(STAGED_ROWS_DIFFER, texts.first_of(problems), **texts.details_of(problems))
