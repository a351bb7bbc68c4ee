"""Does a plan that was shown, and keeps a record of who did it and why.

    plan is shown ── confirmed ── record: begun ── each step ── record: result
                         │             │              │
                     nothing      the same command again takes up this record, and does of its plan
                                  what is still due; nothing that has become due since

Every step is idempotent, so a command that was cut short is simply given again. One effect, one record.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol

from common.result import ErrorInfo, ErrorType, Result, ResultError, returns_result

from .plan import Plan, Step

COLLECTION: Final = "operations"
NOT_DUE: Final = "not due any more: done before the command was cut short, or by somebody else"
"""What became of a step of a record: these words, "done", its own answer, or "failed: …"."""
NOT_BEGUN: Final = "not begun"
"""What became of a step behind one that failed."""


@dataclass(frozen=True, kw_only=True)
class Record:
    """One document of `operations/`."""

    at: datetime
    who: str
    why: str
    """What was given as `--why`; never empty."""
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

    Two people who give the same command at once may both find no record, or the second may take up that of
    the first while it runs. Either way each effect happens once, as the steps are idempotent; only the words
    of the records may then be those of the other.
    """
    # Also where there is nothing to do: a record that was begun has to get its result, or it would be taken
    # up by every later command of these words.
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
    # A fault that may pass leaves the record without a result, which is what the same command looks for. A
    # permanent one ends it: taken up, it would fail the same way for ever.
    if done.may_go_on:
        ledger.interrupt(done.record_id, result).unwrap()
    else:
        ledger.end(done.record_id, result).unwrap()
    return done


def _do(plan: Plan, recorded: Sequence[str], record_id: str, cut_short_at: datetime | None) -> Done:
    """Do of today's plan what the record's plan has, too."""
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
    """What became of each step that was begun: in order up to the first failure, or all side by side."""
    # The two differ in what a failure means: steps of one thing build on each other, parts of a bulk do not.
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
    """All steps, whatever fails; Ctrl-C lets those end that have begun."""
    pool = ThreadPoolExecutor(at_once)
    try:
        # All are tried: a bulk command must not leave half of its set because of one.
        results = list(pool.map(lambda step: _attempt(step, record_id), steps))
    finally:
        # Ctrl-C: what has not begun does not begin.
        pool.shutdown(cancel_futures=True)
    return [(step.sentence, result) for step, result in zip(steps, results, strict=True)]


def _attempt(step: Step, record_id: str) -> Result[Any]:
    """What a step answers, or raises as ResultError."""
    try:
        return step.do(record_id)
    # Nothing else is caught: a defect of ours ends the command, and its record stays without a result, as
    # after any other crash.
    except ResultError as exc:
        return Result.failure(exc.error)


def _said(result: Result[Any]) -> str:
    """What became of a step, in the words that the record keeps."""
    if result.error is not None:
        return f"failed: {result.error.exception_class}: {result.error.message}"
    return "done" if result.data is None else str(result.data)
