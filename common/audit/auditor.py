"""One audit: look, remember, tell, mend if asked, and leave a document of it all.

checks ──▶ outcomes ──▶ findings, stores that are down ──▶ remembered and told ──▶ repairs ──▶ audits/{run_id}
"""

import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any, Final, Protocol

import structlog

from ..findings import Finding
from ..findings.channel import Channel
from ..findings.reporter import Reporter, Told
from ..findings.rules import is_repaired_elsewhere
from ..findings.store import FindingStore
from ..result import ErrorInfo, Result
from ..texts import counted
from . import turns
from .audit_log import AuditLog
from .batches_seen import Seen
from .checks import CHECKS, Check, Sight
from .in_turn import Resume
from .looking import DAYS_BACK, dates_of, findings_of, guarded, looked_of, wanted_of
from .outcomes import Outcome, Unknown
from .report import STORES_CHECK, Asked, AuditReport, Mended, outcome_fields, stores_down

TIME_LIMIT: Final = timedelta(seconds=420)
"""For the checks; what follows has the rest of the function's time."""

log = structlog.get_logger()


class Repairs(Protocol):
    """Carries out the repairs that findings name; only safe ones (see `repairs`)."""

    def mend(self, finding: Finding) -> Mended:
        """Mend what the finding tells of, if it is still so.

        Never raises for a repair that fails: `error` says why.
        """


LookAt = Callable[..., Sight]
"""Makes the sight of a run: what concerns this run alone is given, everything else is wired."""


@dataclass(frozen=True, kw_only=True)
class Auditor:
    """Audits one deployment; safe to run beside others, and beside everything that works."""

    sight: LookAt
    store: FindingStore
    channel: Channel
    audit_log: AuditLog
    repairs: Repairs
    now: Callable[[], datetime]
    today: Callable[[], date]
    """The date in the pipeline's zone."""
    checks: Sequence[Check] = CHECKS
    monotonic: Callable[[], float] = time.monotonic
    """Measures the time limit; the wall clock may be set."""
    time_limit: timedelta = TIME_LIMIT
    """For the checks; see TIME_LIMIT."""
    run_id: Callable[[], str] = field(default=lambda: uuid.uuid4().hex[:12])
    """The random part of the id of a run."""

    def run(self, asked: Asked) -> Result[AuditReport]:
        """A partial where the run could not be written down or told; its report is right all the same.

        Safe to repeat and to run twice at once: findings are told once, repairs are idempotent.
        """
        # In this order: what was found is remembered before anybody is told, told before it is mended, and
        # mended before the report says so. A run that dies leaves the next one everything that it had found.
        run_id = f"{self.now():%Y%m%dT%H%M%S}-{self.run_id()}"
        started_at = self.now()
        # Before the look, whose order depends on it: checks that the last run had to stop come last.
        resume = self._resume()
        outcomes = self._look(asked, resume)
        findings = (*findings_of(outcomes), *stores_down(outcomes))
        told = self._tell(findings, outcomes, started_at, run_id)
        mended = self._mend(findings, told) if asked.repair else ()
        report = AuditReport(
            run_id=run_id,
            started_at=started_at,
            ended_at=self.now(),
            batch_id=asked.batch_id,
            game_date=asked.game_date.isoformat() if asked.game_date else None,
            repair=asked.repair,
            outcomes=outcomes,
            findings=findings,
            told=_changes(told),
            # A run that could not remember has told nobody, and so has kept nothing back either.
            inhibited=told.unwrap().inhibited_count if told.is_success else 0,
            untold=_untold(told),
            mended=mended,
            # A look at one batch or date comes to nobody's end: where the last full run stopped stays.
            resume=resume if asked.is_limited else turns.next_resume(outcomes, resume),
        )
        written = self.audit_log.write(report)
        _log(report)
        error = written.error or (report.untold[0] if report.untold else None)
        return Result.success(report) if error is None else Result.partial(report, error)

    def _look(self, asked: Asked, resume: Sequence[Resume]) -> dict[str, Outcome]:
        """The outcome of each check, by name, in the order in which they had their turn.

        Checks that the last run had to stop come after the others (`turns.in_order`): most take no time. The
        time limit is one for all: a check for which none is left says so, and is resumed by the next run.
        """
        # One end for all checks, taken before anything is read: the reading of the batches counts, too.
        ends_at = self.monotonic() + self.time_limit.total_seconds()
        first = self.today() - timedelta(days=DAYS_BACK)
        # Without them, what is over is found to be over by the next run.
        unsettled = self.store.unsettled()
        known = (unsettled.data or {}).values()
        open_findings = [each.finding for each in known]
        sight = self.sight(
            now=self.now(),
            dates=dates_of(asked, first, open_findings),
            seconds_left=lambda: ends_at - self.monotonic(),
            resume_after={each.check: each.after for each in resume},
            findings=self.store,
            open_findings=unsettled.map(lambda _: open_findings),
            pending=[each for each in known if each.is_open and each.pending is not None],
            seen=_NOT_SEEN,
        )
        # Once for all checks, and last: what they judge is as late as can be, and the same for each.
        sight = replace(sight, seen=sight.batches.seen(wanted_of(asked, first, open_findings)))
        checks = [check for check in self.checks if asked.includes(check.of)]
        return {check.name: guarded(check, sight) for check in turns.in_order(checks, resume)}

    def _resume(self) -> tuple[Resume, ...]:
        """Where the last run had to stop. Nothing is lost where that is not known: all is looked at anew."""
        # Not unwrapped: an audit that cannot read its own log is needed more than any other.
        last = self.audit_log.resume()
        if last.error is not None:
            log.warning("begun anew", action="resume_unknown", error=last.error.to_dict())
        return last.data or ()

    def _tell(
        self,
        findings: Sequence[Finding],
        outcomes: Mapping[str, Outcome],
        started_at: datetime,
        run_id: str,
    ) -> Result[Told]:
        """Remember and tell.

        A store that cannot remember leaves one message with what is down, and no finding is lost: the next
        run finds it again.
        """
        reporter = Reporter(self.store, self.channel, now=self.now, teller=run_id)
        told = reporter.conclude(findings, looked_of(outcomes, self.checks), started_at)
        if told.error is not None:
            self._tell_without_memory(findings, told.error)
        return told

    def _tell_without_memory(self, findings: Sequence[Finding], error: ErrorInfo) -> None:
        """Where findings cannot be remembered, people hear that at least, and how many there are."""
        log.error("findings could not be remembered", action="findings_forgotten", error=error.to_dict())
        roots = [each for each in findings if each.check == STORES_CHECK]
        lines = [f":rotating_light: *{each.finding_class.value}* {each.summary}" for each in roots]
        others = counted(len(findings) - len(roots), "other finding")
        # One message, and not one for each: without memory the next run would tell them all once more.
        sent = self.channel.send("\n".join([*lines, f"{others} could not be remembered."]))
        if sent.error is not None:
            log.error("nobody could be told", action="findings_undelivered", error=sent.error.to_dict())

    def _mend(self, findings: Sequence[Finding], told: Result[Told]) -> tuple[Mended, ...]:
        """What is asked of others already, and may still arrive, is not asked again; what a person has to
        want is left to him."""
        # As they are stored now, those of this run among them: another auditor may have asked meanwhile.
        known = told.data.tracked if told.data is not None else ()
        now = self.now()
        asked = {each.finding_id for each in known if is_repaired_elsewhere(each, now)}
        wanting = [
            each
            for each in findings
            if each.repair is not None and not each.repair.is_by_hand and each.finding_id not in asked
        ]
        mended = tuple(self._mend_one(each) for each in wanting)
        # Logged one by one and before the report is written: where the run dies on the way, the log still
        # tells what it has changed.
        for each in mended:
            tell = log.info if each.error is None else log.error
            tell(f"repaired: {each.repair}", action="repaired", **each.to_fields())
        return mended

    def _mend_one(self, finding: Finding) -> Mended:
        """What became of one repair; never raises, so that the others have their turn."""
        try:
            return self.repairs.mend(finding)
        except Exception as exc:  # the boundary: one repair that is broken keeps no other from mending
            log.exception("repair failed", action="repair_failed", finding_id=finding.finding_id)
            error = ErrorInfo.from_exception(exc, finding_id=finding.finding_id)
            repair = finding.repair.value if finding.repair else ""
            return Mended(finding_id=finding.finding_id, repair=repair, before={}, after={}, error=error)


_NOT_SEEN: Final[Result[Seen]] = Result.failure(ErrorInfo.transient("NotSeen", "nothing was read yet"))


def _changes(told: Result[Told]) -> tuple[str, ...]:
    """`{finding_id} {change}` of whatever was told, for the audit's document."""
    notices = told.unwrap().notices if told.is_success else ()
    return tuple(f"{each.tracked.finding_id} {each.change.value}" for each in notices)


def _untold(told: Result[Told]) -> tuple[ErrorInfo, ...]:
    """Why somebody was not told; of a run that could not remember, that alone."""
    return told.unwrap().undelivered if told.error is None else (told.error,)


def _log(report: AuditReport) -> None:
    """One JSON line for each run, which alerts and dashboards go by: a warning where anything is not well."""
    unknown = [name for name, each in report.outcomes.items() if isinstance(each, Unknown)]
    fields: dict[str, Any] = {
        "run_id": report.run_id,
        "is_ok": report.is_ok,
        "findings": len(report.findings),
        "unknown": unknown,
        "repairs": len(report.mended),
        "cost": vars(report.cost),
        "checks": {name: outcome_fields(each)["result"] for name, each in report.outcomes.items()},
    }
    tell = log.info if report.is_ok else log.warning
    found = counted(len(report.findings), "finding")
    tell(f"audit: {found}, {len(unknown)} unknown", action="audited", **fields)
