"""Commands that write: show the plan, do exactly that plan, keep who did it and why.

    plan is shown ── confirmed ── record: started ── each step ── record: result
                         │              │               │
                     nothing        the same record is taken up by the same command again

Every step is idempotent, so a command that was cut short is simply given again: it finds its own record,
which has no result yet, and completes it. One effect, one record.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Protocol

from common.result import ErrorInfo, Result

COLLECTION: Final = "operations"


@dataclass(frozen=True, kw_only=True)
class Step:
    """One thing that is done: its sentence is the plan, its call is the doing."""

    sentence: str
    """`publish prediction requests for 3 players of batch_…`"""
    do: Callable[[], Result[Any]]
    """Idempotent. What a success carries is kept in the record as text."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a command is about to do. Nothing is written by making it."""

    command: str
    """The command line without `--yes`, `--why` and the form of the output."""
    steps: Sequence[Step]
    shown: Sequence[str] = field(default_factory=tuple)
    """What concerns the person beside the steps: the set a bulk verb chose, a warning."""

    @property
    def sentences(self) -> tuple[str, ...]:
        return tuple(step.sentence for step in self.steps)

    @property
    def digest(self) -> str:
        """The same for the same command with the same plan."""
        whole = "\n".join([self.command, *self.sentences])
        return hashlib.sha256(whole.encode()).hexdigest()[:16]


@dataclass(frozen=True, kw_only=True)
class Record:
    """One document of `operations/`."""

    at: datetime
    who: str
    why: str
    command: str
    plan: tuple[str, ...]
    digest: str
    result: Mapping[str, Any] | None
    """None: begun, and not ended yet."""

    def to_document(self) -> dict[str, Any]:
        return {**vars(self), "plan": list(self.plan)}


class Ledger(Protocol):
    """Where the records are kept."""

    def begin(self, record: Record) -> Result[str]:
        """Keep it and return its id; that of the same plan's record where that has no result yet."""

    def end(self, record_id: str, result: Mapping[str, Any]) -> Result[None]:
        """Note how it ended."""


@dataclass(frozen=True, kw_only=True)
class Done:
    """What became of each step, in the order of the plan."""

    record_id: str
    outcomes: tuple[str, ...]
    error: ErrorInfo | None
    """Why the last of them failed; the steps after it were not begun."""


def execute(plan: Plan, ledger: Ledger, *, who: str, why: str, now: datetime) -> Result[Done]:
    """Do the plan, step by step, up to the first that fails.

    A failure means that nothing was done: the record could not be begun. Again: see above.
    """
    record = Record(
        at=now, who=who, why=why, command=plan.command, plan=plan.sentences, digest=plan.digest, result=None
    )
    begun = ledger.begin(record)
    if begun.error is not None:
        return Result.failure(begun.error)
    done = _do(plan, begun.unwrap())
    result = {
        "status": "done" if done.error is None else "failed",
        "outcomes": list(done.outcomes),
        "error": None if done.error is None else done.error.to_dict(),
    }
    return ledger.end(done.record_id, result).map(lambda _: done)


def _do(plan: Plan, record_id: str) -> Done:
    outcomes: list[str] = []
    for step in plan.steps:
        result = step.do()
        if result.error is not None:
            outcomes.append(f"failed: {result.error.exception_class}: {result.error.message}")
            return Done(record_id=record_id, outcomes=tuple(outcomes), error=result.error)
        outcomes.append(str(result.data) if result.data is not None else "done")
    return Done(record_id=record_id, outcomes=tuple(outcomes), error=None)
