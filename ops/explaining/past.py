"""What can still be known of a moment that is over.

Firestore keeps every version of a document for an hour, and those of each whole minute for seven days where
point-in-time recovery is on. What is older than that is told from what was written down with its time: the
timeline, the completions, decisions and acts.
"""

from datetime import datetime, timedelta
from typing import Final

from common.documents.port import REFUSED
from common.result import ErrorInfo, ResultError

from ..wording import moment

NOT_KEPT: Final = "NotKept"
"""Failure class (PERMANENT): the store keeps that moment no more, and nothing else tells of it."""
EVERY_VERSION: Final = timedelta(hours=1)
"""How far back Firestore answers for any moment; beyond it, for whole minutes alone."""


def readable_moment(at: datetime, now: datetime) -> datetime:
    """What to ask the store for: the moment itself, or its whole minute where the store keeps no others.

    Raises ResultError for one that has not come yet.
    """
    if at > now:
        why = f"--at: {moment(at)} UTC has not come yet"
        raise ResultError(ErrorInfo.permanent("WrongUsage", why))
    # Downwards, so that nothing is told that had not happened yet by that moment.
    return at if now - at < EVERY_VERSION else at.replace(second=0, microsecond=0)


def is_not_kept(error: ErrorInfo) -> bool:
    """Whether a reading of the past was refused because the store keeps that moment no more."""
    return error.exception_class == REFUSED


def told_instead(at: datetime) -> str:
    """What to say above whatever was put together from times alone."""
    return (
        f"Firestore keeps the documents of {moment(at)} UTC no more: this is told by what was written down "
        "with its time."
    )
