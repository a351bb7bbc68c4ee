"""Commands about findings: look now, mend one, keep one quiet for a while."""

from datetime import datetime
from typing import Protocol

from rich.console import RenderableType
from rich.text import Text

from common.audit.auditor import Auditor
from common.audit.outcomes import Outcome, Unknown
from common.audit.report import Asked, AuditReport, Mended
from common.findings.records import Finding, Silence, Tracked
from common.findings.rules import silenced
from common.findings.store import FindingStore
from common.result import ErrorInfo, Result, ResultError

from ..answer import Answer, to_json
from ..exit_status import ExitStatus
from ..operations import Plan, Step
from ..wording import count, duration, moment


class Repairs(Protocol):
    def mend(self, finding: Finding) -> Mended: ...


def audit(auditor: Auditor, asked: Asked) -> Answer:
    """One run, as the scheduler starts it: what is found is remembered and told, nothing is repaired."""
    ran = auditor.run(asked)
    if ran.is_failure or ran.data is None:
        raise ResultError(ran.error or ErrorInfo.transient("NoReport", "the audit gave no report"))
    report = ran.data
    unknown = [name for name, outcome in report.outcomes.items() if isinstance(outcome, Unknown)]
    status = ExitStatus.WELL if report.is_ok else ExitStatus.FOUND
    return Answer(
        data=report.to_document(),
        shown=[*_run(report), *(_line(each) for each in report.findings), _summary(report, ran.error)],
        status=ExitStatus.COULD_NOT_LOOK if unknown else status,
    )


def plan_repair(store: FindingStore, repairs: Repairs, finding_id: str) -> Plan:
    """Let the auditor's repair mend one finding."""
    tracked = _tracked(store, finding_id)
    finding = tracked.finding
    command = f"repair {finding_id}"
    if not tracked.is_open:
        return Plan(command=command, steps=[], shown=[f"{finding_id} is over."])
    if finding.repair is None:
        why = f"{finding_id}: nothing mends it by itself; look closer with {finding.command}"
        raise ResultError(ErrorInfo.permanent("WrongUsage", why))

    def mend() -> Result[str]:
        mended = repairs.mend(finding)
        if mended.error is not None:
            return Result.failure(mended.error)
        return Result.success(f"before {to_json(mended.before)}, after {to_json(mended.after)}")

    sentence = f"{finding.repair.value.replace('_', ' ')}: {finding.scope.name}: {finding.summary}"
    return Plan(command=command, steps=[Step(sentence=sentence, do=mend)])


def plan_silence(
    store: FindingStore, finding_id: str, until: datetime, *, who: str, why: str, now: datetime
) -> Plan:
    """Tell nobody of it until then; it is looked for and recorded all the same, and the silence expires."""
    if until <= now:
        why_not = f"--until: {moment(until)} UTC is over"
        raise ResultError(ErrorInfo.permanent("WrongUsage", why_not))
    tracked = _tracked(store, finding_id)
    silence = Silence(who=who, why=why, until=until)

    def keep_quiet() -> Result[str]:
        put = store.put(silenced(_tracked(store, finding_id), silence))
        if put.error is not None:
            return Result.failure(put.error)
        if put.data is None:
            return Result.failure(ErrorInfo.transient("Overtaken", "an audit wrote it meanwhile: once more"))
        return Result.success(f"silent until {moment(until)} UTC")

    sentence = f"silence {tracked.finding.summary!r} for {duration(until - now)}"
    return Plan(command=f"silence {finding_id}", steps=[Step(sentence=sentence, do=keep_quiet)])


def _tracked(store: FindingStore, finding_id: str) -> Tracked:
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
    if isinstance(outcome, Unknown):
        return f"could not look: {outcome.store}: {outcome.error.message}"
    return f"{outcome.left} left for the next run" if outcome.left else ""


def _line(finding: Finding) -> Text:
    said = f"{finding.scope.name}: {finding.summary}\n    {finding.command}"
    return Text.assemble((f"{finding.finding_class.value}  ", "bold red"), said)


def _summary(report: AuditReport, error: ErrorInfo | None) -> str:
    took = duration(report.ended_at - report.started_at)
    checks = count(len(report.outcomes), "check")
    problem = f" Not told or not written down: {error.message}." if error else ""
    return f"{checks} in {took}, {count(len(report.findings), 'finding')}: audits/{report.run_id}.{problem}"
