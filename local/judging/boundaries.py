"""What became of each boundary of the day, read from Firestore and from what was really published."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from common.documents.store import FirestoreDocuments
from common.phases.days import Days
from common.phases.decision import PhaseState
from common.phases.phase_graph import Graph
from common.phases.records import Day
from common.phases.rules import ALL_COMPLETE
from common.phases.shape import Boundary
from common.texts import counted

from ..day.chaos import Victim
from ..day.pipeline import Pipeline, Started
from ..stack.stack import Stack
from .promises import Verdict, times

PROMISE = "Each boundary dispatched once, for the right reason"
"""What the verdict on all boundaries together is about."""


@dataclass(frozen=True, kw_only=True)
class BoundaryEvidence:
    """One boundary at the end of a run."""

    boundary: Boundary
    day: Day
    published: tuple[Started, ...]
    """What was heard on its target topic."""
    reasons: frozenset[str]
    """For which of these it may have started, as the run was."""

    @property
    def waited(self) -> timedelta | None:
        """From the first report to the dispatch."""
        reports = self.day.in_generation.values()
        if not reports or self.day.dispatched_at is None:
            return None
        return self.day.dispatched_at - min(report.first_recorded_at for report in reports)


def read_days(stack: Stack, graph: Graph, pipeline: Pipeline) -> dict[str, Day]:
    """What is stored of the date now, by boundary; raises ResultError."""
    days = Days(FirestoreDocuments(stack.database), graph.sport)
    return {each.name: days.read(each, pipeline.game_date).unwrap() for each in graph.boundaries}


def gather_boundaries(stack: Stack, pipeline: Pipeline) -> list[BoundaryEvidence]:
    """Every boundary of the day with what was heard of it; raises ResultError."""
    days = read_days(stack, pipeline.graph, pipeline)
    return [
        BoundaryEvidence(
            boundary=boundary,
            day=days[boundary.name],
            published=tuple(each for each in pipeline.started if each.topic == boundary.dispatches_to),
            reasons=reasons_of(boundary, pipeline),
        )
        for boundary in pipeline.graph.boundaries
    ]


def reasons_of(boundary: Boundary, pipeline: Pipeline) -> frozenset[str]:
    """For which reasons the boundary may have started, as the run was played.

    All complete; or a tier where somebody stays away. A tier that needs no wait may always be first.
    """
    rules, faults = pipeline.rules(boundary), pipeline.faults
    # Its wait is over before the last processor has reported: either may come first.
    at_once = {tier.reason for tier in rules.tiers if tier.after_minutes == 0}
    # Processors of other boundaries make none of these differ.
    late = faults.late in rules.expected
    absent = faults.fails in rules.expected and faults.fails not in rules.critical
    if not (late or absent):
        return frozenset({ALL_COMPLETE, *at_once})
    # A late critical one is waited for, however long.
    by_wait = {tier.reason for tier in rules.tiers}
    return frozenset({*by_wait, *at_once} | ({ALL_COMPLETE} if faults.late in rules.critical else set()))


def judge_boundaries(found: Sequence[BoundaryEvidence], victim: Victim | None) -> Verdict:
    """Whether each boundary was dispatched once, under one id, noted, and for a reason that the run allows.

    Pure.
    """
    broken = [problem for each in found for problem in _problems(each, victim)]
    reasons = ", ".join(sorted({each.day.dispatch.reason for each in found if each.day.dispatch}))
    messages = sum(len(each.published) for each in found)
    return Verdict(
        promise=PROMISE,
        evidence=f"{counted(len(found), 'boundary')}, {counted(messages, 'message')}: {reasons}",
        broken=tuple(broken),
    )


def _problems(found: BoundaryEvidence, victim: Victim | None) -> Iterable[str]:
    """A function that dies between publishing and noting publishes again, under the same dispatch id."""
    name, day, published = found.boundary.name, found.day, found.published
    may_repeat = victim is Victim.TRANSITIONS
    if day.state is not PhaseState.DISPATCHED or day.dispatch is None:
        # Nothing else can be said of a dispatch that there is not.
        yield f"{name} is {day.state.value}: {day.decision.reason if day.decision else 'no event'}"
        return
    if not published or (len(published) > 1 and not may_repeat):
        yield f"{name} was published {times(len(published))}"
    # A receiver drops a repeat by this id: two of them would start the phase twice.
    if {each.dispatch_id for each in published} - {day.dispatch.dispatch_id}:
        yield f"{name} was published under several ids"
    if day.message_id not in {each.message_id for each in published}:
        yield f"the message of {name} is not noted"
    if day.dispatch.reason not in found.reasons:
        yield f"{name} started for {day.dispatch.reason}, not for {' or '.join(sorted(found.reasons))}"


def progress_of(day: Day, expected: Sequence[str]) -> int:
    """How many of the expected processors are there, failed ones left out."""
    reports: Mapping[str, object] = {
        name: report for name, report in day.in_generation.items() if report.is_present
    }
    return sum(name in reports for name in expected)
