"""`redrive`: players of a batch are asked for again, by a plan that a crash does not lose."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from common.batches.batches import Batches
from common.batches.records import Batch, Progress
from common.maintenance.recount import recount
from common.maintenance.redrive import RequestPublisher, asked_last, redrive, refusal
from common.maintenance.requests import Requests
from common.messages import PlayerOutcome
from common.result import Result, ResultError
from common.texts import counted

from ..operations import CutShort
from ..plan import Plan, Step
from ..refusals import refused
from ..wording import NAMES_SHOWN, names
from .batches import progress_of, seen


class Whom(Enum):
    """Who is asked for again."""

    MISSING = "missing"
    """No worker spoke for them."""
    FAILED = "failed"
    """Their worker gave up."""
    REFUSED = "refused"
    """Their rows cannot be merged: gone, or others than they claimed."""


@dataclass(frozen=True, kw_only=True)
class Refusals:
    """What tells who cannot be merged, and who was asked for again because of that."""

    unmergeable: Callable[[Batch], tuple[str, ...]]
    """Players whose rows are gone, or others than they claimed; raises ResultError."""
    unfinished: Callable[[str], CutShort | None]
    """The record of an operation, by its id, that has no result yet; raises ResultError."""


def plan_redrive(
    batches: Batches,
    requests: Requests,
    publisher: RequestPublisher,
    batch_id: str,
    *,
    whom: Whom,
    refusals: Refusals,
) -> Plan:
    """Ask again for these players.

    Raises ResultError: refused without a manifest, NoGame where somebody has no game that day. Done again
    after a crash it counts once, by the id of its record. Refused players count as lost from then on: what
    their workers answer begins a new generation, and what the others staged does not wait for them.

        redrive --refused   counted ── claims given up ── published
                                                       ╰─ cut short here, nobody's claim is refused any more:
                                                          whom to ask for is told by the batch's last redrive
    """
    progress = progress_of(batches, batch_id)
    batch = progress.batch
    players = _asked_for(batches, progress, whom, refusals)
    plan = Plan(
        command=f"redrive {batch_id} --{whom.value}",
        steps=[],
        seen={**seen(batch), "players to ask for": _named(players)},
    )
    # Before the batch is judged: where nobody has to be asked for, nothing stands against it either.
    if not players:
        return plan
    stands_against_it = refusal(batch)
    if stands_against_it is not None:
        raise ResultError(stands_against_it)
    # While it is still a plan: a player without a game that day is told before anybody confirms.
    request = requests.of(batch, players).unwrap()

    def give_up(asked: tuple[str, ...]) -> Result[Batch]:
        # Looked at anew: who has come since, where this goes on with what was cut short, keeps what he
        # brought.
        still = refusals.unmergeable(progress_of(batches, batch_id).batch)
        return recount(batches, batch_id, lost=[name for name in asked if name in still])

    def ask(operation: str) -> Result[str]:
        # Before the requests: an answer that comes earlier would count as a repeat of the claim.
        prepare = give_up if whom is Whom.REFUSED else None
        done = redrive(
            batches, publisher, batch_id, request, players=players, token=operation, prepare=prepare
        )
        return done.map(lambda found: f"{counted(len(found.message_ids), 'request')} published")

    return replace(plan, steps=[Step(sentence=_redriving(batch_id, whom, players), do=ask)])


def _redriving(batch_id: str, whom: Whom, players: Sequence[str]) -> str:
    """The words of the step, by which a record that was cut short is known to be of these players."""
    given_up = "give their claims up and " if whom is Whom.REFUSED else ""
    return f"{given_up}publish prediction requests for {_named(players)} of {batch_id}"


def _asked_for(batches: Batches, progress: Progress, whom: Whom, refusals: Refusals) -> tuple[str, ...]:
    """Whom this redrive is for, in the order of their names; () where there is nobody. Raises ResultError."""
    batch = progress.batch
    if whom is Whom.FAILED:
        return _failed(batches, batch)
    if whom is Whom.REFUSED:
        return _begun(batches, batch, refusals) or refusals.unmergeable(batch)
    if progress.missing is None:
        raise refused(f"batch {batch.batch_id!r} has no manifest: who is missing is not known")
    return progress.missing


def _begun(batches: Batches, batch: Batch, refusals: Refusals) -> tuple[str, ...]:
    """Whom a `redrive --refused` that was cut short has counted; () where the last redrive is none."""
    begun = refusals.unfinished(batch.last_redrive) if batch.last_redrive else None
    if begun is None:
        return ()
    # The record may be of another command, which asks for others: its own words tell.
    players = asked_last(batches, batch)
    return players if _redriving(batch.batch_id, Whom.REFUSED, players) in begun.plan else ()


def _named(players: Sequence[str]) -> str:
    """How many, and the first of them; a long list is told from others by its digest."""
    if len(players) <= NAMES_SHOWN:
        return f"{counted(len(players), 'player')} ({', '.join(players)})"
    # In the token as well: two lists of the same length and beginning must not look alike.
    digest = hashlib.sha256(",".join(players).encode()).hexdigest()[:6]
    return f"{counted(len(players), 'player')} ({names(players)}; list {digest})"


def _failed(batches: Batches, batch: Batch) -> tuple[str, ...]:
    """Who ended as failed; raises ResultError."""
    ended = batches.ended(batch).unwrap()
    return tuple(one.player_lookup for one in ended if one.outcome is PlayerOutcome.FAILED)
