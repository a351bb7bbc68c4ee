"""What a person does to a boundary and a date: with who and why, written down in the commit that does it.

Every act may be repeated and is kept in `acts/{number}`. One that the state of the date forbids is a
PERMANENT failure (WrongState) that says why; without who or why it is one, too (Anonymous). Failures beyond
these are those of `Boundaries.look`, with the act done.
"""

import uuid
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime

from ..result import ErrorInfo, ResultError, returns_result
from . import changes
from .boundaries import Boundaries
from .changes import Change
from .decision import PhaseState
from .phase_graph import Graph
from .records import ByHand, Day
from .rules import MANUAL, readiness
from .shape import Boundary
from .trigger import dispatch_of


@dataclass(frozen=True, kw_only=True)
class Replay:
    """What a replay will do, to be shown before it is done: boundary by boundary, and the state of each."""

    game_date: date
    starts: Boundary
    """Dispatched again, at once."""
    reopens: tuple[Boundary, ...]
    """Those behind it that have begun: they wait for their processors anew."""
    generations: tuple[tuple[str, int], ...]
    """Boundary → the generation that it stands in; a plan that is out of date is refused."""


class Operations:
    """The acts by hand of one sport; called by the operator's commands."""

    def __init__(self, boundaries: Boundaries, graph: Graph, now: Callable[[], datetime]) -> None:
        self._boundaries = boundaries
        self._days = boundaries.days
        self._graph = graph
        self._now = now

    @returns_result
    def hold(self, boundary: Boundary, game_date: date, *, who: str, why: str) -> Day:
        """Dispatch nothing until it is released; what arrives is recorded. Possible before the first event,
        too.

        Again: nothing changes, the first reason stands. WrongState for a date that is being dispatched or is
        final: it is too late.
        """

        def decide(day: Day) -> Change | None:
            _refuse(day, "held", PhaseState.DISPATCHED, PhaseState.DISPATCHING, PhaseState.ABANDONED)
            return changes.hold(day, self._by(who, why))

        self._days.amend(boundary, game_date, decide).unwrap()
        return self._boundaries.look(boundary, game_date).unwrap()

    @returns_result
    def release(self, boundary: Boundary, game_date: date, *, who: str, why: str) -> Day:
        """Go on from what has arrived: dispatched at once, if that is enough. Nothing for a date that is not
        held.
        """

        def decide(day: Day) -> Change | None:
            return changes.release(day, self._by(who, why))

        self._days.amend(boundary, game_date, decide).unwrap()
        return self._boundaries.look(boundary, game_date).unwrap()

    @returns_result
    def abandon(self, boundary: Boundary, game_date: date, *, who: str, why: str) -> Day:
        """Never dispatch it. What still arrives is noted as late. Only a replay starts it again."""

        def decide(day: Day) -> Change | None:
            _refuse(day, "abandoned", PhaseState.DISPATCHED, PhaseState.DISPATCHING)
            return changes.abandon(day, self._by(who, why))

        self._days.amend(boundary, game_date, decide).unwrap()
        return self._boundaries.look(boundary, game_date).unwrap()

    @returns_result
    def dispatch(self, boundary: Boundary, game_date: date, *, who: str, why: str) -> Day:
        """Start the next phase whatever is missing and whatever gates say. Dispatched already: nothing.

        WrongState for a date that is held or abandoned: another person's decision is not overruled by the
        way.
        """
        self._claim_by_hand(boundary, game_date, who, why)
        return self._boundaries.look(boundary, game_date).unwrap()

    @returns_result
    def plan_replay(self, game_date: date, from_phase: int) -> Replay:
        """What `replay` would do; changes nothing.

        PERMANENT for a phase that no boundary starts, and for a date of which a boundary is being dispatched
        or is held.
        """
        reached = self._graph.from_phase(from_phase)
        if not reached:
            raise ResultError(ErrorInfo.permanent("UnknownPhase", f"no boundary starts phase {from_phase}"))
        days = self._days.read_many([(boundary, game_date) for boundary in reached]).unwrap()
        for day in days:
            # A dispatch in flight would end in the old generation; a hold is another person's decision.
            _refuse(day, "replayed", PhaseState.DISPATCHING, PhaseState.HELD)
        # What has not begun has nothing to forget.
        begun = [boundary for boundary, day in zip(reached, days, strict=True) if day.document is not None]
        return Replay(
            game_date=game_date,
            starts=reached[0],
            reopens=tuple(boundary for boundary in begun if boundary is not reached[0]),
            generations=tuple(
                (boundary.name, day.generation) for boundary, day in zip(reached, days, strict=True)
            ),
        )

    @returns_result
    def planned_replay(
        self, game_date: date, from_phase: int, generations: Mapping[str, int], reopens: Collection[str]
    ) -> Replay:
        """A plan that was made before, from what was kept of it: for `replay` to do it to its end.

        PERMANENT where the graph has changed since.
        """
        reached = self._graph.from_phase(from_phase)
        if {boundary.name for boundary in reached} != generations.keys():
            why = f"phase {from_phase}: the plan was made with another graph ({', '.join(generations)})"
            raise ResultError(ErrorInfo.permanent("PlanOvertaken", why))
        return Replay(
            game_date=game_date,
            starts=reached[0],
            reopens=tuple(boundary for boundary in reached if boundary.name in reopens),
            generations=tuple((boundary.name, generations[boundary.name]) for boundary in reached),
        )

    @returns_result
    def replay(self, plan: Replay, *, who: str, why: str) -> Day:
        """Do what the plan says; the date of the first boundary afterwards.

        The boundaries behind are reopened first, so that none of them counts what was reported before the
        replay. Cut short, it is done to its end by the same plan again; a plan that others have overtaken is
        refused (PlanOvertaken, PERMANENT).
        """
        generations = dict(plan.generations)
        # The one that starts comes last: once it is dispatched, reports for the others arrive.
        for boundary in (*plan.reopens, plan.starts):
            self._reopen(boundary, plan.game_date, planned=generations[boundary.name], who=who, why=why)
        self._claim_by_hand(plan.starts, plan.game_date, who, why, is_replay=True)
        return self._boundaries.look(plan.starts, plan.game_date).unwrap()

    def _reopen(self, boundary: Boundary, game_date: date, *, planned: int, who: str, why: str) -> None:
        """Begin a new generation of the date, unless this plan has done so before. Raises ResultError."""

        def decide(day: Day) -> Change | None:
            # This very plan has reopened it, in an earlier attempt that was cut short.
            if day.generation == planned + 1:
                return None
            if day.generation != planned:
                raise ResultError(_overtaken(day, planned))
            return changes.replay(day, self._by(who, why))

        self._days.amend(boundary, game_date, decide).unwrap()

    def _claim_by_hand(
        self, boundary: Boundary, game_date: date, who: str, why: str, *, is_replay: bool = False
    ) -> None:
        """Claim the dispatch as a person's act, and publish it; nothing where it is claimed or published
        already.

        Raises ResultError: WrongState, or what publishing met; the claim stands then, and the sweep resumes
        it.
        """
        # A claim of its own, so that the outbox tells it from that of any event.
        claimant = uuid.uuid4().hex

        def decide(day: Day) -> Change | None:
            if day.state in (PhaseState.DISPATCHED, PhaseState.DISPATCHING):
                return None
            _refuse(day, "dispatched", PhaseState.HELD, PhaseState.ABANDONED)
            by_hand = self._by(who, why)
            # A replay starts from what was reported before it.
            seen = replace(day, generation_started_at=None) if is_replay else day
            decision = readiness(boundary, seen, by_hand.at).decision(
                by_hand.at, PhaseState.DISPATCHING, reason=f"{MANUAL}: {who}: {why}"
            )
            dispatch = dispatch_of(boundary, seen, decision, reason=MANUAL, claimant=claimant, now=by_hand.at)
            return changes.act_of_dispatch(day, by_hand, changes.claim(day, decision, dispatch))

        amended = self._days.amend(boundary, game_date, decide).unwrap()
        # Not changed: somebody has claimed it before, and publishes.
        if amended.changed:
            self._boundaries.send(boundary, amended.day, claimant).unwrap()

    def _by(self, who: str, why: str) -> ByHand:
        """Raises ResultError (Anonymous) unless both are given."""
        if not who.strip() or not why.strip():
            raise ResultError(ErrorInfo.permanent("Anonymous", "who and why: an act by hand names both"))
        return ByHand(who=who, why=why, at=self._now())


def _refuse(day: Day, what: str, *states: PhaseState) -> None:
    """Raises ResultError (WrongState) if the date is in one of the states."""
    if day.state in states:
        why = f"{day.key} is {day.state.value}, and cannot be {what}"
        raise ResultError(ErrorInfo.permanent("WrongState", why, path=day.key.path))


def _overtaken(day: Day, planned: int) -> ErrorInfo:
    why = f"{day.key} is in generation {day.generation}, the plan was made in {planned}"
    return ErrorInfo.permanent("PlanOvertaken", why, path=day.key.path)
