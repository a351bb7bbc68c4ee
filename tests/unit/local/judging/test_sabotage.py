"""The list of what is broken on purpose."""

from common.findings import FindingClass
from local.judging.sabotage import CLASSES, ROUNDS


def test_each_class_is_made_once() -> None:
    assert len(CLASSES) == len(set(CLASSES))


def test_the_defects_that_a_day_must_endure_are_all_made() -> None:
    needed = {
        FindingClass.MISSING_MARKER,
        FindingClass.GHOST_MARKER,
        FindingClass.LOST_INCREMENT,
        FindingClass.DOUBLE_INCREMENT,
        FindingClass.DUPLICATE_ROW,
        FindingClass.UNSENT_TRIGGER,
        FindingClass.OVERDUE_BATCH,
        FindingClass.STUCK_CONSOLIDATION,
        FindingClass.EXPIRED_LOCK,
        FindingClass.ORPHANED_STAGING,
        FindingClass.WAITING_DEAD_LETTERS,
    }

    assert needed <= {defect.finding_class for each in ROUNDS for defect in each}
