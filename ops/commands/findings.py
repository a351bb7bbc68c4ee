"""Commands about findings: look now, mend one, keep one quiet for a while."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Final, Protocol

from rich.console import RenderableType
from rich.text import Text

from common.audit.auditor import Auditor
from common.audit.outcomes import Outcome, Unknown
from common.audit.report import Asked, AuditReport, Mended
from common.findings.records import Finding, FindingClass, Repair, Severity
from common.findings.store import FindingStore
from common.findings.telling import silenced
from common.findings.tracked import Silence, Tracked
from common.result import ErrorInfo, Result, ResultError
from common.texts import counted

from ..answer import Answer, to_json
from ..bulk import plan_for_each, refuse_unless_one_is_named
from ..exit_status import ExitStatus
from ..plan import Plan, Step
from ..refusals import refused, wrong_usage
from ..selection import Fields, Selection, day, flag, text, time
from ..wording import duration, moment

SEARCHED: Final = "Of the findings that are open."
FIELDS: Final[Fields[Tracked]] = {
    "finding_id": text(lambda each: each.finding_id),
    "class": text(lambda each: each.finding.finding_class, choices=FindingClass),
    "severity": text(lambda each: each.finding.severity, choices=Severity),
    "scope": text(lambda each: each.finding.scope.name),
    "subject": text(lambda each: each.finding.subject),
    "summary": text(lambda each: each.finding.summary),
    "game_date": day(lambda each: each.finding.scope.game_date),
    "repair": text(lambda each: each.finding.repair, choices=Repair),
    "silent": flag(lambda each: each.silence is not None),
    "first_seen": time(lambda each: each.first_seen),
}
"""What `--where` may ask of a finding."""


class Repairs(Protocol):
    """Carries out the repair that a finding names."""

    def mend(self, finding: Finding) -> Mended:
        """What was before and what is now; a repair that failed says why in `error`, and does not raise."""


def audit(auditor: Auditor, asked: Asked, here: Callable[[str], str]) -> Answer:
    """One run, as the scheduler starts it: what is found is remembered and told, nothing is repaired.

    3 where a check could not look, 1 where something was found, told to nobody or not written down. Raises
    ResultError only where there is no report at all.
    """
    ran = auditor.run(asked)
    # A partial has a report, too: an audit that could not be written down has looked all the same.
    if ran.is_failure or ran.data is None:
        raise ResultError(ran.error or ErrorInfo.transient("NoReport", "the audit gave no report"))
    report = ran.data
    unknown = [name for name, outcome in report.outcomes.items() if isinstance(outcome, Unknown)]
    # What could not be looked at is worse than what was found: nothing is known of it.
    status = ExitStatus.WELL if report.is_ok else ExitStatus.FOUND
    return Answer(
        data=report.to_document(),
        shown=[*_run(report), *(_line(each, here) for each in report.findings), _summary(report, ran.error)],
        status=ExitStatus.COULD_NOT_LOOK if unknown else status,
    )


def plan_repair(store: FindingStore, repairs: Repairs, finding_id: str) -> Plan:
    """Let the auditor's repair mend one finding. Nothing to do for one that is over.

    Raises ResultError: NoSuchThing for a finding that is not there, a refusal where no repair is known.
    Repairs may be repeated: a command that was cut short is given again.
    """
    tracked = _tracked(store, finding_id)
    finding = tracked.finding
    plan = Plan(command=f"repair {finding_id}", steps=[], seen=_seen(tracked))
    if not tracked.is_open:
        return replace(plan, shown=[f"{finding_id} is over."])
    # Before a plan is shown: a step that cannot but fail must not be offered to anybody.
    if finding.repair is None:
        raise refused(f"{finding_id}: nothing mends it by itself; look closer with {finding.command}")

    def mend(_: str) -> Result[str]:
        mended = repairs.mend(finding)
        if mended.error is not None:
            return Result.failure(mended.error)
        return Result.success(f"before {to_json(mended.before)}, after {to_json(mended.after)}")

    said = f"{finding.repair.value.replace('_', ' ')}: {finding.scope.name}: {finding.summary}"
    return replace(plan, steps=[Step(sentence=f"{said} ({finding_id})", do=mend)])


def plan_silence(
    store: FindingStore, finding_id: str, until: datetime, *, who: str, why: str, now: datetime
) -> Plan:
    """Tell nobody of it until then; it is looked for and recorded all the same, and the silence expires.

    Nothing to do where it is silent until that very moment; another time takes the place of the first, be it
    earlier or later. Raises ResultError: WrongUsage for a time that is over, NoSuchThing.

        plan ── an audit writes the finding ── step: read again ── written, if it is as it was read
                                                                ╰─ written since: Overtaken, once more
    """
    if until <= now:
        raise wrong_usage(f"--until: {moment(until)} UTC is over")
    tracked = _tracked(store, finding_id)
    plan = Plan(
        command=f"silence {finding_id} --until {moment(until)}",
        steps=[],
        seen={**_seen(tracked), "silent until": moment(tracked.silence.until) if tracked.silence else ""},
    )
    # Only the same end is the same silence; its reason and its author stay those of the first.
    if tracked.silence is not None and tracked.silence.until == until:
        return plan
    silence = Silence(who=who, why=why, until=until)

    def keep_quiet(_: str) -> Result[str]:
        # Read again: between plan and act an audit may have written it, whose new state must not be undone.
        put = store.put(silenced(_tracked(store, finding_id), silence))
        if put.error is not None:
            return Result.failure(put.error)
        if put.data is None:
            return Result.failure(ErrorInfo.transient("Overtaken", "an audit wrote it meanwhile: once more"))
        return Result.success(f"silent until {moment(until)} UTC")

    sentence = f"silence {finding_id} until {moment(until)} UTC: {tracked.finding.summary}"
    return replace(plan, steps=[Step(sentence=sentence, do=keep_quiet)])


def plan_for_findings(
    verb: str,
    store: FindingStore,
    finding_id: str | None,
    *,
    where: Selection[Tracked],
    plan_of: Callable[[str], Plan],
) -> Plan:
    """`plan_of` one finding, or of each open one that `where` chooses.

    Raises ResultError where neither or both are said, and where the findings cannot be read.
    """
    refuse_unless_one_is_named("a finding", finding_id, where)
    if finding_id is not None:
        return plan_of(finding_id)
    # Of those that are over nothing is mended, and nobody is told.
    opened = [each for each in store.unsettled().unwrap().values() if each.is_open]
    chosen = sorted(each.finding_id for each in where.of(opened))
    return plan_for_each(verb, "finding", chosen, where, name=str, plan_of=plan_of)


def _seen(tracked: Tracked) -> dict[str, str]:
    """What a plan's token rests on: one whose players or figures have changed is looked at again."""
    return {
        "state": "open" if tracked.is_open else "over",
        "scope": tracked.finding.scope.name,
        "finding": tracked.finding.summary,
    }


def _tracked(store: FindingStore, finding_id: str) -> Tracked:
    """The finding as it is remembered; raises ResultError (NoSuchThing)."""
    found = store.get([finding_id]).unwrap().get(finding_id)
    if found is None:
        raise ResultError(ErrorInfo.permanent("NoSuchThing", f"finding {finding_id!r}: there is none"))
    return found


def _run(report: AuditReport) -> list[RenderableType]:
    """One line for each check that did not simply find all well."""
    lines: list[RenderableType] = []
    for name, outcome in report.outcomes.items():
        said = _said(outcome)
        if said:
            lines.append(Text.assemble((f"{name}: ", "bold"), said))
    return lines


def _said(outcome: Outcome) -> str:
    """What a check could not do, or did not come to; "" where it looked everywhere."""
    if isinstance(outcome, Unknown):
        return f"could not look: {outcome.store}: {outcome.error.message}"
    return f"{outcome.left} left for the next run" if outcome.left else ""


def _line(finding: Finding, here: Callable[[str], str]) -> Text:
    """A finding, and below it the command to paste, as it is given in this terminal."""
    said = f"{finding.scope.name}: {finding.summary}\n    {here(finding.command)}"
    return Text.assemble((f"{finding.finding_class.value}  ", "bold red"), said)


def _summary(report: AuditReport, error: ErrorInfo | None) -> str:
    """The run in a sentence. `error` is why it was not told or written down: it was made all the same."""
    took = duration(report.ended_at - report.started_at)
    checks = counted(len(report.outcomes), "check")
    problem = f" Not told or not written down: {error.message}." if error else ""
    return f"{checks} in {took}, {counted(len(report.findings), 'finding')}: audits/{report.run_id}.{problem}"
