"""What a benchmark says: a value, what it should be, and whether it is."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from statistics import median


@dataclass(frozen=True)
class Target:
    """A bound, inclusive."""

    relation: str
    bound: float

    def holds(self, value: float) -> bool:
        return value >= self.bound if self.relation == ">=" else value <= self.bound

    def __str__(self) -> str:
        return f"{self.relation} {self.bound:g}"


def at_least(bound: float) -> Target:
    return Target(">=", bound)


def at_most(bound: float) -> Target:
    return Target("<=", bound)


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """One row of the table.

    `unit` is "ratio" where two things of one run are divided: only that can have a target on any machine.
    Without a `target` the row only informs. `details` are the numbers behind the value, each with its unit in
    its name. `value` is None where nothing could be measured, and then `details` say why.
    """

    name: str
    value: float | None
    unit: str
    target: Target | None = None
    details: Mapping[str, object] = field(default_factory=dict)

    @property
    def holds(self) -> bool | None:
        """None without a target; a target that was not measured does not hold."""
        if self.target is None:
            return None
        return self.value is not None and self.target.holds(self.value)


def interleaved_medians(repetitions: int, **variants: Callable[[], float]) -> dict[str, float]:
    """The median result of each variant, run in turn: whatever slows the machine for a while slows them all.

    Each is run once more at the start, for the warm-up, and that result is not counted.
    """
    results: dict[str, list[float]] = {name: [] for name in variants}
    for _ in range(repetitions + 1):
        for name, run in variants.items():
            results[name].append(run())
    return {name: median(values[1:]) for name, values in results.items()}


def seconds(work: Callable[[], object]) -> float:
    """How long `work` takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
