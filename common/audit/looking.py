"""What one run looks at, and what its checks make of it together. No store is asked here, but by the checks.

open findings, dates ──▶ wanted batches ──▶ (checks) ──▶ outcomes ──▶ findings, each once
                                                                 └──▶ where was looked: only there can
                                                                      something be found to be over
"""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Final

import structlog

from ..findings import Finding, Looked, ScopeKind
from ..result import ErrorInfo
from .batches_seen import Wanted
from .checks import Check, Sight
from .outcomes import Found, Ok, Outcome, Unknown
from .repair_checks import REPAIRS
from .report import STORES_CHECK, Asked

DAYS_BACK: Final = 2
"""Game dates before today that every run looks at: late games and late completions are over by then. What
is older is looked at while it is unsettled, or has an open finding."""
MAX_OPEN_DATES: Final = 10
"""Older dates with an open finding, the newest of them: a limit to what one run reads."""

log = structlog.get_logger()


def guarded(check: Check, sight: Sight) -> Outcome:
    """What a check says; a check that raises is unknown, and the others are asked all the same."""
    # Left, not unknown: no store failed, and the next run begins with it.
    if sight.seconds_left() <= 0:
        return Ok(looked_at=frozenset(), left=1, resume_after=sight.resume_after.get(check.name))
    try:
        return check.run(sight)
    except Exception as exc:  # the boundary: one check that is broken keeps no other from looking
        log.exception("check failed", action="check_failed", check=check.name)
        return Unknown(store=_itself(check), error=ErrorInfo.from_exception(exc, check=check.name))


def findings_of(outcomes: Mapping[str, Outcome]) -> tuple[Finding, ...]:
    """Each once: what a check finds still says more than that its repair is waited for."""
    found = [
        finding
        for outcome in outcomes.values()
        if isinstance(outcome, Found | Unknown)
        for finding in outcome.findings
    ]
    awaited = outcomes.get(REPAIRS)
    # The waiting ones first: where both tell of one finding, what was seen replaces what is waited for.
    waiting = awaited.findings if isinstance(awaited, Found | Unknown) else ()
    once = {each.finding_id: each for each in (*waiting, *(each for each in found if each not in waiting))}
    return tuple(once.values())


def looked_of(outcomes: Mapping[str, Outcome], checks: Sequence[Check]) -> Looked:
    """A store is found to be up again by a run in which somebody asked it, and everybody got an answer."""
    looked = {name: outcome.looked_at for name, outcome in outcomes.items()}
    down = {outcome.store for outcome in outcomes.values() if isinstance(outcome, Unknown)}
    asked = {
        store
        for check in checks
        if check.name in outcomes and not outcomes[check.name].left
        for store in (*check.stores, _itself(check))
    }
    arrived = looked.get(REPAIRS) or frozenset()
    return Looked(by_check={**looked, STORES_CHECK: frozenset(asked - down)}, arrived=arrived)


def _itself(check: Check) -> str:
    """What stands for a store where the check itself is broken."""
    return f"check {check.name}"


def wanted_of(asked: Asked, first: date, open_findings: Sequence[Finding]) -> Wanted:
    """Which batches the run looks at; those with an open finding are added, as only a look can find it
    over.
    """
    # However old they are: a finding ends only where somebody has looked again.
    also = frozenset(each.scope.name for each in open_findings if each.scope.kind is ScopeKind.BATCH)
    return Wanted(
        batch_id=asked.batch_id,
        game_date=asked.game_date,
        since=first,
        also=frozenset() if asked.is_limited else also,
    )


def dates_of(asked: Asked, first: date, open_findings: Sequence[Finding]) -> list[date]:
    """The date asked for; or those of the last days, and a few that have an open finding."""
    if asked.game_date is not None:
        return [asked.game_date]
    recent = {first + timedelta(days=number) for number in range(DAYS_BACK + 1)}
    kept = {each.scope.game_date for each in open_findings if each.scope.kind is ScopeKind.DATE} - {None}
    older = sorted((each for each in kept if each is not None), reverse=True)[:MAX_OPEN_DATES]
    return sorted(recent | set(older))
