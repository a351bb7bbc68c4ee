"""What became of each defect that was made on purpose, and whether that is what is promised."""

from collections.abc import Sequence
from dataclasses import dataclass

from ..judging.promises import Verdict


@dataclass(frozen=True, kw_only=True)
class Sabotaged:
    """One class of defect: made, looked for, mended. What it says is for a person."""

    finding_class: str
    how: str
    """How it was broken."""
    found: str
    """As what it was found: the summaries of its findings; empty if it was not."""
    ids: tuple[str, ...]
    """Whom the findings name."""
    mended: str
    """What has mended it: a command, or a few words."""
    problem: str
    """What went wrong until it was mended, the finding itself included; empty if nothing did."""
    is_resolved: bool
    """Somebody was told that it is over."""

    @property
    def is_as_promised(self) -> bool:
        """Named, mended, and told to be over; what was never found cannot be over either."""
        return not self.wrong

    @property
    def wrong(self) -> str:
        """What went wrong, in words; empty if nothing did."""
        if not self.found:
            return f"{self.finding_class} was not found"
        if self.problem:
            return f"{self.finding_class}: {self.problem}"
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
        *(each.wrong for each in found.defects if not each.is_as_promised),
        *(f"{name} was not made" for name in classes if name not in told),
        *found.others,
    ]
    return Verdict(
        promise="Whatever is broken on purpose is named, mended, and told to be over",
        evidence=f"{len(found.defects)} classes of defects",
        broken=tuple(broken),
    )
