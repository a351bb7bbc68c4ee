"""Named, repaired, told to be over: whatever of it is missing is said, with the class."""

from dataclasses import replace

import pytest

from local.judging.sabotage_verdict import Sabotage, Sabotaged, judge_sabotage

REPAIRED = Sabotaged(
    finding_class="lost_increment",
    is_found=True,
    repair="recompute_counters",
    repair_error=None,
    is_resolved=True,
)
UNDONE = replace(REPAIRED, finding_class="duplicate_row", repair=None)
CLASSES = ("lost_increment", "duplicate_row")


def test_every_class_found_mended_and_over_keeps_the_promise() -> None:
    verdict = judge_sabotage(Sabotage(defects=(REPAIRED, UNDONE)), CLASSES)

    assert verdict.is_kept
    assert verdict.evidence == "2 classes: 1 repaired, 1 undone as by a person"


@pytest.mark.parametrize(
    ("defect", "problem"),
    [
        (replace(REPAIRED, is_found=False, is_resolved=False), "lost_increment was not found"),
        (replace(REPAIRED, is_found=False), "lost_increment was not found"),
        (replace(REPAIRED, repair_error="NotYet"), "lost_increment was not repaired: NotYet"),
        (replace(REPAIRED, is_resolved=False), "lost_increment was not told to be over"),
    ],
    ids=["not found", "over without being found", "not repaired", "not over"],
)
def test_a_defect_that_is_not_named_mended_and_over_breaks_it(defect: Sabotaged, problem: str) -> None:
    verdict = judge_sabotage(Sabotage(defects=(defect, UNDONE)), CLASSES)

    assert verdict.broken == (problem,)


def test_a_class_that_nobody_tried_breaks_it() -> None:
    verdict = judge_sabotage(Sabotage(defects=(REPAIRED,)), CLASSES)

    assert verdict.broken == ("duplicate_row was not made",)


def test_what_else_was_found_and_a_run_without_an_end_break_it() -> None:
    found = Sabotage(defects=(REPAIRED, UNDONE), others=("nobody made slow_batch: late",), problem="too slow")

    assert judge_sabotage(found, CLASSES).broken == ("too slow", "nobody made slow_batch: late")
