"""Gathering: copies what was staged into one table, and counts it there.

staging tables ── gather, gather_more ──▶ one copy ── count ── as claimed? ── merged
a worker appends meanwhile: its rows are in neither copy nor count
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from ..chunks import chunks
from ..warehouse.records import Rows
from . import merge_sql
from .answers import claimed_answers, has_surplus
from .jobs import Jobs
from .merge_sql import Answer, Slice, Tables
from .staged_rows import Counted, StagedBatch

GATHER_SECONDS: Final = 90.0
"""Of each gathering job."""
MAX_ANSWERS: Final = 2_000
"""Of one statement that leaves others out: it stays below its limit even with the longest names."""


@dataclass(frozen=True, kw_only=True)
class Gathering:
    """The copy that one holder of the lock makes of one batch's staged rows."""

    jobs: Jobs
    tables: Tables
    into: str
    """Name of the copy, without its dataset; nobody else writes to it."""
    fence: int
    """The holder's: it is in the names of the jobs, so that each holder gathers for itself."""
    game_date: date
    """The day of every row; rows of another one are counted apart."""
    expires: datetime
    """When the copy goes by itself, should its maker die."""

    def gather(self, staged: StagedBatch) -> list[Counted]:
        """Copy what is staged into the one table; what is there then, by staging table and player.

        One job per run of slices, one after the other, and two more where somebody has answered twice. The
        table is made anew: a second call finds nothing of the first. Raises ResultError for a fault of the
        warehouse.
        """
        statements = list(self._statements(staged.slices))
        # In the last gathering job: one job less, and nothing can be appended between the copy and the count.
        statements[-1] += f"\n{merge_sql.count(self.tables, self.into, self.game_date)}"
        # One after the other: the first makes the table to which the others append.
        for number, sql in enumerate(statements):
            done = self._run(f"gather-{number}", sql)
        counted = [Counted(**row) for row in done.rows]
        return self._leave_out_other_answers(staged, counted) if has_surplus(staged, counted) else counted

    def _statements(self, slices: Sequence[Slice]) -> Iterator[str]:
        """The first makes the table anew: what an earlier attempt of this holder has left in it is gone."""
        first, *others = runs(slices)
        yield merge_sql.gather(self.tables, first, self.into, self.expires)
        for run in others:
            yield merge_sql.gather_more(self.tables, run, self.into)

    def _leave_out_other_answers(self, staged: StagedBatch, counted: list[Counted]) -> list[Counted]:
        """Where a player has answered twice into one table, only the answer that was claimed is merged.

        Two more jobs, on the gathered copy alone, which is this holder's own; returns the counts after them.
        Asked only where somebody has more rows than claimed, which is seldom.
        """
        found = self._run("answers", merge_sql.answers(self.tables, self.into))
        claimed = claimed_answers(staged, [Answer(**row) for row in found.rows])
        # Each part names players of its own, so what one has left out no other brings back; the last one's
        # count is that of all.
        for number, part in enumerate(chunks(claimed, MAX_ANSWERS)):
            leave_out = merge_sql.leave_out(self.tables, self.into, part)
            count = merge_sql.count(self.tables, self.into, self.game_date)
            done = self._run(f"leave-out-{number}", f"{leave_out}\n{count}")
            counted = [Counted(**row) for row in done.rows]
        return counted

    def _run(self, step: str, sql: str) -> Rows:
        return self.jobs.run(f"{step}-{self.fence}", sql, timeout_seconds=GATHER_SECONDS)


def runs(slices: Sequence[Slice]) -> list[Sequence[Slice]]:
    """Cut the slices so that one statement can take each run: at most `MAX_TABLES` tables and
    `MAX_SQL_CHARS`.

    The length is estimated, generously: names are quoted, and each table stands in its statement twice. A
    single slice that is too long is a run of its own, and BigQuery refuses it.
    """
    cut: list[list[Slice]] = [[]]
    chars = 0
    for part in slices:
        length = sum(len(player) + 4 for player in part.players) + 3 * len(part.table) + 200
        # BigQuery takes 1,000 tables after expansion and 1 MB of text; these are well below.
        is_full = len(cut[-1]) == merge_sql.MAX_TABLES or chars + length > merge_sql.MAX_SQL_CHARS
        if is_full:
            cut.append([])
            chars = 0
        cut[-1].append(part)
        chars += length
    return list(cut)
