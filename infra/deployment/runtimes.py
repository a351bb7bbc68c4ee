"""The Python runtimes of Cloud Run, and how long Google keeps them up to date.

Looked up in November 2026 at https://cloud.google.com/run/docs/runtimes/python.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

NOTICE: Final = timedelta(days=180)
"""A runtime that will be deprecated within this time is not deployed any more: time to move without haste."""


@dataclass(frozen=True, kw_only=True)
class Runtime:
    """After `deprecated` it gets no fixes; after `decommissioned` nothing can be deployed on it."""

    deprecated: date
    decommissioned: date


RUNTIMES: Final = {
    "python311": Runtime(deprecated=date(2027, 10, 24), decommissioned=date(2028, 4, 24)),
    "python313": Runtime(deprecated=date(2029, 10, 31), decommissioned=date(2030, 4, 30)),
}
"""Those that somebody has looked up; of another one nobody knows how long it lasts."""


def objection(name: str, today: date) -> str | None:
    """Why the runtime is not to be deployed on `today`, or None."""
    runtime = RUNTIMES.get(name)
    if runtime is None:
        return f"{name}: not among the runtimes that this repository knows ({', '.join(sorted(RUNTIMES))})"
    if today >= runtime.decommissioned:
        return f"{name}: decommissioned since {runtime.decommissioned}"
    if today >= runtime.deprecated - NOTICE:
        return f"{name}: deprecated on {runtime.deprecated}, less than {NOTICE.days} days after {today}"
    return None
