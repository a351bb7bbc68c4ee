"""Asks again for players whose documents or rows are lost, and remembers that it waits for them.

    finding   noted to wait ── asked ── (an audit: it waits, nobody asks) ── they come ── clean runs count
                           ╰─ cut short here: nobody comes, after an hour it is late, and asked for anew

Asking hides a defect before it mends it: the counters are right again, and the player is still away. So the
finding is noted first; see `repair_checks` for who lets it end.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final, Protocol

from ..batches.batches import Batches
from ..batches.records import Batch
from ..findings import Finding, FindingClass, ScopeKind, Tracked
from ..findings.reporter import amend
from ..findings.rules import asked, found, lapsed
from ..findings.store import FindingStore
from ..maintenance.recount import recount
from ..maintenance.redrive import MakeRequest, RequestPublisher, redrive
from ..messages import PlayerOutcome
from ..result import Result, ResultError

JUST_ASKED: Final = timedelta(minutes=30)
"""Less than from one audit to the next: who has not come by then may be asked for again."""

State = Mapping[str, Any]
"""Plain values for the audit's document, by names that the repair chooses."""


class RequestMaker(Protocol):
    """Makes the requests for players who are asked for again."""

    def of(self, batch: Batch, players: Collection[str]) -> Result[MakeRequest]:
        """The maker of one batch's requests; PERMANENT where nobody knows how these players were predicted
        for.
        """


class MainRows(Protocol):
    """Removes rows of the main table."""

    def remove(self, game_date: date, players: Collection[str]) -> Result[int]:
        """Every row of these players on that day; how many. Safe to repeat."""


@dataclass(frozen=True, kw_only=True)
class AskingAgain:
    """The repairs that rest on workers; safe to share between threads, as what it is made of is."""

    batches: Batches
    main_rows: MainRows
    requests: RequestMaker
    publisher: Callable[[], RequestPublisher]
    findings: FindingStore
    now: Callable[[], datetime]

    def redrive(self, finding: Finding) -> tuple[State, State]:
        """Who has lost a document or rows is timed out first: a completion that comes then counts as late,
        and brings its rows in a generation of its own. Who was asked for just now, by another finding of the
        same player or by another auditor, is not asked for again."""
        # As it is by now, not as the finding knew it.
        before = self.batches.get(finding.scope.name).unwrap()
        lost, wanted = self._still_lost(before, finding)
        # Asked first: whom nobody could predict for is not timed out either.
        request = self.requests.of(before, wanted).unwrap()
        with self.awaited(finding, lost):
            batch, players = self._ask_again(before, lost, wanted, request)
        return state_of(before), {**state_of(batch), "redriven": list(players)}

    def _ask_again(
        self, before: Batch, lost: Collection[str], wanted: tuple[str, ...], request: MakeRequest
    ) -> tuple[Batch, tuple[str, ...]]:
        """The batch with the lost timed out, and who of `wanted` was asked for: they, and who is missing
        anyway.

        Whoever was asked for just now may have come since: timed out again, he would be away for good. So a
        lost player is timed out only by the call that has counted him as asked for, before his request.
        """

        def time_out(asked: tuple[str, ...]) -> Result[Batch]:
            return recount(self.batches, before.batch_id, lost=[name for name in lost if name in asked])

        asked = redrive(
            self.batches,
            self.publisher(),
            before.batch_id,
            request,
            players=wanted if lost else None,
            not_within=JUST_ASKED,
            prepare=time_out if lost else None,
        ).unwrap()
        return self.batches.get(before.batch_id).unwrap(), asked.players

    def replace(self, finding: Finding) -> tuple[State, State]:
        """The rows of these players are removed; who is of a batch of the day is then asked for again, as one
        who has lost them. Cut short in between, he has lost them, and is found to have."""
        game_date = finding.scope.game_date
        assert game_date is not None
        lost = [(batch, self._completed(batch, finding.ids)) for batch in self._with_rows(finding)]
        # Asked first: whom nobody could predict for keeps the rows.
        asking = [
            (batch, players, wanted, self.requests.of(batch, wanted).unwrap())
            for batch, players in lost
            if players
            for wanted in [self._with_missing(batch, players)]
        ]
        removed = self.main_rows.remove(game_date, finding.ids).unwrap()
        # A finding about a date is of several batches, none of which could tell alone that its repair has
        # arrived.
        is_awaited = finding.scope.kind is ScopeKind.BATCH and bool(asking)
        players = {name for _, names, *_ in asking for name in names}
        with self.awaited(finding, sorted(players)) if is_awaited else nullcontext():
            asked = {
                batch.batch_id: list(self._ask_again(batch, names, wanted, request)[1])
                for batch, names, wanted, request in asking
            }
        return {"players": list(finding.ids)}, {"rows_removed": removed, "redriven": asked}

    def _with_rows(self, finding: Finding) -> list[Batch]:
        """The batch that the finding is of, or those of its day that are merged."""
        if finding.scope.kind is ScopeKind.BATCH:
            return [self.batches.get(finding.scope.name).unwrap()]
        of_day = self.batches.store.where("game_date", [finding.scope.name]).unwrap()
        read = [each.unwrap() for each in of_day.values() if each.is_success]
        # Only what was merged has rows in the main table that can be taken out.
        return [each for each in read if each.consolidated_generation]

    def _completed(self, batch: Batch, players: Collection[str]) -> tuple[str, ...]:
        ended = self.batches.completions(batch.batch_id).unwrap()
        completed = {one.player_lookup for one in ended if one.outcome is PlayerOutcome.COMPLETED}
        return tuple(name for name in players if name in completed)

    @contextmanager
    def awaited(self, finding: Finding, players: Collection[str]) -> Iterator[None]:
        """What is done within asks something of others: the finding is remembered to wait for it.

        Noted before, as asking hides the defect: who dies in between leaves a finding that waits, and is
        told.
        Where asking failed, whoever comes next asks at once.
        """
        self._note(finding, lambda known: asked(known, players, self.now()))
        try:
            yield
        except ResultError as exc:
            if not exc.error.is_expected:
                self._note(finding, lambda known: lapsed(known, self.now()))
            raise

    def _note(self, finding: Finding, change: Callable[[Tracked], Tracked]) -> None:
        """Remember `change` of the finding, also if it was never told before. Raises ResultError."""
        known = self.findings.get([finding.finding_id]).unwrap().get(finding.finding_id)

        def noted(current: Tracked | None) -> Tracked:
            return change(found(None, finding, self.now()) if current is None else current)

        amend(self.findings, finding.finding_id, known, noted).unwrap()

    def _still_lost(self, batch: Batch, finding: Finding) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Whom the finding is about and has not come since; the same with those who are missing anyway, in
        the order of their names."""
        missing = self.batches.progress(batch.batch_id).unwrap().missing
        lost = finding.ids if finding.finding_class is not FindingClass.FAILED_BATCH else ()
        if finding.finding_class is FindingClass.MISSING_MARKER and missing is not None:
            lost = tuple(name for name in lost if name in missing)
        return lost, tuple(sorted({*lost, *(missing or ())}))

    def _with_missing(self, batch: Batch, players: Collection[str]) -> tuple[str, ...]:
        """These players and those who are missing anyway, in the order of their names."""
        missing = self.batches.progress(batch.batch_id).unwrap().missing
        return tuple(sorted({*players, *(missing or ())}))


def state_of(batch: Batch) -> State:
    """What a repair of a batch is told by: before and after differ in what was repaired."""
    return {
        "status": batch.status.value,
        "counts": {outcome.value: getattr(batch.counts, outcome.value) for outcome in PlayerOutcome},
        "predictions": batch.total_predictions,
        "generation": batch.generation,
        "trigger_message_id": batch.trigger_message_id,
    }
