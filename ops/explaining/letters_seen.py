"""Dead letters as they were at a time: they are never removed, and each keeps its own times."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from common.entrypoint.dead_letter_box import DeadLetter


def until(letters: Sequence[DeadLetter], at: datetime) -> tuple[DeadLetter, ...]:
    """What a person did with them later is undone.

    Those that were written by then, waiting or not as they were then. Pure; of a letter that was written anew
    since, only its newest writing is known.
    """
    return tuple(
        replace(
            each,
            replayed_at=_by(each.replayed_at, at),
            discarded_at=_by(each.discarded_at, at),
        )
        for each in letters
        if each.dead_lettered_at <= at
    )


def _by(done_at: datetime | None, at: datetime) -> datetime | None:
    """A time that had come by then; None for one that had not."""
    return done_at if done_at is not None and done_at <= at else None
