"""An audit of the day that was played, by a process of its own: the scheduler would start it an hour later.

`python -m local.judging.day_audit DATE FILE`, in the environment of the stack's processes.
"""

import json
import os
import sys
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from common.texts import counted

from .own_process import NoAnswer, answer_of
from .promises import Verdict

TIMEOUT_SECONDS: Final = 180
"""An audit of one day takes seconds; this is for a machine that is busy."""


@dataclass(frozen=True, kw_only=True)
class DayAudit:
    """What the audit says; `problem` is why there was none."""

    findings: tuple[str, ...] = ()
    """A sentence each."""
    unknown: tuple[str, ...] = ()
    """Checks that could not look."""
    checks: int = 0
    reads: int = 0
    problem: str | None = None


def audit_the_day(game_date: date, folder: Path, environment: dict[str, str], root: Path) -> DayAudit:
    """A dry run over the batches and phases of the date; waits for its end, three minutes at most.

    Never raises: an audit that gave no answer is a `DayAudit` with the problem, which is judged as a broken
    promise. What was found is remembered and told as in a deployment: again, nothing is told anew.
    """
    try:
        told = answer_of(
            __name__,
            [game_date.isoformat()],
            name="audit",
            folder=folder,
            environment=environment,
            root=root,
            timeout_seconds=TIMEOUT_SECONDS,
        )
    except NoAnswer as error:
        return DayAudit(problem=str(error))
    return DayAudit(
        findings=tuple(told["findings"]),
        unknown=tuple(told["unknown"]),
        checks=told["checks"],
        reads=told["reads"],
    )


def judge_audit(found: DayAudit) -> Verdict:
    """An audit that finds nothing on a day that was played well, and could look everywhere. Pure."""
    problem = () if found.problem is None else (found.problem,)
    unknown = tuple(f"{name} could not look" for name in found.unknown)
    return Verdict(
        promise="An audit of the day finds nothing",
        evidence=f"{counted(found.checks, 'check')}, {counted(found.reads, 'document')} read, 0 findings",
        broken=(*problem, *found.findings, *unknown),
    )


def main() -> None:
    """Audit the date of the first argument; the answer goes into the file of the second.

    A dry run: nothing is mended.
    """
    # Here: who only judges, in the process of the run, loads no client.
    from common.audit.assembly import Audit
    from common.audit.outcomes import Unknown
    from common.audit.report import Asked
    from common.runtime.wiring import WarehouseWiring
    from common.settings import WarehouseSettings

    game_date, answer = date.fromisoformat(sys.argv[1]), Path(sys.argv[2])
    wiring = WarehouseWiring(WarehouseSettings, function="day_audit", environment=os.environ)
    report = Audit(wiring).auditor().run(Asked(game_date=game_date)).unwrap()
    told = {
        "findings": [f"{each.finding_class.value}: {each.summary}" for each in report.findings],
        "unknown": [name for name, each in report.outcomes.items() if isinstance(each, Unknown)],
        "checks": len(report.outcomes),
        "reads": report.cost.reads,
    }
    answer.write_text(json.dumps(told), encoding="utf-8")


if __name__ == "__main__":
    main()
