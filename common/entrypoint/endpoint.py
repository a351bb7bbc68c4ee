"""HTTP request in, acknowledgement out: the one place that decides what becomes of a message.

| the handler's Result | what Pub/Sub is told | status |
|---|---|---|
| success, partial | acknowledged; the error of a partial is logged | 200 |
| retryable and expected (a held lock, "not yet") | deliver again, quietly | 503 |
| retryable fault | deliver again; the error is raised and logged | 500 |
| PERMANENT; unreadable; older than the maximum age | acknowledged, once it is a dead letter | 200 |
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, Generic, Protocol

import structlog
from starlette.requests import Request
from starlette.responses import Response

from .. import logs, trace
from ..messages import M
from ..result import ErrorInfo, Result, ResultError
from ..sport import Sport
from ..topics import UnknownTopic, by_name
from . import envelope
from .envelope import Delivery

log = structlog.get_logger()


class Disposition(Enum):
    """What becomes of a message."""

    ACK = "ack"
    RETRY_QUIETLY = "retry_quietly"
    RETRY = "retry"
    DEAD_LETTER = "dead_letter"


class DeadLetterWriter(Protocol):
    def write(self, delivery: Delivery, error: ErrorInfo, now: datetime) -> Result[str]: ...


def dispose(result: Result[Any]) -> Disposition:
    """The table above, as a rule. A partial is acknowledged: what is missing in it is told in its data."""
    if not result.is_failure:
        return Disposition.ACK
    if not result.is_retryable:
        return Disposition.DEAD_LETTER
    is_expected = result.error is not None and result.error.is_expected
    return Disposition.RETRY_QUIETLY if is_expected else Disposition.RETRY


def refuse(delivery: Delivery, *, sport: Sport, now: datetime, max_age: timedelta) -> ErrorInfo | None:
    """Why a delivery must not even reach its handler, or None."""
    if delivery.error is not None:
        return delivery.error
    if delivery.published_at is not None and now - delivery.published_at > max_age:
        return ErrorInfo.permanent(
            "EventTooOld", f"publishTime: {delivery.published_at.isoformat()} is more than {max_age} ago"
        )
    if not delivery.data:
        return ErrorInfo.permanent(
            "EmptyMessage",
            f"message.data: empty; the attributes are {dict(delivery.attributes)!r}",
        )
    return _refuse_other_sport(delivery, sport)


def read_message(
    model: type[M], delivery: Delivery, *, sport: Sport, now: datetime, max_age: timedelta
) -> Result[M]:
    """The message that a delivery carries, or the PERMANENT failure that makes it a dead letter."""
    refusal = refuse(delivery, sport=sport, now=now, max_age=max_age)
    return model.parse(delivery.data) if refusal is None else Result.failure(refusal)


def _refuse_other_sport(delivery: Delivery, sport: Sport) -> ErrorInfo | None:
    claimed = delivery.attributes.get("sport", sport.value)
    if claimed != sport.value:
        return ErrorInfo.permanent(
            "WrongSport", f"attributes.sport: {claimed!r}, but this function serves {sport.value!r}"
        )
    try:
        _, topic_sport = by_name(delivery.topic or "")
    except UnknownTopic:
        return None
    if topic_sport is not sport:
        return ErrorInfo.permanent(
            "WrongSport", f"topic: {delivery.topic!r}, but this function serves {sport.value!r}"
        )
    return None


@dataclass(frozen=True, kw_only=True)
class Endpoint(Generic[M]):
    """Receives the deliveries of one topic and hands their messages to one handler."""

    message: type[M]
    handle: Callable[[M, Delivery], Awaitable[Result[Any]]]
    dead_letters: Callable[[], DeadLetterWriter]
    """Built when first needed: most instances never write a dead letter."""
    sport: Sport
    max_age: timedelta
    now: Callable[[], datetime]

    async def respond(self, request: Request) -> Response:
        """Handle one HTTP request; raises only for what Pub/Sub shall deliver again."""
        delivery = envelope.read(request.headers, request.scope["path"], await request.body())
        enter_context(delivery, request.headers)
        result = await self._result(delivery)
        disposition = dispose(result)
        if disposition is Disposition.DEAD_LETTER:
            result = await asyncio.to_thread(dead_letter, delivery, result, self.dead_letters, self.now())
            disposition = dispose(result)
        return _answer(disposition, result)

    async def _result(self, delivery: Delivery) -> Result[Any]:
        read = read_message(self.message, delivery, sport=self.sport, now=self.now(), max_age=self.max_age)
        if read.is_failure:
            return read
        try:
            return await self.handle(read.unwrap(), delivery)
        except Exception as exc:  # the boundary: whatever a handler raises is classified, none is swallowed
            return Result.failure(ErrorInfo.from_exception(exc))


def dead_letter(
    delivery: Delivery, result: Result[Any], dead_letters: Callable[[], DeadLetterWriter], now: datetime
) -> Result[Any]:
    """Acknowledge only what is safely a dead letter; until then it is a retry, whatever the reason."""
    error = result.error
    assert error is not None
    try:
        written = dead_letters().write(delivery, error, now)
    except Exception as exc:  # building a client may fail too
        written = Result.failure(ErrorInfo.from_exception(exc))
    if written.error is None:
        return written
    why = f"{error.message} (dead-lettering failed: {written.error.message})"
    return Result.failure(ErrorInfo.transient("NotDeadLettered", why))


def enter_context(delivery: Delivery, headers: Mapping[str, str]) -> None:
    logs.enter(event_id=delivery.event_id)
    attributes = delivery.attributes
    trace.enter(
        attributes.get(trace.TRACEPARENT)
        or attributes.get(trace.GOOGLE_TRACEPARENT)
        or headers.get(trace.TRACEPARENT),
        event_id=delivery.event_id,
    )
    if "correlation_id" in attributes:
        logs.bind(correlation_id=attributes["correlation_id"])


def tell_of_partial(result: Result[Any]) -> None:
    """What is acknowledged leaves no other trace of the error in it."""
    if result.is_partial and result.error is not None:
        log.warning(result.error.message, action="partly_done", error=result.error.to_dict())


def _answer(disposition: Disposition, result: Result[Any]) -> Response:
    if disposition is Disposition.ACK:
        tell_of_partial(result)
        return Response("OK")
    error = result.error
    assert error is not None
    if disposition is Disposition.RETRY_QUIETLY:
        log.info(error.message, action="retry_later", error=error.to_dict())
        return Response(error.message, status_code=503)
    log.error(error.message, action="retry", error=error.to_dict(), stack_trace=error.stack_trace)
    raise ResultError(error)
