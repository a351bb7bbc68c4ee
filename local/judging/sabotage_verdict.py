"""What became of each defect that was made on purpose, and whether that is what is promised."""

from collections.abc import Sequence
from dataclasses import dataclass

from .promises import Verdict


@dataclass(frozen=True, kw_only=True)
class Sabotaged:
    """One class of defect: made, looked for, mended."""

    finding_class: str
    is_found: bool
    repair: str | None
    """What the audit can do about it; None: a person has to."""
    repair_error: str | None
    """Why the repair failed; None where it did not, or where there is none."""
    is_resolved: bool
    """Somebody was told that it is over."""

    @property
    def is_as_promised(self) -> bool:
        """Named, mended if it can be, and told to be over; what was never found cannot be over either."""
        return self.is_found and self.repair_error is None and self.is_resolved

    @property
    def problem(self) -> str:
        """What went wrong, in words; empty if nothing did."""
        if not self.is_found:
            return f"{self.finding_class} was not found"
        if self.repair_error is not None:
            return f"{self.finding_class} was not repaired: {self.repair_error}"
        return "" if self.is_resolved else f"{self.finding_class} was not told to be over"


@dataclass(frozen=True, kw_only=True)
class Sabotage:
    """What a run with `--sabotage` shows."""

    defects: tuple[Sabotaged, ...] = ()
    others: tuple[str, ...] = ()
    """Findings that nobody made, and what is not as it was before: a sentence each."""
    problem: str | None = None
    """Why it did not come to its end."""


def judge_sabotage(found: Sabotage, classes: Sequence[str]) -> Verdict:
    """`classes` are those that had to be made: one that is not there was not even tried."""
    told = {each.finding_class for each in found.defects}
    broken = [
        *([found.problem] if found.problem else []),
        *(each.problem for each in found.defects if not each.is_as_promised),
        *(f"{name} was not made" for name in classes if name not in told),
        *found.others,
    ]
    repaired = sum(1 for each in found.defects if each.repair is not None)
    undone = len(found.defects) - repaired
    return Verdict(
        promise="Whatever is broken on purpose is named, and over when it is mended",
        evidence=f"{len(found.defects)} classes: {repaired} repaired, {undone} undone as by a person",
        broken=tuple(broken),
    )
