"""A player whose worker has answered twice into its table: which of the answers was claimed. Pure.

    request 1 ── answer, 5 rows ── completion (5 rows): counted, this is the claim
    request 2 ── answer, 5 rows ── completion: a duplicate, it claims nothing
    table     5 + 5 rows, 5 claimed

It happens when a player is asked for again while his batch is open: the first answer was only slow. Rows of
one answer have one `created_at`, that of their request, and a load job puts all of them into the table
or none. So the claim is met by an answer of exactly as many rows. Where several have as many, the newest is
merged, as the newest row of a key is.
"""

from collections import defaultdict
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
    claimed, by_claim = _claimed(staged), _by_claim(answers)
    # In order: the statement that leaves the others out reads the same in every attempt.
    chosen = (_claimed_one(by_claim[claim], claimed[claim]) for claim in sorted(by_claim) if claim in claimed)
    return [one for one in chosen if one is not None]


def unmet_players(staged: StagedBatch, answers: Iterable[Answer]) -> tuple[str, ...]:
    """Players whose claim neither all of their rows in the table meet nor those of one answer: sorted."""
    # A claim of which nothing was found is one as well: it is not in the answers, so claims are gone through.
    by_claim = _by_claim(answers)
    unmet = {
        player
        for (table, player), rows in _claimed(staged).items()
        if not _is_met(by_claim.get((table, player), ()), rows)
    }
    return tuple(sorted(unmet))


def _is_met(answers: Sequence[Answer], rows: int) -> bool:
    return sum(one.found_rows for one in answers) == rows or _claimed_one(answers, rows) is not None


def _by_claim(answers: Iterable[Answer]) -> Mapping[tuple[str, str], list[Answer]]:
    """Answers by table and player."""
    found: dict[tuple[str, str], list[Answer]] = defaultdict(list)
    for one in answers:
        found[one.staging_table, one.player_lookup].append(one)
    return found


def _claimed(staged: StagedBatch) -> Mapping[tuple[str, str], int]:
    return {(one.table, one.player): one.rows for one in staged.staged}


def _claimed_one(answers: Sequence[Answer], rows: int) -> Answer | None:
    # As many rows as claimed are one answer in two load jobs, and are merged together. Fewer are lost, and no
    # choice brings them back.
    if sum(one.found_rows for one in answers) <= rows:
        return None
    newest_first = sorted(answers, key=lambda one: one.answered_at, reverse=True)
    return next((one for one in newest_first if one.found_rows == rows), None)
