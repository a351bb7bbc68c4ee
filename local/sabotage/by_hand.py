"""One class of defect made on the system that `./local/run serve` keeps up, for a person to find and mend."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import structlog

from common.findings import FindingClass

from ..problem import Problem
from . import phase_defects, row_defects
from .catalogue import DEFECTS
from .defect import Defect, Otherwise
from .world import World

_ROWS_WITHIN_SECONDS: Final = 60.0
ONE_DAY: Final = timedelta(days=1)
NOT_BY_HAND: Final[Mapping[FindingClass, str]] = {
    FindingClass.STORE_DOWN: "a store that is stopped loses its data here",
    FindingClass.UNKNOWN_SCHEDULE: "the schedule is known here",
    FindingClass.STUCK_CONSOLIDATION: "an audit waits half an hour before it tells",
    FindingClass.ORPHANED_STAGING: "an audit waits a day before it tells",
}
"""What only a run shows, whose audits have other clocks."""
BY_HAND: Final = tuple(each.finding_class.value for each in DEFECTS if each.finding_class not in NOT_BY_HAND)


@dataclass(frozen=True, kw_only=True)
class Broken:
    """What was done to the system, for a person."""

    how: str
    where: tuple[str, ...]
    """Batches, dates or parts."""
    mended_elsewhere: str | None
    """What mends it, where no command of ours does."""


def break_one(environment: Mapping[str, str], finding_class: str, today: date) -> Broken:
    """Make this class of defect once. Raises a Problem for one that cannot be made so, or a second time.

    A day back, so that the deadlines of the phases are over whatever the time of day.
    """
    defect = _defect(finding_class)
    world = World(environment, today - ONE_DAY)
    # What the parts log is for machines; a person reads what this returns.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    if defect in row_defects.DEFECTS:
        row_defects.ask_for_rows(world)
        if not row_defects.has_rows(world, within_seconds=_ROWS_WITHIN_SECONDS):
            raise Problem("break: no worker has answered; ./local/run serve --workers 1 has one")
    if defect in phase_defects.DEFECTS:
        phase_defects.play_the_days_before(world)
    # As a run makes it; only the clocks of the audit are the real ones here.
    expected = defect.make(world)
    by = defect.mended
    elsewhere = by.what if isinstance(by, Otherwise) else None
    return Broken(how=defect.how, where=tuple(expected), mended_elsewhere=elsewhere)


def _defect(finding_class: str) -> Defect:
    known = {each.finding_class.value: each for each in DEFECTS}
    if finding_class not in known:
        raise Problem(f"break {finding_class}: there is {', '.join(sorted(BY_HAND))}")
    defect = known[finding_class]
    why_not = NOT_BY_HAND.get(defect.finding_class)
    if why_not is not None:
        raise Problem(f"break {finding_class}: {why_not}; ./local/run --sabotage shows it")
    return defect
