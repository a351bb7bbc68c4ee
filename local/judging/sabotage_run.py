"""Breaks a finished day, class by class, and looks what the audit makes of it; a process of its own.

`python -m local.judging.sabotage_run DATE BATCH FILE`, in the environment of the stack's processes.

    break ──▶ an audit finds it ──▶ a repairing audit ──▶ batches at rest ──▶ clean audits ──▶ told resolved
"""

import json
import os
import sys
import time
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Final

from .own_process import NoAnswer, answer_of
from .sabotage_verdict import Sabotage, Sabotaged

if TYPE_CHECKING:
    from common.audit.report import AuditReport
    from common.findings import Finding

    from .sabotage import Defect
    from .sabotage_world import World

TIMEOUT_SECONDS: Final = 300
_AT_REST_WITHIN_SECONDS: Final = 90.0
_LOOK_EVERY_SECONDS: Final = 0.5
_MAX_CLEAN_AUDITS: Final = 4
"""Two are enough to be told; a batch that is still at work when one looks needs another."""


def sabotage(
    game_date: date, batch_id: str, folder: Path, environment: dict[str, str], root: Path
) -> Sabotage:
    """All rounds, in a process of its own; waits for its end. Somebody has to answer requests meanwhile."""
    try:
        told = answer_of(
            __name__,
            [game_date.isoformat(), batch_id],
            name="sabotage",
            folder=folder,
            environment=environment,
            root=root,
            timeout_seconds=TIMEOUT_SECONDS,
        )
    except NoAnswer as error:
        return Sabotage(problem=str(error))
    return Sabotage(
        defects=tuple(Sabotaged(**each) for each in told["defects"]), others=tuple(told["others"])
    )


def play_round(world: "World", defects: "Sequence[Defect]") -> tuple[list[Sabotaged], list[str]]:
    """Make them all, have them found, mended and told to be over; with what was found and nobody made."""
    for defect in defects:
        defect.make(world)
    first = _audit(world)
    found = {each.finding_class: each for each in first.findings}
    repaired = _audit(world, repair=True)
    for defect in defects:
        if defect.undo is not None:
            defect.undo(world)
    left = _left_when_at_rest(world)
    resolved = _resolved(world, {each.finding_id for each in first.findings})
    errors = {each.finding_id: str(each.error) for each in repaired.mended if each.error is not None}
    mended = {each.finding_id for each in repaired.mended}
    made = {defect.finding_class for defect in defects}
    unasked = [
        f"nobody made {each.finding_class.value}: {each.summary}"
        for each in first.findings
        if each.finding_class not in made
    ]
    outcomes = [_outcome(each, found.get(each.finding_class), mended, errors, resolved) for each in defects]
    return outcomes, [*unasked, *left]


def _outcome(
    defect: "Defect",
    finding: "Finding | None",
    mended: set[str],
    errors: dict[str, str],
    resolved: set[str],
) -> Sabotaged:
    if finding is None:
        return Sabotaged(
            finding_class=defect.finding_class.value,
            is_found=False,
            repair=None,
            repair_error=None,
            is_resolved=False,
        )
    error = errors.get(finding.finding_id)
    if finding.repair is not None and finding.finding_id not in mended:
        error = "the repairing audit did not touch it"
    elif finding.repair is None and defect.undo is None:
        error = "there is no repair"
    return Sabotaged(
        finding_class=defect.finding_class.value,
        is_found=True,
        repair=finding.repair.value if finding.repair else None,
        repair_error=error,
        is_resolved=finding.finding_id in resolved,
    )


def _audit(world: "World", *, repair: bool = False) -> "AuditReport":
    from common.audit.report import Asked

    return world.auditor().run(Asked(repair=repair)).unwrap()


def _resolved(world: "World", finding_ids: set[str]) -> set[str]:
    """Those of them that somebody is told the end of."""
    resolved: set[str] = set()
    for _ in range(_MAX_CLEAN_AUDITS):
        told = [each.split() for each in _audit(world).told]
        resolved |= {finding_id for finding_id, change in told if change == "resolved"}
        if finding_ids <= resolved:
            break
    return resolved


def _left_when_at_rest(world: "World") -> list[str]:
    """What is not as it was before the round, once everything that was set in motion has come to its end."""
    ends_at = time.monotonic() + _AT_REST_WITHIN_SECONDS
    while (waiting := world.unsettled()) and time.monotonic() < ends_at:
        time.sleep(_LOOK_EVERY_SECONDS)
    return [
        *(f"batch {batch_id} is not at rest: {why}" for batch_id, why in waiting.items()),
        *(f"the rows of {player} are not as predicted" for player in world.lost_rows()),
    ]


def main() -> None:
    from common.runtime.wiring import WarehouseWiring
    from common.settings import WarehouseSettings

    from .sabotage import ROUNDS, prepare
    from .sabotage_world import World

    game_date, batch_id, answer = date.fromisoformat(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
    wiring = WarehouseWiring(WarehouseSettings, function="sabotage", environment=os.environ)
    world = World(wiring, game_date, batch_id)
    prepare(world)
    others = [f"nobody made {each.finding_class.value}: {each.summary}" for each in _audit(world).findings]
    defects: list[Sabotaged] = []
    for each in ROUNDS:
        outcomes, also = play_round(world, each)
        defects += outcomes
        others += also
    told = {"defects": [vars(each) for each in defects], "others": others}
    answer.write_text(json.dumps(told), encoding="utf-8")


if __name__ == "__main__":
    main()
