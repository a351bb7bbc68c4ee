"""The order of checks where time does not suffice for all: one that had to stop in the last run, or did not
begin, is not kept waiting by the same others again. Pure.
"""

from collections.abc import Mapping, Sequence

from .checks import Check
from .in_turn import Resume
from .outcomes import Outcome


def in_order(checks: Sequence[Check], resume: Sequence[Resume]) -> list[Check]:
    """Those that came to their end the last time in their own order, the others after them in theirs.

    Most take no time. Of several that take all there is, each is first in its turn.
    """
    waiting = [each.check for each in resume]
    by_name = {check.name: check for check in checks}
    quick = [check for check in checks if check.name not in waiting]
    return [*quick, *(by_name[name] for name in waiting if name in by_name)]


def next_resume(outcomes: Mapping[str, Outcome], last: Sequence[Resume]) -> tuple[Resume, ...]:
    """What the next run has to take up: first what this one did not come to, then what it had to stop."""
    after = {each.check: each.after for each in last}
    left = [name for name, outcome in outcomes.items() if outcome.left or outcome.resume_after is not None]
    # Whoever came no further than before did not get a turn.
    stopped = [name for name in left if outcomes[name].resume_after != after.get(name)]
    waiting = [name for name in left if name not in stopped]
    return tuple(Resume(check=name, after=outcomes[name].resume_after) for name in (*waiting, *stopped))
