"""What a command that writes is about to do, and what that rests on. Making a plan writes nothing."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from common.result import ErrorInfo, Result, ResultError

from .refusals import STALE_PLAN

STEPS: Final = "what is to be done"
"""The name under which a plan's token knows its own steps."""

Do = Callable[[str], Result[Any]]
"""Record's id → what was done, or a failure."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """One thing that is done: its sentence is the plan, its call is the doing."""

    sentence: str
    """`publish prediction requests for 3 players of batch_…`; tells this step from every other one, also from
    the same command's next one: whatever was done once may not be planned in these words again."""
    do: Do
    """Idempotent; called with the id of the record, the same when the command is given again after a crash.
    What a success carries is kept in the record as text."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a command is about to do. Nothing is written by making it."""

    command: str
    """The command line without `--yes`, `--why` and the form of the output."""
    steps: Sequence[Step]
    shown: Sequence[str] = field(default_factory=tuple)
    """What concerns the person beside the steps: the set a bulk verb chose, a warning."""
    left_out: Mapping[str, str] = field(default_factory=dict)
    """What the command was asked for and cannot do, with the reason."""
    seen: Mapping[str, str] = field(default_factory=dict)
    """What the plan rests on, by name, as it was read: `status` → `open`. The names depend on the command
    alone."""
    at_once: int = 1
    """How many steps are done side by side. One: in their order, up to the first that fails. More: all are
    tried, whatever fails."""

    @property
    def sentences(self) -> tuple[str, ...]:
        """One per step, in their order."""
        return tuple(step.sentence for step in self.steps)

    @property
    def token(self) -> str:
        """`3fa1c2-77e0d9`: the plan as it was shown, for `--plan`; a part for each thing that it rests on."""
        return "-".join(map(_digest, self._facts().values()))

    def changes_since(self, token: str) -> tuple[str, ...]:
        """What is not as it was when a plan of that token was shown, with what it is now."""
        before = token.split("-")
        facts = self._facts()
        if len(before) != len(facts):
            return (f"--plan: {token!r} is of another command",)
        return tuple(
            f"{name}: now {value or 'nothing'}"
            for known, (name, value) in zip(before, facts.items(), strict=True)
            if known != _digest(value)
        )

    def _facts(self) -> dict[str, str]:
        """All that the token is made of, by name; the steps last."""
        return {**self.seen, STEPS: "; ".join(self.sentences)}


def refuse_if_stale(plan: Plan, token: str) -> None:
    """Raises ResultError, naming what has changed, unless the plan is the one that was shown."""
    changes = plan.changes_since(token)
    if changes:
        why = f"not as it was when the plan was shown: {'; '.join(changes)}. Nothing was done; look again"
        raise ResultError(ErrorInfo.permanent(STALE_PLAN, why))


def _digest(text: str) -> str:
    """Six hexadecimal digits: a token is typed by people."""
    return hashlib.sha256(text.encode()).hexdigest()[:6]
