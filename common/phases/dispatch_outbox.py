"""The dispatch of a boundary, once claimed: published certainly, and by one at a time.

    claim: state DISPATCHING,          the message        state DISPATCHED,
    the message is written down  ────► is published ────► message_id is noted

A crash anywhere is resumed by a redelivery or by the sweep, once the claim's grace is over; the message is
the one that was written down, under the same dispatch id, so a receiver can drop a repeat.

    A       claims ── paused ····················· publishes ── finds it noted: nothing left to write
    sweep             60 s over: takes over ── publishes ── notes

Two messages under one dispatch id: that is the price of certainty, as a publish cannot be made conditional.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

import structlog

from ..messages import MESSAGES, Message
from ..result import ErrorInfo, Result, ResultError, returns_result
from ..topics import Topic, topic
from . import changes
from .days import Days
from .decision import PhaseState
from .records import Day, Dispatch
from .rules import CLAIM_GRACE
from .shape import Boundary

log = structlog.get_logger()


class Publisher(Protocol):
    """Publishes one message; returns its id."""

    def publish(self, topic: Topic, message: Message) -> Result[str]:
        """The id of the message, once it is confirmed."""


@dataclass(frozen=True, kw_only=True)
class DispatchOutbox:
    """Publishes what is claimed; safe to share between threads."""

    days: Days
    publisher: Callable[[], Publisher]
    now: Callable[[], datetime]

    @returns_result
    def send(self, boundary: Boundary, day: Day, claimed_by: str) -> Day:
        """Publish the claimed dispatch and note it; the date as it is then.

        Another's claim within its grace is "not yet" (TRANSIENT, quiet). A message that could not be
        published is NotDispatched, TRANSIENT whatever the reason: the claim stands, and the sweep tries
        again. Noted already: nothing is published.
        """
        dispatch = self._mine(boundary, day, claimed_by)
        if dispatch is None:
            return self.days.read(boundary, day.key.game_date).unwrap()
        message_id = self._publish(boundary, dispatch)
        return self._note(boundary, day, dispatch, message_id)

    def _mine(self, boundary: Boundary, day: Day, claimed_by: str) -> Dispatch | None:
        """The dispatch under the caller's claim, with time to publish it; None if it is done meanwhile.

        A claim is taken over from another once its grace is over, and renewed where the caller's own is half
        over.
        """
        now = self.now()
        claim = day.dispatch
        # In the second half of its grace others might step in before the message is out: it is renewed first.
        if claim is not None and claim.claimed_by == claimed_by and now < claim.claimed_at + CLAIM_GRACE / 2:
            return claim

        def take_over(found: Day) -> changes.Change | None:
            if found.state is not PhaseState.DISPATCHING or found.dispatch is None:
                return None
            is_mine = found.dispatch.claimed_by == claimed_by
            # This very attempt has written it, and the answer was lost.
            if is_mine and found.dispatch.claimed_at == now:
                return None
            if not is_mine and now < found.dispatch.claimed_at + CLAIM_GRACE:
                raise ResultError(_claimed(found, found.dispatch))
            return changes.claim_again(replace(found.dispatch, claimed_by=claimed_by, claimed_at=now))

        taken = self.days.amend(boundary, day.key.game_date, take_over).unwrap().day
        is_mine = taken.dispatch is not None and taken.dispatch.claimed_by == claimed_by
        return taken.dispatch if is_mine and taken.state is PhaseState.DISPATCHING else None

    def _publish(self, boundary: Boundary, dispatch: Dispatch) -> str:
        """The message's id.

        Also a PERMANENT error of Pub/Sub is retried: a missing topic may be made meanwhile, and the phase
        must not be given up for it.
        """
        target = topic(boundary.dispatches_to)
        message = _message(target, dispatch)
        # Made when there is something to publish: most events only record.
        published = self.publisher().publish(target, message)
        if published.error is not None:
            why = f"{dispatch.dispatch_id} could not be published: {published.error.message}"
            raise ResultError(ErrorInfo.transient("NotDispatched", why, **(published.error.details or {})))
        return published.unwrap()

    def _note(self, boundary: Boundary, day: Day, dispatch: Dispatch, message_id: str) -> Day:
        """The date once the message id is noted on it, or whatever stands there instead."""
        noted = self.days.amend(
            boundary,
            day.key.game_date,
            lambda found: changes.note(found, dispatch, message_id, self.now()),
        ).unwrap()
        # Told once it is noted: the line says what stands.
        log.info(
            f"phase {boundary.next_phase} started: {dispatch.reason}",
            action="phase_dispatched",
            boundary=boundary.name,
            game_date=day.key.game_date.isoformat(),
            dispatch_id=dispatch.dispatch_id,
            reason=dispatch.reason,
            message_id=message_id,
        )
        return noted.day


def _message(target: Topic, dispatch: Dispatch) -> Message:
    """What was written down, as the model of the topic, which has checked it before."""
    model = MESSAGES[str(target.message)]
    # From JSON's values, in which dates are text.
    return model.model_validate(dict(dispatch.message), strict=False)


def _claimed(day: Day, dispatch: Dispatch) -> ErrorInfo:
    """ "Not yet": whoever holds the claim is publishing, or is overtaken when its grace is over."""
    return ErrorInfo.not_yet(
        f"{dispatch.dispatch_id} is being published by another, who has until "
        f"{(dispatch.claimed_at + CLAIM_GRACE).isoformat()}",
        path=day.key.path,
    )
