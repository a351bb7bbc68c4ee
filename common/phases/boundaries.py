"""A boundary and its date: what is reported is recorded, and whatever is due follows.

    report ──► recorded ──► decided ──► gates ──► claimed ──► published ──► noted ──► told, logged
               one commit   one reading

Every arrow may be cut by a crash. Whoever looks at the date next, by a redelivery, another report or the
sweep, goes on where it ended.

Two that decide at once:

    A   reads (2 of 3) ────────────── decides "waiting" ── writes: refused, reads again (3 of 3) ── claims
    B       records the third ── reads (3 of 3) ── claims ┘                      … sees the claim, stops
"""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Protocol

from ..messages import PhaseCompletion
from ..result import ErrorInfo, Result, ResultError, returns_result
from . import changes
from .changes import Change
from .days import MAX_ATTEMPTS, Days, Recorded, contended
from .decision import Decision, GateReading, PhaseState
from .dispatch_outbox import DispatchOutbox
from .notifications import Notifications
from .records import Day
from .report_rules import processor_of, report_of
from .rules import Readiness, decide, readiness, when_waiting
from .shape import Boundary, GateRule
from .trigger import dispatch_of


class Gates(Protocol):
    """Reads the gates of a date; a failure means that they could not be evaluated."""

    def evaluate(
        self, boundary: Boundary, rules: Sequence[GateRule], day: Day, now: datetime
    ) -> Result[tuple[GateReading, ...]]:
        """A reading of every gate, open or closed; see `Gates` in `gates.py`."""


@dataclass(frozen=True, kw_only=True)
class ReportAnswer:
    """What became of one report, and where the date stands now."""

    recorded: Recorded
    """What became of the report itself; the date may have moved on for other reasons."""
    processor: str
    day: Day | None
    """None for what changes nothing."""


class Boundaries:
    """The use cases of one sport's boundaries; safe to share between threads."""

    def __init__(
        self,
        *,
        days: Days,
        gates: Gates,
        outbox: DispatchOutbox,
        notifications: Notifications,
        now: Callable[[], datetime],
    ) -> None:
        self.days = days
        self._gates = gates
        self._outbox = outbox
        self._notifications = notifications
        self._now = now

    def report(self, boundary: Boundary, completion: PhaseCompletion, event_id: str) -> Result[ReportAnswer]:
        """Record one completion and do what is due. Safe to repeat: a redelivery resumes what is pending.

        A partial has done what was due, and could not tell or log it: the sweep does. Failures: a gate that
        could not be evaluated (GateNotEvaluated), a message that could not be published (NotDispatched), a
        date that changed at every attempt (Contended), another's claim ("not yet"): all TRANSIENT, with the
        report recorded; UnreadableDay (PERMANENT) for a document that nobody here has written.
        """
        recorded = self._record(boundary, completion, event_id)
        # What counts for nothing makes nothing due: looking would cost a reading for each stray event.
        if recorded.is_failure or recorded.unwrap().recorded in (Recorded.UNKNOWN, Recorded.IGNORED):
            return recorded
        answer = recorded.unwrap()
        return self.look(boundary, completion.game_date).map(lambda day: replace(answer, day=day))

    def look(self, boundary: Boundary, game_date: date) -> Result[Day]:
        """Decide on the date as it stands, and do what follows. Safe to repeat, and beside itself.

        Asked after every report, and by the sweep for what fell due. A gate that could not be evaluated, and
        a dispatch that another is publishing, are failures that a retry cures; both are written down, so the
        sweep cures them, too. Failures as for `report`.
        """
        acted = self._act(boundary, game_date)
        if acted.error is None:
            return self._notifications.send(boundary, acted.unwrap())
        if not acted.error.is_expected:
            # What cannot go on may be overdue, which is told even so; the failure stays what it is.
            self.days.read(boundary, game_date).and_then(lambda day: self._notifications.send(boundary, day))
        return acted

    def send(self, boundary: Boundary, day: Day, claimant: str) -> Result[Day]:
        """Publish what the claimant has claimed; failures are those of `DispatchOutbox.send`."""
        return self._outbox.send(boundary, day, claimant)

    @returns_result
    def _record(self, boundary: Boundary, completion: PhaseCompletion, event_id: str) -> ReportAnswer:
        """Record, quarantine or ignore the report; nothing is decided here. Failures as of `Days.record`."""
        processor = processor_of(boundary, completion)
        # An unknown processor is kept under the name that it was published with.
        report = report_of(processor or completion.processor_name, completion, event_id, self._now())
        # The publisher's wish, as of a backfill: nothing of it counts here, and nothing is written.
        if completion.skip_downstream:
            recorded = Recorded.IGNORED
        elif processor is None:
            recorded = self.days.quarantine(boundary, completion.game_date, report).unwrap()
        else:
            recorded = self.days.record(boundary, completion.game_date, report).unwrap()
        return ReportAnswer(recorded=recorded, processor=report.processor, day=None)

    @returns_result
    def _act(self, boundary: Boundary, game_date: date) -> Day:
        """Decide, and publish what this very call has claimed. Failures as for `report`."""
        # New for each attempt: tells this attempt's claim from any other's, a redelivery's of the same event
        # included.
        claimant = uuid.uuid4().hex
        day = self._decided(boundary, game_date, claimant)
        if day.state is not PhaseState.DISPATCHING:
            return day
        return self.send(boundary, day, claimant).unwrap()

    def _decided(self, boundary: Boundary, game_date: date, claimant: str) -> Day:
        """The date with a decision that rests on all that was known when it was written."""
        # Decided anew at each attempt: what was written meanwhile may be the report that was missing.
        for _ in range(MAX_ATTEMPTS):
            day = self.days.read(boundary, game_date).unwrap()
            step = self._step(boundary, day, claimant)
            # The document says already what this look has found.
            if step.change is None:
                return step.told(day)
            if self.days.write(boundary, day, step.change).unwrap():
                # Only what is to be written again has to be read again.
                written = step.written or self.days.read(boundary, game_date).unwrap()
                return step.told(written)
        raise ResultError(contended(self.days.key(boundary, game_date)))

    def _step(self, boundary: Boundary, day: Day, claimant: str) -> "_Step":
        """What to write on the date as it was read, by its state; no write is made here."""
        if day.state.is_final:
            # Only a replay starts it again: until then a report can but be late.
            return _Step(change=changes.note_late(day))
        # Claimed by somebody: deciding anew could only contradict what is being published.
        if day.state is PhaseState.DISPATCHING:
            return _Step(change=None)
        now = self._now()
        found = readiness(boundary, day, now)
        if day.state is PhaseState.HELD:
            # Decided even so: whoever releases it reads on the document what would follow.
            held = _held(day, found, now)
            return _Step(change=changes.keep(day, held), written=_kept(day, held))
        gates = self._read_gates(boundary, day, found, now)
        error = gates if isinstance(gates, ErrorInfo) else None
        decision = decide(boundary, day, found, gates=gates, now=now)
        if decision.state is not PhaseState.DISPATCHING:
            return _Step(change=changes.keep(day, decision), error=error, written=_kept(day, decision))
        # From here on certain: the claim and the message are one commit, and the sweep resumes it.
        dispatch = dispatch_of(boundary, day, decision, reason=decision.reason, claimant=claimant, now=now)
        return _Step(change=changes.claim(day, decision, dispatch))

    def _read_gates(
        self, boundary: Boundary, day: Day, found: Readiness, now: datetime
    ) -> Sequence[GateReading] | ErrorInfo:
        """A reading of every gate of a date that is ready, () for one that is not; the error where they could
        not be evaluated.
        """
        # A query per report, while processors are still missing, would cost and change nothing.
        if not found.is_ready:
            return ()
        read = self._gates.evaluate(boundary, found.rules.gates, day, now)
        return read.error if read.error is not None else read.unwrap()


@dataclass(frozen=True, kw_only=True)
class _Step:
    """What to write, and the failure to end with once it is written."""

    change: Change | None
    error: ErrorInfo | None = None
    """Raised once the change is written: "could not be evaluated" is on the document before the event
    fails."""
    written: Day | None = None
    """The date once the change is written, where nothing is to be written on it next."""

    def told(self, day: Day) -> Day:
        """The date, or the failure that was put off until the change was written."""
        if self.error is not None:
            raise ResultError(self.error)
        return day


def _held(day: Day, found: Readiness, now: datetime) -> Decision:
    """What would follow if nobody held it, as the decision of a date that is held."""
    by_hand = day.by_hand
    who = f"held by {by_hand.who}: {by_hand.why}" if by_hand else "held"
    next_check = when_waiting(found, day.key.game_date, now)
    return found.decision(now, PhaseState.HELD, reason=f"{who}; else: {found.reason}", next_check=next_check)


def _kept(day: Day, decision: Decision) -> Day:
    """The date as it stands once this decision is written; saves the reading after the write."""
    return replace(day, state=decision.state, decision=decision, next_check=decision.next_check)
