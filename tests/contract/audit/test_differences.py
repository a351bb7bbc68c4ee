"""Every way in which a batch can differ from itself or from its rows, made on the emulators: found with its
class and its players, told once, mended, and told to be over, and not before it is."""

import re
from pathlib import Path

from common.audit.report import AuditReport
from common.findings import FindingClass, Repair
from tests.support.consolidation_stack import BATCH, Stack
from tests.support.differences import DIFFERENCES, World, put_aside

BY_HAND = {(each.scope, each.finding_class.value) for each in DIFFERENCES if each.repair.is_by_hand}
ASKED_OF_OTHERS = {
    (each.scope, each.finding_class.value) for each in DIFFERENCES if each.repair is Repair.REDRIVE_MISSING
} | {(BATCH, "duplicate_row"), (BATCH, "modified_row")}
EXPECTED = {(each.scope, each.finding_class.value): each.players for each in DIFFERENCES}
ELSEWHERE = {
    "contract/audit/test_auditor.py": {"SLOW_BATCH", "STORE_DOWN"},
    "contract/audit/test_repairs.py": {"ORPHANED_STAGING"},
    "unit/common/audit/test_batch_rules.py": {"ARRAY_NEARLY_FULL", "STUCK_CONSOLIDATION"},
    "unit/common/phases/test_alerts.py": {"ABANDONED_PHASE", "INCOMPLETE_START"},
    "unit/common/audit/test_phase_checks.py": {"UNKNOWN_SCHEDULE"},
    "unit/common/audit/test_topology_checks.py": {"MISSING_SUBSCRIPTION"},
    "support/defects.py": {
        "ABSENT_RUN",
        "EXPIRED_LOCK",
        "FAILED_BATCH",
        "LONG_HELD_LOCK",
        "MISSING_TOPIC",
        "OVERDUE_BATCH",
        "SILENT_PHASE",
        "STUCK_PHASE",
        "UNREADABLE_DOCUMENT",
        "UNSENT_DISPATCH",
        "UNSENT_TRIGGER",
        "WAITING_DEAD_LETTERS",
        "WRONG_SUBSCRIPTION",
    },
}
"""Which test makes the other classes: none is without one."""


def found(report: AuditReport) -> dict[tuple[str, str], tuple[str, ...]]:
    return {(each.scope.name, each.finding_class.value): each.ids for each in report.findings}


def told(world: World, report: AuditReport) -> dict[str, set[tuple[str, str]]]:
    """What somebody is told of, by change."""
    scopes = world.audits.store.get([each.split()[0] for each in report.told]).unwrap()
    changes: dict[str, set[tuple[str, str]]] = {}
    for each in report.told:
        finding_id, change = each.split()
        finding = scopes[finding_id].finding
        changes.setdefault(change, set()).add((finding.scope.name, finding.finding_class.value))
    return changes


def test_every_difference_is_found_told_once_mended_and_told_to_be_over(stack: Stack) -> None:
    world = World(stack=stack)
    world.play()
    healthy = world.audits.audit()

    for each in DIFFERENCES:
        each.make(world)
    first, second = world.audits.audit(), world.audits.audit()
    repaired = world.audits.audit(repair=True)
    by_hand = [
        world.audits.repairs.mend(each) for each in first.findings if each.repair and each.repair.is_by_hand
    ]
    waiting = [world.audits.audit() for _ in range(2)]
    world.come_again()
    world.audits.change("missing", status="consolidated")
    over = [told(world, world.audits.audit()) for _ in range(2)]
    last = world.audits.audit()

    assert found(healthy) == {} and healthy.is_ok
    assert found(first) == EXPECTED
    assert told(world, first) == {"opened": EXPECTED.keys()} and second.told == ()
    made = {each.finding_id: each for each in first.findings}
    mended = {
        (made[each.finding_id].scope.name, made[each.finding_id].finding_class.value): each
        for each in repaired.mended
    }
    assert {key: (each.repair, each.error) for key, each in mended.items()} == {
        (each.scope, each.finding_class.value): (each.repair.value, None)
        for each in DIFFERENCES
        if not each.repair.is_by_hand
    }
    # What somebody has changed may have been changed for a reason: a person has to want it gone.
    assert [each.error for each in by_hand] == [None] * len(BY_HAND)
    unchanged = {key for key, each in mended.items() if each.before == each.after}
    # Nobody had counted him: his document has gone aside, and nothing else is another.
    assert unchanged == {("ghost", "ghost_marker")} and put_aside(world)["player_lookup"] == "zoe"

    # Asked for, and not here yet: nobody is told that it is over.
    assert [found(each).keys() for each in waiting] == [ASKED_OF_OTHERS] * 2
    assert told(world, waiting[1]) == {"resolved": EXPECTED.keys() - ASKED_OF_OTHERS}
    asked = sorted((each.batch_id, each.player_lookup) for each in world.published.requests)
    assert asked == [*((BATCH, player) for player in "abcdef"), ("missing", "b")]
    assert over == [{}, {"resolved": ASKED_OF_OTHERS}]
    assert last.is_ok and last.told == ()


def test_every_class_of_finding_is_made_by_a_test() -> None:
    made = {each.finding_class for each in DIFFERENCES}
    elsewhere = {FindingClass[name] for names in ELSEWHERE.values() for name in names}
    tests = Path(__file__).parents[2]

    assert made | elsewhere == set(FindingClass)
    for file, names in ELSEWHERE.items():
        text = (tests / file).read_text(encoding="utf-8")
        missing = {name for name in names if not re.search(rf"\b({name}|{name.lower()})\b", text)}
        assert not missing, f"{file} makes no {missing}"
