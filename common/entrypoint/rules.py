"""What becomes of a delivery: which topic it came from, whether it may be handled, what its Result means.

| the handler's Result | what Pub/Sub is told | status |
|---|---|---|
| success, partial | acknowledged; the error of a partial is logged | 200 |
| retryable and expected (a held lock, "not yet") | deliver again, quietly | 503 |
| retryable fault | deliver again; the error is raised and logged | 500 |
| PERMANENT; unreadable; of an unknown topic; too old | acknowledged, once it is a dead letter | 200 |
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, Final

from ..messages import M
from ..result import ErrorInfo, Result
from ..sport import Sport, SportNames
from ..topics import Topic, UnknownTopic, by_name
from .envelope import Delivery

MAX_AHEAD: Final = timedelta(days=365)
"""A clock may be wrong by days, ours or theirs; an event from beyond this would never become too old."""


class Disposition(Enum):
    """What becomes of a message."""

    ACK = "ack"
    RETRY_QUIETLY = "retry_quietly"
    RETRY = "retry"
    DEAD_LETTER = "dead_letter"


def dispose(result: Result[Any]) -> Disposition:
    """The table above, as a rule. A partial is acknowledged: what is missing in it is told in its data."""
    if not result.is_failure:
        return Disposition.ACK
    if not result.is_retryable:
        return Disposition.DEAD_LETTER
    is_expected = result.error is not None and result.error.is_expected
    return Disposition.RETRY_QUIETLY if is_expected else Disposition.RETRY


def read_message(
    model: type[M], delivery: Delivery, *, sport: Sport, now: datetime, max_age: timedelta
) -> Result[M]:
    """The message that a delivery carries, or the PERMANENT failure that makes it a dead letter: that of
    `refuse`, or InvalidMessage.
    """
    refusal = refuse(delivery, sport=sport, now=now, max_age=max_age)
    return model.parse(delivery.data) if refusal is None else Result.failure(refusal)


def refuse(delivery: Delivery, *, sport: Sport, now: datetime, max_age: timedelta) -> ErrorInfo | None:
    """Why a delivery must not even reach its handler, or None.

    All are PERMANENT: UnreadableEnvelope, EventTooOld, EventOfTheFuture, EmptyMessage, WrongSport. A message
    without a publishing time has no age, and is handled.
    """
    if delivery.error is not None:
        return delivery.error
    if delivery.published_at is not None and (refusal := _refuse_time(delivery.published_at, now, max_age)):
        return refusal
    if not delivery.data:
        return ErrorInfo.permanent(
            "EmptyMessage",
            f"message.data: empty; the attributes are {dict(delivery.attributes)!r}",
        )
    # Legacy publishers name no sport; the topic's name has told it.
    claimed = delivery.attributes.get("sport", sport.value)
    return None if claimed == sport.value else _wrong_sport(f"attributes.sport: {claimed!r}", sport)


def _refuse_time(published_at: datetime, now: datetime, max_age: timedelta) -> ErrorInfo | None:
    if now - published_at > max_age:
        why = f"publishTime: {published_at.isoformat()} is more than {max_age} ago"
        return ErrorInfo.permanent("EventTooOld", why)
    # A publisher's clock cannot be right then, and the event would never become too old.
    if published_at - now > MAX_AHEAD:
        why = f"publishTime: {published_at.isoformat()} is more than {MAX_AHEAD} ahead"
        return ErrorInfo.permanent("EventOfTheFuture", why)
    return None


def origin(
    name: str | None, *, sport: Sport, heard: Collection[Topic], unnamed: Topic | None
) -> Result[Topic]:
    """Which of the topics that a function hears a delivery came from.

    `name` is the topic as the envelope tells it, with or without the sport in front; `unnamed` is meant where
    it tells none. A topic of another sport, one that is not in the registry, and one that this function does
    not hear are PERMANENT failures: what is handled as the message of another topic would do another's work.
    """
    if name is None:
        return Result.success(unnamed) if unnamed is not None else _unknown("topic: not told", heard)
    try:
        found, topic_sport = _by_either_name(name, sport)
    except UnknownTopic:
        return _unknown(f"topic: {name!r} is not in the registry", heard)
    if topic_sport is not sport:
        return Result.failure(_wrong_sport(f"topic: {name!r}", sport))
    return Result.success(found) if found in heard else _unknown(f"topic: {name!r} is not heard here", heard)


def _by_either_name(name: str, sport: Sport) -> tuple[Topic, Sport]:
    """By the full name, else by the name without its sport: a push path may hold either."""
    try:
        return by_name(name)
    except UnknownTopic:
        return by_name(SportNames(sport=sport).topic(name))


def _unknown(what: str, heard: Collection[Topic]) -> Result[Topic]:
    names = ", ".join(topic.base_name for topic in heard)
    return Result.failure(ErrorInfo.permanent("UnknownTopic", f"{what}; this function hears {names}"))


def _wrong_sport(what: str, sport: Sport) -> ErrorInfo:
    return ErrorInfo.permanent("WrongSport", f"{what}, but this function serves {sport.value!r}")
