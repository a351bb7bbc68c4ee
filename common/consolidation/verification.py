"""What the merge's script counted after its commit, and whether that shows every staged row to be merged."""

from dataclasses import dataclass
from typing import Final

from ..result import LOCK_LOST, ErrorInfo, ErrorType, Result

NOT_VERIFIED: Final = "NotVerified"


@dataclass(frozen=True, kw_only=True)
class Counts:
    """What the script counted after its commit: one row, of the day of the batch.

    Keys are business keys, each counted once.
    """

    rows_before: int
    """Rows of the day in the main table before the merge, and below after it."""
    rows_after: int
    rows_changed: int
    """Inserted or updated by this merge."""
    keys_staged: int
    keys_in_main: int
    duplicate_keys: int
    """Of the staged keys: in the main table more than once."""
    outdated_keys: int
    """Of the staged keys: in the main table with an older row than the newest staged one."""
    suspected_keys: int
    """Of the staged keys: staged more than once, or with a row in the main table that is not of this merge.
    Among their rows some may contradict others."""
    fence: int
    """That which stands now: ours, unless somebody has overtaken us."""

    @property
    def rows_inserted(self) -> int:
        """The difference of the day's rows: exact, for only the holder of the day's lock writes there."""
        return self.rows_after - self.rows_before

    @property
    def rows_updated(self) -> int:
        """Rows that were replaced by a newer one of their key."""
        return self.rows_changed - self.rows_inserted


def verify(counts: Counts, *, fence: int) -> Result[Counts]:
    """Whether the counts show every staged key in the main table, once, and as staged; returns them.

    LOCK_LOST (TRANSIENT) where another fence stands: nothing was merged. NOT_VERIFIED where a key is not as
    staged: duplicates are PERMANENT, no repetition cures them; a missing or older key is UNKNOWN, for merging
    again may. Suspected keys are no failure: whether rows contradict each other is looked at afterwards.
    """
    # Asked first: under another fence nothing was merged, and every other count is of somebody else's rows.
    if counts.fence != fence:
        why = f"fence {counts.fence} stands, ours is {fence}"
        return Result.failure(ErrorInfo.transient(LOCK_LOST, why, fence=fence))
    # Before what is missing: a repeated key makes the other counts wrong as well.
    if counts.duplicate_keys:
        why = f"{counts.duplicate_keys} of the merged keys are in the main table more than once"
        return Result.failure(ErrorInfo.permanent(NOT_VERIFIED, why, **vars(counts)))
    if counts.keys_in_main != counts.keys_staged or counts.outdated_keys:
        why = f"not all staged keys are in the main table as staged: {vars(counts)}"
        return Result.failure(ErrorInfo(ErrorType.UNKNOWN, NOT_VERIFIED, why, {**vars(counts)}))
    return Result.success(counts)
