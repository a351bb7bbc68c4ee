"""Named, mended, told to be over: whatever of it is missing is said, with the class."""

from dataclasses import replace

import pytest

from local.sabotage.outcome import Sabotage, Sabotaged, judge_sabotage

REPAIRED = Sabotaged(
    finding_class="lost_increment",
    how="a counter is set back by one",
    found="b1: the counters say 1, 2 players have ended",
    ids=(),
    mended="the audit: recompute counters",
    problem="",
    is_resolved=True,
)
BY_HAND = replace(REPAIRED, finding_class="duplicate_row", mended="./ops/run repair duplicate_row-1")
CLASSES = ("lost_increment", "duplicate_row")


def test_every_class_found_mended_and_over_keeps_the_promise() -> None:
    verdict = judge_sabotage(Sabotage(defects=(REPAIRED, BY_HAND)), CLASSES)

    assert verdict.is_kept
    assert verdict.evidence == "2 classes of defects"


@pytest.mark.parametrize(
    ("defect", "problem"),
    [
        (replace(REPAIRED, found="", is_resolved=False), "lost_increment was not found"),
        (replace(REPAIRED, found=""), "lost_increment was not found"),
        (replace(REPAIRED, problem="NotYet"), "lost_increment: NotYet"),
        (replace(REPAIRED, is_resolved=False), "lost_increment was not told to be over"),
    ],
    ids=["not found", "over without being found", "not repaired", "not over"],
)
def test_a_defect_that_is_not_named_mended_and_over_breaks_it(defect: Sabotaged, problem: str) -> None:
    verdict = judge_sabotage(Sabotage(defects=(defect, BY_HAND)), CLASSES)

    assert verdict.broken == (problem,)


def test_a_class_that_nobody_tried_breaks_it() -> None:
    verdict = judge_sabotage(Sabotage(defects=(REPAIRED,)), CLASSES)

    assert verdict.broken == ("duplicate_row was not made",)


def test_what_else_was_found_and_a_run_without_an_end_break_it() -> None:
    found = Sabotage(
        defects=(REPAIRED, BY_HAND), others=("nobody made slow_batch: late",), problem="too slow"
    )

    assert judge_sabotage(found, CLASSES).broken == ("too slow", "nobody made slow_batch: late")
