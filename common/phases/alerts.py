"""Who is told what of a boundary: findings of one check, which the auditor and the operator see too."""

from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

from ..findings import Finding, FindingClass, Scope, Severity
from ..findings.records import operator_command
from ..result import Result
from .alert_rules import Alert
from .records import Day
from .shape import Boundary

CHECK: Final = "phase_transitions"

_CLASSES: Final[Mapping[str, tuple[FindingClass, Severity]]] = {
    "abandoned": (FindingClass.ABANDONED_PHASE, Severity.WARNING),
    "tier_fired": (FindingClass.INCOMPLETE_START, Severity.WARNING),
    "blocked_too_long": (FindingClass.STUCK_PHASE, Severity.CRITICAL),
    "critical_missing": (FindingClass.STUCK_PHASE, Severity.CRITICAL),
    "deadline_missed": (FindingClass.STUCK_PHASE, Severity.CRITICAL),
}
"""Kind of alert → how the auditor's findings call it, and how loud it is."""


class Reporter(Protocol):
    """Tells a finding once per change of its state; see `common/findings`."""

    def report(self, finding: Finding) -> Result[Any]:
        """Remember it, and tell it if nobody was told."""


class Alerts:
    """Tells what `alert_rules.alerts` finds; the reporter is made when there is something to tell.

    Safe to share between threads.
    """

    def __init__(self, reporter: Callable[[], Reporter]) -> None:
        self._reporter = reporter

    def tell(self, boundary: Boundary, day: Day, alert: Alert) -> Result[None]:
        """Tell one alert. Safe to repeat: the same alert is the same finding, which is told once.

        Failures are those of the store of findings or of the channel; the caller tries again at its next
        look.
        """
        return self._reporter().report(finding_of(boundary, day, alert)).map(lambda _: None)


def finding_of(boundary: Boundary, day: Day, alert: Alert) -> Finding:
    """The alert as people are told of it; the same alert gives the same id."""
    finding_class, severity = _CLASSES[alert.kind]
    if alert.kind == "deadline_missed" and is_silent(day):
        # Nothing came at all: that is another fault than a processor that is late, and another person's.
        finding_class = FindingClass.SILENT_PHASE
    return Finding(
        finding_class=finding_class,
        severity=severity,
        check=CHECK,
        scope=Scope.of_date(day.key.game_date),
        subject=f"{boundary.name} {alert.id}",
        summary=alert.sentence,
        # Who is missing: the finding names whom to look for.
        ids=day.decision.missing if day.decision else (),
        look=operator_command("phases", day.key.game_date.isoformat()),
    )


def is_silent(day: Day) -> bool:
    """Whether no processor of the phase has reported anything of the date."""
    decided_on = day.decision is not None and (day.decision.present or day.decision.failed)
    return not day.reports and not decided_on
