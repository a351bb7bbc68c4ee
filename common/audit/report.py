"""What one audit did and found: `audits/{run_id}`."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from ..findings import Finding, FindingClass, Scope, ScopeKind, Severity, operator_command
from ..result import ErrorInfo, ErrorType
from .in_turn import Resume
from .outcomes import Cost, Found, Outcome, Unknown

STORES_CHECK: Final = "stores"
"""The check that findings about stores belong to: no function of its own, it follows from the others."""
MAX_FINDINGS_LISTED: Final = 500
"""Ids in the audit's document; `finding_count` tells of all."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a run is asked for; without batch and date it looks at everything that may need it."""

    batch_id: str | None = None
    game_date: date | None = None
    repair: bool = False
    """Whether safe repairs are carried out; without it a run only looks and tells."""

    @property
    def is_limited(self) -> bool:
        """Whether one batch or one date is asked for, and not all."""
        return self.batch_id is not None or self.game_date is not None

    def includes(self, kind: ScopeKind) -> bool:
        """Whether a check of such things takes part."""
        if self.batch_id is not None:
            return kind is ScopeKind.BATCH
        return self.game_date is None or kind in (ScopeKind.BATCH, ScopeKind.DATE)


@dataclass(frozen=True, kw_only=True)
class Mended:
    """One repair: what was before, and what is now."""

    finding_id: str
    repair: str
    """The value of a `Repair`."""
    before: Mapping[str, Any]
    """What the repair found, by names of its own; {} where it could not look."""
    after: Mapping[str, Any]
    """What it left; {} where it failed."""
    error: ErrorInfo | None = None
    """Why it failed; None where it is done, also if there was nothing left to do."""

    def to_fields(self) -> dict[str, Any]:
        """As the audit's document has it."""
        error = self.error.to_dict() if self.error else None
        return {**vars(self), "before": dict(self.before), "after": dict(self.after), "error": error}


@dataclass(frozen=True, kw_only=True)
class AuditReport:
    """What one run did and found."""

    run_id: str
    """`20260115T120000-0a1b2c3d4e5f`: the start in UTC and a random end, so that two runs of one second
    differ."""
    started_at: datetime
    ended_at: datetime
    batch_id: str | None
    game_date: str | None
    repair: bool
    """Whether repairs were asked for."""
    outcomes: Mapping[str, Outcome]
    """By check."""
    findings: tuple[Finding, ...]
    """All that this run found, the stores that are down among them."""
    told: tuple[str, ...]
    """The findings of which it told somebody, with the change."""
    inhibited: int
    """Findings that were not told because a store that they depend on is down."""
    untold: tuple[ErrorInfo, ...]
    """Why findings could not be remembered or told."""
    mended: tuple[Mended, ...]
    """What was repaired, or tried, in the order of the findings; () unless it was asked for."""
    resume: tuple[Resume, ...]
    """The checks that the next run takes up where this one had to stop; none: all came to their end."""

    @property
    def is_ok(self) -> bool:
        """Looked everywhere, found nothing, told everybody: anything less is not ok."""
        unknown = any(isinstance(each, Unknown) or each.left for each in self.outcomes.values())
        return not (unknown or self.findings or self.untold)

    @property
    def cost(self) -> Cost:
        """Of all checks together."""
        return sum((each.cost for each in self.outcomes.values()), Cost())

    def to_document(self) -> dict[str, Any]:
        """The document `audits/{run_id}`. It counts findings and names the first: each has its own."""
        classes: dict[str, int] = {}
        for each in self.findings:
            classes[each.finding_class.value] = classes.get(each.finding_class.value, 0) + 1
        return {
            "run_id": self.run_id,
            "started_at": self.started_at,
            "ended_at": self.ended_at,
            "batch_id": self.batch_id,
            "game_date": self.game_date,
            "repair": self.repair,
            "is_ok": self.is_ok,
            "checks": {name: outcome_fields(each) for name, each in self.outcomes.items()},
            "cost": vars(self.cost),
            # A document holds 1 MiB, and on a bad day there may be a finding for each of thousands of
            # batches.
            "findings": [each.finding_id for each in self.findings[:MAX_FINDINGS_LISTED]],
            # Beside the list, which is cut: a reader must be able to tell that it was.
            "finding_count": len(self.findings),
            "finding_classes": classes,
            "told": list(self.told),
            "inhibited": self.inhibited,
            "untold": [each.to_dict() for each in self.untold],
            "repairs": [each.to_fields() for each in self.mended],
            "resume": [vars(each) for each in self.resume],
        }


def resume_from(document: Mapping[str, Any]) -> tuple[Resume, ...]:
    """What a document `audits/{run_id}` says of it; raises KeyError, TypeError or ValueError for one that is
    none."""
    # A run is found by this field: one without it is not of this suite's making, and its `resume` means
    # nothing.
    if not isinstance(document["started_at"], datetime):
        raise ValueError(f"started_at: {document['started_at']!r} is no time")
    found = tuple(Resume(**each) for each in document["resume"])
    if not all(isinstance(each.check, str) and isinstance(each.after, str | None) for each in found):
        raise ValueError(f"resume: {document['resume']!r} names no checks and batches")
    return found


def outcome_fields(outcome: Outcome) -> dict[str, Any]:
    """An outcome as the audit's document has it: `result` is ok, findings or unknown."""
    findings = () if not isinstance(outcome, Found | Unknown) else outcome.findings
    result = "unknown" if isinstance(outcome, Unknown) else "findings" if findings else "ok"
    fields = {
        "result": result,
        "findings": len(findings),
        "left": outcome.left,
        "resume_after": outcome.resume_after,
        **vars(outcome.cost),
    }
    if isinstance(outcome, Unknown):
        fields |= {"store": outcome.store, "error": outcome.error.to_dict()}
    return fields


def _why(store: str, error: ErrorInfo) -> str:
    """A refusal is an answer: the store is up, and a table or a right is missing."""
    verb = "refused" if error.type is ErrorType.PERMANENT else "did not answer"
    return f"{store} {verb}: {error.exception_class}: {error.message}"


def stores_down(outcomes: Mapping[str, Outcome]) -> list[Finding]:
    """One root finding per store that did not answer, whatever asked it. Pure.

    Findings that depend on the store are told once it is up again (see `findings.reporter`): a store that is
    down would else be told once for every batch. The first failure is quoted; `ids` are the checks that
    failed.
    """
    errors: dict[str, list[tuple[str, ErrorInfo]]] = {}
    for check, outcome in outcomes.items():
        if isinstance(outcome, Unknown):
            errors.setdefault(outcome.store, []).append((check, outcome.error))
    return [
        Finding(
            finding_class=FindingClass.STORE_DOWN,
            severity=Severity.CRITICAL,
            check=STORES_CHECK,
            scope=Scope.of_system(store),
            subject=store,
            summary=_why(store, those[0][1])[:400],
            ids=tuple(check for check, _ in those),
            look=operator_command("status"),
        )
        for store, those in errors.items()
    ]
