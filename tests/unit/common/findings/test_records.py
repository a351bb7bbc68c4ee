import re
import shlex
from dataclasses import replace
from typing import Any

import pytest

from common.findings import Repair, Scope, Severity, Silence, rules, telling
from common.findings.records import operator_command
from common.findings.tracked import MAX_IDS_STORED, Tracked
from tests.support.findings import finding
from tests.support.wall_clock import WallClock


def test_id_is_that_of_the_defect_whoever_is_concerned_and_however_bad_it_is() -> None:
    one = finding(ids=("ann",))

    same = replace(one, ids=("ann", "ben"), severity=Severity.CRITICAL, summary="worse")

    assert same.finding_id == one.finding_id
    assert re.fullmatch(r"lost_increment-[0-9a-f]{12}", one.finding_id)


@pytest.mark.parametrize(
    "changes",
    [{"subject": "x"}, {"check": "x"}, {"scope": Scope.of_batch("batch2", None)}],
    ids=["subject", "check", "scope"],
)
def test_ids_of_different_defects_differ(changes: dict[str, Any]) -> None:
    assert finding(**changes).finding_id != finding().finding_id


def test_command_is_the_repair_where_there_is_one_else_what_looks_closer() -> None:
    mended = finding(repair=Repair.RECOMPUTE_COUNTERS)

    assert mended.command == f"./ops/run repair {mended.finding_id}"
    assert finding().command == "./ops/run explain batch1"
    assert finding(look="./ops/run locks").command == "./ops/run locks"


def test_command_can_be_pasted_whatever_the_names_hold() -> None:
    command = operator_command("explain", "a b; rm -rf $HOME `id`")

    assert shlex.split(command) == ["./ops/run", "explain", "a b; rm -rf $HOME `id`"]


def test_document_tells_all_again(clock: WallClock) -> None:
    silence = Silence(who="ann", why="known", until=clock())
    one = finding(ids=("ann",), repair=Repair.REDRIVE_MISSING, depends_on=frozenset({"firestore"}))
    tracked = telling.silenced(
        telling.told(rules.found(None, one, clock()), telling.Change.OPENED, clock()), silence
    )
    tracked = rules.asked(tracked, ["ann"], clock())

    assert Tracked.from_document(tracked.to_document()) == tracked


def test_document_of_a_large_batch_stays_small(clock: WallClock) -> None:
    one = finding(ids=tuple(f"player{index}" for index in range(20_000)))

    document = rules.found(None, one, clock()).to_document()

    assert len(document["ids"]) == MAX_IDS_STORED
    assert document["id_count"] == 20_000
