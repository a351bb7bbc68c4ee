"""Commands about one batch: who is missing, and the steps that a person may take for it.

Each plan is made from one reading of the batch, and its steps decide anew: between the plan and its doing
minutes may pass, and the sweep does the same by itself.
"""

from dataclasses import replace
from typing import Protocol

from rich.columns import Columns
from rich.console import RenderableType
from rich.text import Text

from common.batches.batches import Batches
from common.batches.records import Batch, BatchStatus, Progress
from common.batches.rules import ended_so_far
from common.maintenance.deadlines import OverdueBatches
from common.maintenance.schema_migration import ORDER, Migration
from common.result import ErrorInfo, Result, ResultError
from common.schema_mode import SchemaMode
from common.texts import counted

from ..answer import Answer
from ..exit_status import ExitStatus
from ..plan import Plan, Step
from ..wording import names


class Trigger(Protocol):
    """Publishes the trigger of a batch."""

    def send(self, batch: Batch) -> Result[str]:
        """The message id, once the trigger is out and noted."""


def missing(batches: Batches, batch_id: str) -> Answer:
    """Who no worker spoke for, who was timed out, and whom nobody had asked for.

    Raises ResultError (NoSuchThing) for a batch that is not there.

    `missing` is None where nobody stored the names, which is not the same as nobody: then only the number is
    known. Exit status 1 while anybody is missing. A completion that waits in Pub/Sub is not seen: its player
    is missing until it is recorded.
    """
    progress = progress_of(batches, batch_id)
    batch = progress.batch
    data = {
        "batch_id": batch_id,
        "missing": progress.missing,
        "timed_out": progress.timed_out,
        "unexpected": progress.unexpected,
        "ended": batch.counts.ended,
        "expected": batch.expected_players,
    }
    # By the counters and not by the names: the number is right also where no names were stored.
    number = batch.expected_players - batch.counts.reported
    unnamed = "; who, was never stored for this batch" if progress.missing is None else ""
    shown: list[RenderableType] = [f"{counted(number, 'player')} missing{unnamed}."]
    if progress.missing:
        # In columns and whole: who is missing is what the command was given for.
        shown.append(Columns(map(Text, progress.missing), padding=(0, 2)))
    if progress.unexpected:
        shown.append(Text(f"Nobody had asked for {names(progress.unexpected)}."))
    return Answer(data=data, shown=shown, status=ExitStatus.FOUND if number > 0 else ExitStatus.WELL)


def plan_close(batches: Batches, overdue: OverdueBatches, trigger: Trigger, batch_id: str) -> Plan:
    """The step that is due: time out who is missing and close, or publish the trigger (again).

    Nothing for a batch that is failed, abandoned or announced.

    A trigger that was published, and whose noting was cut short, looks unpublished here. Publishing it once
    more is safe: a generation is merged once, however often its trigger comes.
    """
    batch = _batch(batches, batch_id)
    plan = Plan(command=f"close {batch_id}", steps=[], seen=seen(batch))
    if batch.status is BatchStatus.OPEN or batch.owes_trigger:
        # For the person alone: how many the step times out is counted again when it is done.
        left = batch.expected_players - batch.counts.ended
        shown = [f"{batch_id} is open: timing out {counted(left, 'missing player')}."] if left > 0 else []
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
    """Give it up: what still arrives is recorded, and never merged. Nothing for one that is given up.

    The store decides when the step is done, and not the plan: a consolidation that has begun by then makes it
    fail. Who gave a batch up first stays on record; a second call has nothing to do.
    """
    batch = _batch(batches, batch_id)
    plan = Plan(command=f"abandon {batch_id}", steps=[], seen=seen(batch))
    if batch.status is BatchStatus.ABANDONED:
        return plan

    def give_up(_: str) -> Result[str]:
        given_up = batches.abandon(batch_id, who=who, why=why)
        return given_up.map(lambda after: f"{batch_id} {after.status.value}")

    shown = [f"{batch_id} is {batch.status.value}, {ended_so_far(batch)}."]
    return replace(plan, steps=[Step(sentence=f"abandon {batch_id}", do=give_up)], shown=shown)


def plan_migrate(batches: Batches, batch_id: str, to: SchemaMode) -> Plan:
    """Move an open batch to another schema mode, forward or back. Nothing where it is in that mode.

    All three are one commit, which is refused if the batch has changed since it was read: cut short, the
    batch is in one mode or the other and never between. The step fails (Inconsistent) where array and
    documents contradict each other. Raises ResultError (NoSuchThing) for a batch that is not there.
    """
    batch = _batch(batches, batch_id)
    plan = Plan(command=f"migrate {batch_id} --to {to.value}", steps=[], seen=seen(batch))
    if batch.schema_mode is to:
        return plan
    migration = Migration(batches)
    is_forward = ORDER.index(to) > ORDER.index(batch.schema_mode)
    # Two names for two directions: nobody rolls back by a slip.
    switch = migration.upgrade if is_forward else migration.rollback

    def do(_: str) -> Result[str]:
        return switch(batch_id, to=to).map(lambda after: f"{batch_id} is in mode {after.schema_mode.value}")

    sentence = f"move {batch_id} from {batch.schema_mode.value} to {to.value}: backfill, verify, switch"
    return replace(plan, steps=[Step(sentence=sentence, do=do)])


def _close(overdue: OverdueBatches, trigger: Trigger, batch: Batch) -> Step:
    """The same step whether it is begun or was cut short between closing and publishing."""

    def do(_: str) -> Result[str]:
        # There is nothing left to close: what was cut short is the publishing.
        if batch.owes_trigger:
            return trigger.send(batch).map(lambda message_id: f"trigger published as {message_id}")
        return overdue.close_now(batch.batch_id).map(lambda after: f"{batch.batch_id} {after.status.value}")

    sentence = f"close {batch.batch_id}, generation {batch.generation}, and publish the trigger that follows"
    return Step(sentence=sentence, do=do)


def seen(batch: Batch) -> dict[str, str]:
    """What a plan's token is made of: a plan that was shown is refused once one of these has changed."""
    return {
        "status": batch.status.value,
        "ended": f"{batch.counts.ended} of {batch.expected_players}",
        "generation": str(batch.generation),
        "mode": batch.schema_mode.value,
    }


def _batch(batches: Batches, batch_id: str) -> Batch:
    """As `progress_of`, for who needs the batch alone."""
    return progress_of(batches, batch_id).batch


def progress_of(batches: Batches, batch_id: str) -> Progress:
    """The batch with its players; raises ResultError, as NoSuchThing for one that is not there."""
    found = batches.progress(batch_id)
    # An expected failure says that there is no such batch. Any other says that the store did not answer,
    # which must not be read as an absence.
    if found.error is not None and found.error.is_expected:
        raise ResultError(ErrorInfo.permanent("NoSuchThing", f"batch {batch_id!r}: there is none"))
    return found.unwrap()
