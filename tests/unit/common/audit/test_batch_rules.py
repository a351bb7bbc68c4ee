"""When a batch that stands still is a finding: each rule at its limit."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from common.audit import batch_rules
from common.batches.records import Batch, BatchStatus, Counts
from common.findings import Finding, FindingClass, Repair
from common.schema_mode import SchemaMode
from tests.support.batch_documents import NOW, batch_of, ended

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
OPEN, COMPLETE = BatchStatus.OPEN, BatchStatus.COMPLETE


def batch(status: BatchStatus, **changes: Any) -> Batch:
    known: dict[str, Any] = {
        "schema_mode": SchemaMode.SUBCOLLECTION,
        "status": status,
        "expected_players": 3,
        "counts": Counts(completed=3),
        "closed_at": NOW - HOUR,
        "trigger_generation": 1,
        "in_array": {},
    }
    return replace(batch_of(), **{**known, **changes})


Rule = Callable[[Batch], Iterable[Finding]]
TRIGGERS, DEADLINES = batch_rules.trigger_findings, batch_rules.deadline_findings
CONSOLIDATIONS, ARRAYS = batch_rules.consolidation_findings, batch_rules.array_findings


@pytest.mark.parametrize(
    ("rule", "found", "expected"),
    [
        pytest.param(TRIGGERS, batch(COMPLETE), None, id="triggered"),
        pytest.param(
            TRIGGERS,
            batch(COMPLETE, trigger_generation=0),
            Repair.REPUBLISH_TRIGGER,
            id="closed for an hour without a trigger",
        ),
        pytest.param(
            TRIGGERS,
            batch(COMPLETE, trigger_generation=0, closed_at=NOW - MINUTE),
            None,
            id="closed a minute ago: whoever closed it may be at it",
        ),
        pytest.param(
            TRIGGERS,
            batch(BatchStatus.CONSOLIDATED, consolidated_generation=1, update_time=NOW - HOUR),
            Repair.REPUBLISH_TRIGGER,
            id="consolidated for an hour without an announcement",
        ),
        pytest.param(
            TRIGGERS,
            batch(
                BatchStatus.CONSOLIDATED,
                consolidated_generation=1,
                phase_generation=1,
                update_time=NOW - HOUR,
            ),
            None,
            id="announced",
        ),
        pytest.param(
            DEADLINES,
            batch(OPEN, deadline=NOW - HOUR, counts=Counts(completed=2)),
            Repair.CLOSE_OVERDUE,
            id="an hour past its deadline",
        ),
        pytest.param(
            DEADLINES,
            batch(OPEN, deadline=NOW - MINUTE, counts=Counts(completed=2)),
            None,
            id="a minute past its deadline: the sweep comes",
        ),
        pytest.param(
            DEADLINES,
            batch(OPEN, update_time=NOW - HOUR),
            Repair.CLOSE_OVERDUE,
            id="all have ended and nobody closes it",
        ),
        pytest.param(DEADLINES, batch(OPEN), None, id="all have just ended"),
        pytest.param(DEADLINES, batch(BatchStatus.FAILED), Repair.REDRIVE_MISSING, id="failed"),
        pytest.param(DEADLINES, batch(BatchStatus.ABANDONED), None, id="given up"),
        pytest.param(
            CONSOLIDATIONS,
            batch(BatchStatus.CONSOLIDATING, update_time=NOW - HOUR),
            Repair.CONSOLIDATE_AGAIN,
            id="being consolidated for an hour",
        ),
        pytest.param(
            CONSOLIDATIONS,
            batch(COMPLETE, update_time=NOW - HOUR),
            Repair.CONSOLIDATE_AGAIN,
            id="triggered an hour ago",
        ),
        pytest.param(
            CONSOLIDATIONS,
            batch(BatchStatus.CONSOLIDATING, update_time=NOW - MINUTE),
            None,
            id="being consolidated for a minute",
        ),
        pytest.param(
            CONSOLIDATIONS,
            batch(COMPLETE, trigger_generation=0, update_time=NOW - HOUR),
            None,
            id="closed an hour ago without a trigger: that alone is told",
        ),
        pytest.param(ARRAYS, batch(OPEN), None, id="no array"),
        pytest.param(
            ARRAYS,
            batch(OPEN, in_array={f"p{each}": ended(f"p{each}") for each in range(900)}),
            None,
            id="an array of before its migration, which nobody writes any more",
        ),
    ],
)
def test_what_stands_still_is_found_when_nobody_can_be_at_it_any_more(
    rule: Rule, found: Batch, expected: Repair | None
) -> None:
    assert [each.repair for each in rule(found)] == ([] if expected is None else [expected])


def test_consolidation_that_goes_on_for_too_long_is_stuck() -> None:
    [stuck] = CONSOLIDATIONS(batch(BatchStatus.CONSOLIDATING, update_time=NOW - HOUR))

    assert stuck.finding_class is FindingClass.STUCK_CONSOLIDATION
    assert stuck.summary == "being consolidated for 1 h 0 min without a receipt"


def test_players_who_timed_out_are_not_heard_of() -> None:
    [failed] = DEADLINES(batch(BatchStatus.FAILED, counts=Counts(completed=1, timed_out=2)))

    assert failed.summary == "failed at its deadline: 2 of 3 players not heard of"


def test_array_is_found_at_nine_tenths() -> None:
    sizes = {number: {f"p{each}": ended(f"p{each}") for each in range(number)} for number in (899, 900)}

    found = {
        number: list(ARRAYS(batch(OPEN, schema_mode=SchemaMode.LEGACY, in_array=players)))
        for number, players in sizes.items()
    }

    assert found[899] == []
    assert [(each.finding_class, each.command) for each in found[900]] == [
        (FindingClass.ARRAY_NEARLY_FULL, "./ops/run migrate batch1 --to subcollection")
    ]


@pytest.mark.parametrize(
    ("span", "told"), [(MINUTE, "1 min"), (59 * MINUTE, "59 min"), (190 * MINUTE, "3 h 10 min")], ids=str
)
def test_spans_are_told_in_minutes_and_hours(span: timedelta, told: str) -> None:
    assert batch_rules.minutes(span) == told
