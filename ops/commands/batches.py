"""Commands about one batch: who is missing, and the steps that a person may take for it."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from enum import Enum
from typing import Protocol

from rich.columns import Columns
from rich.console import RenderableType
from rich.text import Text

from common.batches.batches import Batches
from common.batches.records import Batch, BatchStatus, Progress
from common.maintenance.deadlines import OverdueBatches
from common.maintenance.recount import recount
from common.maintenance.redrive import RequestPublisher, redrive, refusal
from common.maintenance.requests import Requests
from common.maintenance.schema_migration import ORDER, Migration
from common.messages import PlayerOutcome
from common.result import ErrorInfo, Result, ResultError
from common.schema_mode import SchemaMode

from ..answer import Answer
from ..exit_status import ExitStatus
from ..operations import Plan, Step
from ..refusals import refused
from ..wording import NAMES_SHOWN, count, names


class Trigger(Protocol):
    """Publishes the trigger of a batch."""

    def send(self, batch: Batch) -> Result[str]:
        """The message id, once the trigger is out and noted."""


def missing(batches: Batches, batch_id: str) -> Answer:
    """Who no worker spoke for, who was timed out, and whom nobody had asked for.

    Raises ResultError (NoSuchThing) for a batch that is not there.
    """
    progress = _progress(batches, batch_id)
    batch = progress.batch
    data = {
        "batch_id": batch_id,
        "missing": progress.missing,
        "timed_out": progress.timed_out,
        "unexpected": progress.unexpected,
        "ended": batch.counts.ended,
        "expected": batch.expected_players,
    }
    number = batch.expected_players - batch.counts.reported
    unnamed = "; who, was never stored for this batch" if progress.missing is None else ""
    shown: list[RenderableType] = [f"{count(number, 'player')} missing{unnamed}."]
    if progress.missing:
        shown.append(Columns(map(Text, progress.missing), padding=(0, 2)))
    if progress.unexpected:
        shown.append(Text(f"Nobody had asked for {names(progress.unexpected)}."))
    return Answer(data=data, shown=shown, status=ExitStatus.FOUND if number > 0 else ExitStatus.WELL)


class Whom(Enum):
    """Who is asked for again."""

    MISSING = "missing"
    """No worker spoke for them."""
    FAILED = "failed"
    """Their worker gave up."""
    REFUSED = "refused"
    """Their rows cannot be merged: gone, or others than they claimed."""


def plan_redrive(
    batches: Batches,
    requests: Requests,
    publisher: RequestPublisher,
    batch_id: str,
    *,
    whom: Whom,
    unmergeable: Callable[[Batch], tuple[str, ...]],
) -> Plan:
    """Ask again for these players.

    Raises ResultError: refused without a manifest, NoGame where somebody has no game that day. Done again
    after a crash it counts once, by the id of its record. Refused players count as lost from then on: what
    their workers answer begins a new generation, and what the others staged does not wait for them.
    """
    progress = _progress(batches, batch_id)
    batch = progress.batch
    players = _asked_for(batches, progress, whom, unmergeable)
    plan = Plan(
        command=f"redrive {batch_id} --{whom.value}",
        steps=[],
        seen={**_seen(batch), "players to ask for": _named(players)},
    )
    if not players:
        return plan
    stands_against_it = refusal(batch)
    if stands_against_it is not None:
        raise ResultError(stands_against_it)
    request = requests.of(batch, players).unwrap()

    is_refused = whom is Whom.REFUSED

    def give_up(asked: tuple[str, ...]) -> Result[Batch]:
        return recount(batches, batch_id, lost=asked)

    def ask(operation: str) -> Result[str]:
        # Before the requests: an answer that comes earlier would count as a repeat of the claim.
        prepare = give_up if is_refused else None
        done = redrive(
            batches, publisher, batch_id, request, players=players, token=operation, prepare=prepare
        )
        return done.map(lambda found: f"{count(len(found.message_ids), 'request')} published")

    given_up = "give their claims up and " if is_refused else ""
    sentence = f"{given_up}publish prediction requests for {_named(players)} of {batch_id}"
    return replace(plan, steps=[Step(sentence=sentence, do=ask)])


def _asked_for(
    batches: Batches, progress: Progress, whom: Whom, unmergeable: Callable[[Batch], tuple[str, ...]]
) -> tuple[str, ...]:
    if whom is Whom.FAILED:
        return _failed(batches, progress.batch)
    if whom is Whom.REFUSED:
        return unmergeable(progress.batch)
    if progress.missing is None:
        raise refused(f"batch {progress.batch.batch_id!r} has no manifest: who is missing is not known")
    return progress.missing


def plan_close(batches: Batches, overdue: OverdueBatches, trigger: Trigger, batch_id: str) -> Plan:
    """The step that is due: time out who is missing and close, or publish the trigger (again).

    Nothing for a batch that is failed, abandoned or announced.
    """
    batch = _batch(batches, batch_id)
    plan = Plan(command=f"close {batch_id}", steps=[], seen=_seen(batch))
    if batch.status is BatchStatus.OPEN or batch.owes_trigger:
        left = batch.expected_players - batch.counts.ended
        shown = [f"{batch_id} is open: timing out {count(left, 'missing player')}."] if left > 0 else []
        return replace(plan, steps=[_close(overdue, trigger, batch)], shown=shown)
    if batch.status in (BatchStatus.FAILED, BatchStatus.ABANDONED):
        return replace(plan, shown=[f"{batch_id} is {batch.status.value}: nothing follows from it."])
    # By generation: an announcement of an earlier one leaves something to publish.
    is_announced = batch.phase_generation >= batch.generation
    if batch.status is BatchStatus.CONSOLIDATED and is_announced:
        return replace(plan, shown=[f"{batch_id} is consolidated and announced."])
    sentence = f"publish the trigger of {batch_id}, generation {batch.generation}, again"
    return replace(plan, steps=[Step(sentence=sentence, do=lambda _: trigger.send(batch))])


def plan_abandon(batches: Batches, batch_id: str, *, who: str, why: str) -> Plan:
    """Give it up: what still arrives is recorded, and never merged. Nothing for one that is given up."""
    batch = _batch(batches, batch_id)
    plan = Plan(command=f"abandon {batch_id}", steps=[], seen=_seen(batch))
    if batch.status is BatchStatus.ABANDONED:
        return plan

    def give_up(_: str) -> Result[str]:
        given_up = batches.abandon(batch_id, who=who, why=why)
        return given_up.map(lambda after: f"{batch_id} {after.status.value}")

    ended = f"{batch.counts.ended} of {batch.expected_players} players have ended"
    shown = [f"{batch_id} is {batch.status.value}, {ended}."]
    return replace(plan, steps=[Step(sentence=f"abandon {batch_id}", do=give_up)], shown=shown)


def plan_migrate(batches: Batches, batch_id: str, to: SchemaMode) -> Plan:
    """Move an open batch to another schema mode, forward or back. Nothing where it is in that mode."""
    batch = _batch(batches, batch_id)
    plan = Plan(command=f"migrate {batch_id} --to {to.value}", steps=[], seen=_seen(batch))
    if batch.schema_mode is to:
        return plan
    migration = Migration(batches)
    is_forward = ORDER.index(to) > ORDER.index(batch.schema_mode)
    switch = migration.upgrade if is_forward else migration.rollback

    def do(_: str) -> Result[str]:
        return switch(batch_id, to=to).map(lambda after: f"{batch_id} is in mode {after.schema_mode.value}")

    sentence = f"move {batch_id} from {batch.schema_mode.value} to {to.value}: backfill, verify, switch"
    return replace(plan, steps=[Step(sentence=sentence, do=do)])


def _close(overdue: OverdueBatches, trigger: Trigger, batch: Batch) -> Step:
    """The same step whether it is begun or was cut short between closing and publishing."""

    def do(_: str) -> Result[str]:
        if batch.owes_trigger:
            return trigger.send(batch).map(lambda message_id: f"trigger published as {message_id}")
        return overdue.close_now(batch.batch_id).map(lambda after: f"{batch.batch_id} {after.status.value}")

    sentence = f"close {batch.batch_id}, generation {batch.generation}, and publish the trigger that follows"
    return Step(sentence=sentence, do=do)


def _seen(batch: Batch) -> dict[str, str]:
    """What a plan's token is made of: a plan that was shown is refused once one of these has changed."""
    return {
        "status": batch.status.value,
        "ended": f"{batch.counts.ended} of {batch.expected_players}",
        "generation": str(batch.generation),
        "mode": batch.schema_mode.value,
    }


def _named(players: Sequence[str]) -> str:
    """How many, and the first of them; a long list is told from others by its digest."""
    if len(players) <= NAMES_SHOWN:
        return f"{count(len(players), 'player')} ({', '.join(players)})"
    # In the token as well: two lists of the same length and beginning must not look alike.
    digest = hashlib.sha256(",".join(players).encode()).hexdigest()[:6]
    return f"{count(len(players), 'player')} ({names(players)}; list {digest})"


def _failed(batches: Batches, batch: Batch) -> tuple[str, ...]:
    """Who ended as failed; raises ResultError."""
    ended = batches.ended(batch).unwrap()
    return tuple(one.player_lookup for one in ended if one.outcome is PlayerOutcome.FAILED)


def _batch(batches: Batches, batch_id: str) -> Batch:
    return _progress(batches, batch_id).batch


def _progress(batches: Batches, batch_id: str) -> Progress:
    """The batch with its players; raises ResultError, as NoSuchThing for one that is not there."""
    found = batches.progress(batch_id)
    if found.error is not None and found.error.is_expected:
        raise ResultError(ErrorInfo.permanent("NoSuchThing", f"batch {batch_id!r}: there is none"))
    return found.unwrap()
