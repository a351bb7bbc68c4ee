"""Where a batch keeps its completions: the legacy array, the subcollection, or both while migrating.

A commit to an array takes twice as long as one to the subcollection at 100 elements, and 25 times as long at
20,000 (measured), and a document holds 1 MiB; the subcollection stays flat. Pure.
"""

from enum import Enum


class SchemaMode(Enum):
    """Stamped on a batch when it is opened and obeyed for that batch's life."""

    LEGACY = "legacy"
    """Writes and counts the array `completed_players`."""
    DUAL_WRITE = "dual_write"
    """Writes both, counts the array."""
    SUBCOLLECTION_READS = "subcollection_reads"
    """Writes both, counts `completed_count`."""
    SUBCOLLECTION = "subcollection"
    """Writes and counts the subcollection only."""

    @property
    def writes_array(self) -> bool:
        """Whether completions go into the batch document's arrays."""
        return self is not SchemaMode.SUBCOLLECTION

    @property
    def writes_subcollection(self) -> bool:
        """Whether completions have documents of their own."""
        return self is not SchemaMode.LEGACY

    @property
    def counts_array(self) -> bool:
        """Whether the length of the array decides when the batch is complete.

        A commit does not tell that length, so such a batch is read after each commit.
        """
        return self in (SchemaMode.LEGACY, SchemaMode.DUAL_WRITE)


_MODES = {
    (True, True, False): SchemaMode.DUAL_WRITE,
    (True, True, True): SchemaMode.SUBCOLLECTION_READS,
    (True, False, True): SchemaMode.SUBCOLLECTION,
}


def mode_from_flags(*, enable: bool, dual_write: bool, subcollection_reads: bool) -> SchemaMode:
    """The mode that the three migration flags ask for.

    Raises ValueError for a combination under which a batch could never complete (writing the subcollection
    while counting a frozen array) or whose flags contradict each other.
    """
    if not enable and not subcollection_reads:
        return SchemaMode.LEGACY
    mode = _MODES.get((enable, dual_write, subcollection_reads))
    if mode is None:
        raise ValueError(
            f"ENABLE_SUBCOLLECTION_COMPLETIONS={enable}, DUAL_WRITE_MODE={dual_write}, "
            f"USE_SUBCOLLECTION_READS={subcollection_reads} is no valid combination"
        )
    return mode
