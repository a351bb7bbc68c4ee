"""Breaks everything, and follows it until somebody is told that it is over; a process of its own.

`python -m local.sabotage.playing TODAY FILE`, in the environment of the stack's processes.

    a store is away ──▶ all is broken ──▶ one audit finds it, and repairs ──▶ a person mends the rest
                                          ──▶ batches at rest ──▶ clean audits ──▶ told resolved
"""

import json
import os
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Final

import structlog

from common.audit.report import Asked, AuditReport
from common.batches.records import Batch
from common.findings import Tracked
from common.findings.store import FindingStore

from .batch_defects import FAILED, SLOW, UNTRIGGERED
from .case import Case
from .catalogue import AT_ONCE, BEFORE
from .clocks import STUCK
from .defect import ByAudit, ByPerson, Otherwise
from .outcome import Sabotaged
from .person import FOUND, Person, is_writing
from .phase_defects import play_the_days_before
from .row_defects import BATCH, ask_for_rows, has_rows, is_over
from .system_defects import tick
from .waiting import until
from .world import World

_AT_REST_WITHIN_SECONDS: Final = 30.0
"""For a batch to be predicted, recorded and merged by the functions of this machine."""
_MAX_CLEAN_AUDITS: Final = 4
"""Two are enough to be told; a batch that is still at work when one looks needs another."""
_HANDS: Final = 3
"""Commands that are given at a time."""
MENDED: Final = (BATCH, FAILED, SLOW, UNTRIGGERED, STUCK)
"""The batches that come to their end once everything is mended."""
ROOT: Final = Path(__file__).resolve().parents[2]

log = structlog.get_logger()


class Play:
    """All defects on one system, from the first to the last look."""

    def __init__(self, world: World, person: Person) -> None:
        self._world = world
        self._person = person
        self._store = FindingStore(world.wiring.documents())
        self._began = time.monotonic()

    def run(self) -> tuple[list[Sabotaged], list[str]]:
        """What became of each, and what is there that nobody has made."""
        self._step("prepare")
        self._prepare()
        self._step("look while a store is away")
        # Alone: where a store is away, an audit can say nothing of the rest.
        before = [Case(defect=each, expected=each.make(self._world)) for each in BEFORE]
        # Nothing else is broken yet: whatever is found beside it, nobody has made.
        others = self._find(before)
        for case in before:
            self._undo(case)
        self._step("wait for the batch whose rows are broken")
        if not has_rows(self._world, within_seconds=_AT_REST_WITHIN_SECONDS):
            others.append(f"the workers have not answered for {BATCH}")
        self._step("break all at once")
        cases = [Case(defect=each, expected=each.make(self._world)) for each in AT_ONCE]
        self._step("find and repair")
        # One run finds all and repairs what it may: classes that disturbed each other would show here.
        repaired = self._world.auditor().run(Asked(repair=True)).unwrap()
        others += self._find([*before, *cases])
        self._step("mend by hand")
        self._mend(cases, repaired)
        self._step("wait for what comes again")
        others += [f"batch {batch_id}: {why}" for batch_id, why in self._wait_for(*MENDED).items()]
        self._step("look until all is told to be over")
        every = [*before, *cases]
        resolved, last = self._resolved({name for case in every for name in case.finding_ids})
        others += [f"still found: {each.finding_class.value}: {each.summary}" for each in last.findings]
        others += [f"the rows of {player} are not as predicted" for player in lost_rows(self._world)]
        return [case.outcome(resolved) for case in every], others

    def _step(self, what: str) -> None:
        """Log where it is, with the seconds so far: a run that hangs tells in its log where."""
        log.info(what, action="sabotage_step", seconds=round(time.monotonic() - self._began, 1))

    def _prepare(self) -> None:
        """What the days of a deployment have: ticks of the sweeps, phases that are over, and a batch."""
        world = self._world
        tick(world)
        play_the_days_before(world)
        ask_for_rows(world)

    def _find(self, cases: Sequence[Case]) -> list[str]:
        """What of them is open now; returns what is open as well, and nobody has made."""
        opened = [each.finding for each in self._store.unsettled().unwrap().values() if each.is_open]
        for case in cases:
            if not case.findings:
                case.take(opened)
        known = {name for case in cases for name in case.finding_ids}
        return [
            f"nobody made {each.finding_class.value}: {each.scope.name}: {each.summary}"
            for each in opened
            if each.finding_id not in known
        ]

    def _mend(self, cases: Sequence[Case], repaired: AuditReport) -> None:
        """By the audit, which has done so already, and by a person with a few hands, who looks first."""
        for case in cases:
            if isinstance(case.defect.mended, ByAudit):
                case.note_repair(repaired)
        # A command takes a second or two to start; one after the other they would take minutes.
        with ThreadPoolExecutor(_HANDS) as hands:
            list(hands.map(self._by_person, cases))

    def _undo(self, case: Case) -> None:
        """Mend what nothing of ours mends; nothing for any other defect."""
        if isinstance(case.defect.mended, Otherwise):
            case.defect.mended.undo(self._world)
            case.mended = case.defect.mended.what

    def _by_person(self, case: Case) -> None:
        """Look, then mend."""
        mending = case.defect.mended
        if isinstance(mending, ByAudit):
            return
        commands = [
            command
            for finding in case.findings
            for command in (
                mending.commands(self._world, finding)
                if isinstance(mending, ByPerson)
                else [finding.look or finding.command]
            )
        ]
        # In their order, each once: several findings may name one command.
        for command in dict.fromkeys(commands):
            worst = mending.worst_status if isinstance(mending, Otherwise) else FOUND
            problem = self._person.does_once(command, worst_status=worst)
            if problem is not None:
                case.problems.append(problem)
            elif isinstance(mending, ByPerson) and (is_writing(command) or not case.mended):
                case.mended = command
        self._undo(case)

    def _wait_for(self, *batch_ids: str) -> dict[str, str]:
        """Batches that have not come to their end in time, with what they are instead."""
        # Workers and functions are at it; only their stores tell when.
        until(lambda: not self._unsettled(batch_ids), within_seconds=_AT_REST_WITHIN_SECONDS)
        return self._unsettled(batch_ids)

    def _unsettled(self, batch_ids: Sequence[str]) -> dict[str, str]:
        """Those of these batches that are not over, with how they stand."""
        found = [self._world.batches.get(batch_id).unwrap() for batch_id in batch_ids]
        return {each.batch_id: _stands(each) for each in found if not is_over(each)}

    def _resolved(self, finding_ids: set[str]) -> tuple[set[str], AuditReport]:
        """Those of them that somebody was told the end of, and the last audit."""
        for _ in range(_MAX_CLEAN_AUDITS):
            last = self._world.auditor().run(Asked()).unwrap()
            tracked = self._store.get(finding_ids).unwrap()
            # An end is told after two clean audits, so one is never enough.
            resolved = {each.finding_id for each in tracked.values() if _is_told_to_be_over(each)}
            if finding_ids <= resolved:
                break
        return resolved, last


def _is_told_to_be_over(tracked: Tracked) -> bool:
    """Resolved, and told so: the second follows from the first only if somebody heard of it."""
    return not tracked.is_open and tracked.told.value == "resolved"


def _stands(batch: Batch) -> str:
    """How a batch stands, for a sentence about one that has not come to its end."""
    return f"{batch.status.value}, generation {batch.generation}, {batch.counts.timed_out} timed out"


def lost_rows(world: World) -> list[str]:
    """Players of the batch whose rows in the main table are not as many as their completions tell of."""
    sql = "SELECT player_lookup, COUNT(*) AS number FROM {main} WHERE game_date = @game_date GROUP BY 1"
    there = {row["player_lookup"]: row["number"] for row in world.rows(sql, game_date=world.day(-1))}
    told = {each.player_lookup: each.staged_rows or 0 for each in world.batches.completions(BATCH).unwrap()}
    return sorted(name for name in there.keys() | told.keys() if there.get(name, 0) != told.get(name, 0))


def main() -> None:
    """Break, follow, and leave the answer in the file that the second argument names."""
    today, answer = date.fromisoformat(sys.argv[1]), Path(sys.argv[2])
    world = World(os.environ, today)
    person = Person(root=ROOT, environment=os.environ, log=answer.with_name("sabotage-commands.log"))
    outcomes, others = Play(world, person).run()
    told = {"defects": [vars(each) for each in outcomes], "others": others}
    answer.write_text(json.dumps(told), encoding="utf-8")


if __name__ == "__main__":
    main()
