"""A player whose worker has answered twice into its table: which of the answers was claimed. Pure.

    request 1 ── answer, 5 rows ── completion (5 rows): counted, this is the claim
    request 2 ── answer, 5 rows ── completion: a duplicate, it claims nothing
    table     5 + 5 rows, 5 claimed

It happens when a player is asked for again while his batch is open: the first answer was only slow. Rows of
one answer have one `created_at`, that of their request, and a load job puts all of them into the table
or none. So the claim is met by an answer of exactly as many rows. Where several have as many, the newest is
merged, as the newest row of a key is.
"""

from collections.abc import Iterable, Mapping, Sequence

from .merge_sql import Answer
from .staged_rows import Counted, StagedBatch


def has_surplus(staged: StagedBatch, counted: Iterable[Counted]) -> bool:
    """Whether more rows were found than claimed, of anybody: only then are answers to be told apart."""
    claimed = _claimed(staged)
    return any(
        one.found_rows > claimed.get((one.staging_table, one.player_lookup), one.found_rows)
        for one in counted
        if one.is_claimed
    )


def claimed_answers(staged: StagedBatch, answers: Iterable[Answer]) -> list[Answer]:
    """Of each player with more than one answer in a table the newest one that has as many rows as claimed.

    Left out are players whose rows are as many as claimed altogether, and those of whom no answer is: the
    verification names the latter. The order is that of the tables and names.
    """
    claimed = _claimed(staged)
    by_claim: dict[tuple[str, str], list[Answer]] = {}
    for one in answers:
        by_claim.setdefault((one.staging_table, one.player_lookup), []).append(one)
    chosen = (_claimed_one(by_claim[claim], claimed[claim]) for claim in sorted(by_claim) if claim in claimed)
    return [one for one in chosen if one is not None]


def _claimed(staged: StagedBatch) -> Mapping[tuple[str, str], int]:
    return {(one.table, one.player): one.rows for one in staged.staged}


def _claimed_one(answers: Sequence[Answer], rows: int) -> Answer | None:
    if sum(one.found_rows for one in answers) <= rows:
        return None
    newest_first = sorted(answers, key=lambda one: one.answered_at, reverse=True)
    return next((one for one in newest_first if one.found_rows == rows), None)
