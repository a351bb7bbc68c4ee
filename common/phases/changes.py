"""What a commit does to a boundary's date, as values: the fields to write, and the documents beside them.

Each looks at the date as it was read and says what to write; None means that nothing is left to write. The
commit is refused if the date has changed since, so none of them is applied to anything else.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from ..documents.writes import SERVER_TIME
from .decision import Decision, PhaseState
from .records import ACTS, DECISIONS, PROCESSORS, ByHand, Day, Dispatch, Report
from .rules import CLAIM_GRACE
from .shape import Boundary

LOG_ROW: Final = "log_row"
"""What is owed after a dispatch: its row in the execution log."""

Fields = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Change:
    """One commit on a date: all of it is written, or nothing."""

    fields: Fields
    """Of the date's document, each as a whole."""
    creates: Mapping[str, Fields] = field(default_factory=dict)
    """New documents below the date, by their path below it."""
    marks: Mapping[str, Fields] = field(default_factory=dict)
    """Fields of documents below the date that exist."""

    def plus(self, other: "Change") -> "Change":
        """Both in one commit; where both write a field, the other's stands. Neither is changed."""
        return Change(
            fields={**self.fields, **other.fields},
            creates={**self.creates, **other.creates},
            marks={**self.marks, **other.marks},
        )


def identity(boundary: Boundary, day: Day) -> dict[str, Any]:
    """What every commit may write again: it makes a document that a person can read."""
    return {
        # In every commit: which of them is the first, no writer knows.
        "sport": day.key.sport,
        "phase": day.key.phase,
        "next_phase": boundary.next_phase,
        "boundary": boundary.name,
        "game_date": day.key.game_date.isoformat(),
        "updated_at": SERVER_TIME,
    }


def keep(day: Day, decision: Decision) -> Change | None:
    """The decision on a date that goes on waiting; in `decisions` only if it says something new.

    None if neither the decision nor its next check is new: a redelivery writes nothing.
    """
    # A next check that moves is no new decision, but the sweep goes by it.
    is_same = decision.says_the_same_as(day.decision)
    if is_same and day.state is decision.state and day.next_check == decision.next_check:
        return None
    is_stuck = decision.state in (PhaseState.READY, PhaseState.BLOCKED)
    fields = {
        "state": decision.state.value,
        "generation": day.generation,
        "decision": decision.to_fields(),
        "next_check": decision.next_check,
        # Since the first look that found it so: alerts count from there.
        "stuck_since": (day.stuck_since or decision.evaluated_at) if is_stuck else None,
    }
    return Change(fields=fields) if is_same else Change(fields=fields).plus(_kept(day, decision))


def claim(day: Day, decision: Decision, dispatch: Dispatch) -> Change:
    """From here on the dispatch is certain: what is to be published is written down, in the same commit.

    `next_check` is the end of the claim's grace: then the sweep finds a claimant that died.
    """
    fields = {
        "state": PhaseState.DISPATCHING.value,
        "generation": day.generation,
        "decision": decision.to_fields(),
        "dispatch": dispatch.to_fields(),
        "dispatch_id": dispatch.dispatch_id,
        "next_check": dispatch.claimed_at + CLAIM_GRACE,
        "stuck_since": day.stuck_since or decision.evaluated_at,
    }
    return Change(fields=fields).plus(_kept(day, decision))


def claim_again(dispatch: Dispatch) -> Change:
    """Another takes over from one that has not published in time."""
    return Change(fields={"dispatch": dispatch.to_fields(), "next_check": dispatch.claimed_at + CLAIM_GRACE})


def note(day: Day, dispatch: Dispatch, message_id: str, now: datetime) -> Change | None:
    """Note the message id, and what is owed after a dispatch; None if this generation has one, or is over.

    With two publishers (a claim that was taken over, and its holder who woke up) the first to note stands.
    Both sent the same message under the same dispatch id.
    """
    # Another publisher was faster, or a person has replayed the date.
    is_noted = day.state is not PhaseState.DISPATCHING or day.generation != dispatch.generation
    if is_noted:
        return None
    fields = {
        "state": PhaseState.DISPATCHED.value,
        "message_id": message_id,
        "dispatched_at": now,
        "trigger_reason": dispatch.reason,
        "owed": [LOG_ROW],
        # Due at once: telling and logging come after this commit, and may be cut off.
        "next_check": now,
        "stuck_since": None,
    }
    return Change(fields=fields)


def settle(
    day: Day, *, told: Iterable[str], done: Iterable[str], next_check: datetime | None
) -> Change | None:
    """What was told and done since the date was read; None if that is nothing."""
    # Sorted: two looks that have told the same write the same.
    all_told = sorted({*day.told, *told})
    owed = [one for one in day.owed if one not in set(done)]
    if all_told == sorted(day.told) and owed == list(day.owed) and next_check == day.next_check:
        return None
    return Change(fields={"told": all_told, "owed": owed, "next_check": next_check})


def note_late(day: Day) -> Change | None:
    """Who reported after the end; None if that is known."""
    late = late_processors(day)
    if set(late) == set(day.late):
        return None
    # On the processor's own document, too: it is what a person looks at.
    marks = {f"{PROCESSORS}/{name}": {"late": True} for name in late if name not in day.late}
    return Change(fields={"late": list(late), "next_check": day.next_check}, marks=marks)


def late_processors(day: Day) -> tuple[str, ...]:
    """Whose report, or better report, came too late to count."""
    # By the claim, not by the publishing: the message was written down with it.
    ended_at = day.dispatch.claimed_at if day.dispatch else day.by_hand.at if day.by_hand else None
    return tuple(
        name for name, report in sorted(day.in_generation.items()) if _is_late(day, report, ended_at)
    )


def _is_late(day: Day, report: Report, ended_at: datetime | None) -> bool:
    """Whether the report can be in no message; `ended_at` is when the dispatch was claimed, None: never."""
    if ended_at is None or report.recorded_at > ended_at:
        # Reported after the dispatch was claimed, by this clock: it cannot have been counted.
        return True
    # Its event read the clock before the claim, and wrote after it.
    was_missing = day.decision is not None and report.processor in day.decision.missing
    return was_missing and report.is_present


def hold(day: Day, by_hand: ByHand) -> Change | None:
    """Nothing is dispatched until it is released."""
    return None if day.state is PhaseState.HELD else _act("hold", PhaseState.HELD, day, by_hand)


def release(day: Day, by_hand: ByHand) -> Change | None:
    """It waits again, and is looked at anew. None if it is not held: again, it changes nothing."""
    return None if day.state is not PhaseState.HELD else _act("release", PhaseState.WAITING, day, by_hand)


def abandon(day: Day, by_hand: ByHand) -> Change | None:
    """Final: it is never dispatched, unless it is replayed."""
    return None if day.state is PhaseState.ABANDONED else _act("abandon", PhaseState.ABANDONED, day, by_hand)


def replay(day: Day, by_hand: ByHand) -> Change:
    """A new generation, in which nothing has been reported and nothing was dispatched.

    What was is kept in `acts`, `decisions` and the processors' documents.
    """
    fresh = {
        "generation": day.generation + 1,
        "generation_started_at": by_hand.at,
        "decision": None,
        "dispatch": None,
        "message_id": None,
        "dispatched_at": None,
        # `told` stays: its ids have the generation in them.
        "late": [],
        "owed": [],
    }
    return _act("replay", PhaseState.WAITING, day, by_hand, **fresh)


def act_of_dispatch(day: Day, by_hand: ByHand, claimed: Change) -> Change:
    """A claim by hand: with who and why."""
    return _act("dispatch", PhaseState.DISPATCHING, day, by_hand).plus(claimed)


def _act(name: str, state: PhaseState, day: Day, by_hand: ByHand, **more: Any) -> Change:
    """An act by hand: the new state, who and why, and the act among those before it, under its number.

    The date is due at once: a crash before the look that follows leaves that to the sweep.
    """
    fields = {
        "state": state.value,
        "generation": day.generation,
        "by_hand": by_hand.to_fields(),
        "next_check": by_hand.at,
        "stuck_since": None,
        "acts_kept": day.acts_kept + 1,
        **more,
    }
    act = {"act": name, "generation": fields["generation"], **by_hand.to_fields()}
    # The number is part of the precondition: of two acts at once one is refused and looks again.
    return Change(fields=fields, creates={f"{ACTS}/{day.acts_kept + 1:05}": act})


def _kept(day: Day, decision: Decision) -> Change:
    """The decision among those before it, under its number."""
    number = day.decisions_kept + 1
    document = {**decision.to_fields(), "generation": day.generation}
    return Change(fields={"decisions_kept": number}, creates={f"{DECISIONS}/{number:05}": document})
