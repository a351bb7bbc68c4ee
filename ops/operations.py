"""Commands that write: show the plan, do exactly that plan, record who did it and why.

    plan is shown ── confirmed ── record: begun ── each step ── record: result
                         │             │              │
                     nothing      the same command again takes up this record, and does of its plan
                                  what is still due; nothing that has become due since

Every step is idempotent, so a command that was cut short is simply given again. One effect, one record.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Protocol

from common.result import ErrorInfo, ErrorType, Result, ResultError, returns_result

from .refusals import STALE_PLAN

COLLECTION: Final = "operations"
NOT_DUE: Final = "not due any more: done before the command was cut short, or by somebody else"
"""What became of a step of a record: these words, "done", its own answer, or "failed: …"."""
NOT_BEGUN: Final = "not begun"
"""What became of a step behind one that failed."""
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
        return {**self.seen, STEPS: "; ".join(self.sentences)}


@dataclass(frozen=True, kw_only=True)
class Record:
    """One document of `operations/`."""

    at: datetime
    who: str
    why: str
    command: str
    plan: tuple[str, ...]
    seen: Mapping[str, str]
    """What the plan rested on."""
    result: Mapping[str, Any] | None
    """None: begun, and not ended yet."""

    def to_document(self) -> dict[str, Any]:
        """The document `operations/{id}`."""
        return {**vars(self), "plan": list(self.plan)}


@dataclass(frozen=True, kw_only=True)
class CutShort:
    """A record without a result: its command was begun, and nobody knows how far it came."""

    record_id: str
    at: datetime
    plan: tuple[str, ...]
    seen: Mapping[str, str]


class Ledger(Protocol):
    """Where the records are kept."""

    def cut_short(self, command: str) -> Result[CutShort | None]:
        """The record of this command that has no result yet."""

    def begin(self, record: Record) -> Result[str]:
        """Keep it and return its id."""

    def end(self, record_id: str, result: Mapping[str, Any]) -> Result[None]:
        """Note how it ended."""

    def interrupt(self, record_id: str, so_far: Mapping[str, Any]) -> Result[None]:
        """Note how far it came; it stays without a result, and is taken up by the same command again."""


@dataclass(frozen=True, kw_only=True)
class Done:
    """What became of each step of the record's plan, in its order."""

    record_id: str
    outcomes: tuple[str, ...]
    error: ErrorInfo | None
    """The first failure."""
    cut_short_at: datetime | None
    """When the record was begun that this call has taken up."""
    left: tuple[str, ...]
    """Due by now, and no part of the plan that was taken up: for the same command once more."""

    @property
    def may_go_on(self) -> bool:
        """Whether a step failed for a reason that may pass: the same command again goes on with this plan."""
        return self.error is not None and self.error.type is not ErrorType.PERMANENT


@returns_result
def execute(plan: Plan, ledger: Ledger, *, who: str, why: str, now: datetime) -> Done | None:
    """Do the plan and keep a record of it; None where nothing is to be done, and nothing was cut short.

    A step that fails is no failure: it is in `Done.error` and in the record. A failure means that nothing was
    done, or that what was done could not be noted: the same command again finds out. Again after a success: a
    new plan, which has no steps where all is done; again after a crash: the record that was begun is taken
    up, and of its plan what is still due is done.
    """
    taken_up = ledger.cut_short(plan.command).unwrap()
    if not plan.steps and taken_up is None:
        return None
    if taken_up is None:
        record = Record(
            at=now, who=who, why=why, command=plan.command, plan=plan.sentences, seen=plan.seen, result=None
        )
        done = _do(plan, plan.sentences, ledger.begin(record).unwrap(), None)
    else:
        done = _do(plan, taken_up.plan, taken_up.record_id, taken_up.at)
    result = {
        "status": "done" if done.error is None else "failed",
        "outcomes": list(done.outcomes),
        "error": None if done.error is None else done.error.to_dict(),
    }
    if taken_up is not None:
        # Another person may take it up, for another reason: both stay.
        result["taken_up"] = {"at": now, "who": who, "why": why}
    if done.may_go_on:
        ledger.interrupt(done.record_id, result).unwrap()
    else:
        ledger.end(done.record_id, result).unwrap()
    return done


def refuse_if_stale(plan: Plan, token: str) -> None:
    """Raises ResultError, naming what has changed, unless the plan is the one that was shown."""
    changes = plan.changes_since(token)
    if changes:
        why = f"not as it was when the plan was shown: {'; '.join(changes)}. Nothing was done; look again"
        raise ResultError(ErrorInfo.permanent(STALE_PLAN, why))


def _do(plan: Plan, recorded: Sequence[str], record_id: str, cut_short_at: datetime | None) -> Done:
    # Of today's plan what the record's plan has, too: who confirmed that plan has confirmed nothing else.
    due = [step for step in plan.steps if step.sentence in set(recorded)]
    outcomes = {step.sentence: NOT_BEGUN for step in due}
    error = None
    # What was not begun keeps its words: after a failure the rest is left, and the record says so.
    for sentence, result in _results(due, record_id, plan.at_once):
        outcomes[sentence] = _said(result)
        error = error or result.error
    return Done(
        record_id=record_id,
        outcomes=tuple(outcomes.get(sentence, NOT_DUE) for sentence in recorded),
        error=error,
        cut_short_at=cut_short_at,
        left=tuple(sentence for sentence in plan.sentences if sentence not in set(recorded)),
    )


def _results(steps: Sequence[Step], record_id: str, at_once: int) -> list[tuple[str, Result[Any]]]:
    if at_once > 1:
        return _side_by_side(steps, record_id, at_once)
    done: list[tuple[str, Result[Any]]] = []
    for step in steps:
        result = _attempt(step, record_id)
        done.append((step.sentence, result))
        if result.error is not None:
            break
    return done


def _side_by_side(steps: Sequence[Step], record_id: str, at_once: int) -> list[tuple[str, Result[Any]]]:
    pool = ThreadPoolExecutor(at_once)
    try:
        # All are tried: a bulk command must not leave half of its set because of one.
        results = list(pool.map(lambda step: _attempt(step, record_id), steps))
    finally:
        # Ctrl-C: what has not begun does not begin.
        pool.shutdown(cancel_futures=True)
    return [(step.sentence, result) for step, result in zip(steps, results, strict=True)]


def _attempt(step: Step, record_id: str) -> Result[Any]:
    try:
        return step.do(record_id)
    except ResultError as exc:
        return Result.failure(exc.error)


def _said(result: Result[Any]) -> str:
    if result.error is not None:
        return f"failed: {result.error.exception_class}: {result.error.message}"
    return "done" if result.data is None else str(result.data)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:6]
