"""HTTP request in, acknowledgement out: the one place that decides what becomes of a message.

The rules stand in `rules.py`; here they are carried out. A function may be woken by several topics: the
topic of a delivery chooses the route, which is a message model and a handler.
"""

import asyncio
import contextvars
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property, lru_cache
from typing import Any, Final, Generic, Protocol

import structlog
from starlette.requests import Request
from starlette.responses import Response

from .. import logs, trace
from ..messages import MESSAGES, M
from ..result import ErrorInfo, Result, ResultError
from ..sport import Sport
from ..topics import Topic
from . import canary, envelope
from .bodies import Bodies, BodyRefused
from .envelope import Delivery
from .rules import Disposition, dispose, origin, read_message

DEAD_LETTER_THREADS: Final = 4
"""Dead letters that are written at a time."""
DEAD_LETTER_SECONDS: Final = 45.0
"""What writing one takes at most: the time-outs of both stores, and less than any function's time limit."""

MAX_NAMES: Final = 64
"""Of topics that are remembered: anybody may make up another one."""

Handler = Callable[[M, Delivery], Awaitable[Result[Any]]]

log = structlog.get_logger()


class DeadLetterWriter(Protocol):
    """Writes one dead letter; `DeadLetters` in production."""

    def write(self, delivery: Delivery, error: ErrorInfo, now: datetime) -> Result[str]:
        """The id of the document, once document and message are safe; again: the same document."""


@dataclass(frozen=True, kw_only=True)
class Route(Generic[M]):
    """What is done with the messages of one topic."""

    message: type[M]
    handle: Handler[M]
    """Gets a message and its delivery. Its Result decides (see `rules.py`); what it raises is classified."""


def in_thread(handle: Callable[[M, Delivery], Result[Any]]) -> Handler[M]:
    """A handler that blocks, as one to be awaited: each call has a thread, and the context of its event."""

    async def run(message: M, delivery: Delivery) -> Result[Any]:
        return await asyncio.to_thread(handle, message, delivery)

    return run


def _dead_letter_executor() -> Executor:
    return ThreadPoolExecutor(DEAD_LETTER_THREADS, "dead-letters")


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """Receives the deliveries of the topics that wake a function, and hands their messages to handlers.

    One per instance, for one event loop. Raises TypeError at cold start for a route whose model is not its
    topic's.
    """

    routes: Mapping[Topic, Route[Any]]
    """By the registry's topics, such as `PREDICTION_READY`."""
    dead_letters: Callable[[], DeadLetterWriter]
    """Built when first needed: most instances never write a dead letter."""
    sport: Sport
    max_age: timedelta
    now: Callable[[], datetime]
    unnamed: Topic | None = None
    """The topic that is meant where a delivery does not tell its own; default: the only one there is."""
    canary: Callable[[str], Result[Any]] | None = None
    """Answers a deployment that asks by this id whether the function works; see `canary.py`."""
    executor: Executor = field(default_factory=_dead_letter_executor)
    """Its own: dead letters that wait for a store that hangs must not hold up good events."""

    bodies: Bodies = field(default_factory=Bodies)

    def __post_init__(self) -> None:
        for topic, route in self.routes.items():
            if MESSAGES.get(topic.message or "") is not route.message:
                raise TypeError(f"{topic.constant} carries {topic.message}, not {route.message.__name__}")

    async def respond(self, request: Request) -> Response:
        """Handle one HTTP request; raises only for what Pub/Sub shall deliver again as a fault (500).

        200 acknowledges, 503 asks for another delivery without noise. Safe for repeated deliveries as far as
        the handlers are. Whatever is no POST is no delivery: 405. Nor is what Pub/Sub cannot have sent, being
        too large: 413. To Pub/Sub every status but 102, 200, 201, 202 and 204 means "deliver again".
        """
        if request.method != "POST":
            return Response("Pub/Sub deliveries are posted", status_code=405, headers={"allow": "POST"})
        # Decoded once: the mapping of the request walks through all of them for each that is asked for.
        headers = {
            name.decode("latin-1"): value.decode("latin-1") for name, value in request.scope["headers"]
        }
        try:
            body = await self.bodies.read(request, headers)
        except BodyRefused as exc:
            log.warning(str(exc), action="body_refused", status=exc.status)
            return Response(str(exc), status_code=exc.status)
        try:
            return await self._deliver(envelope.read(headers, request.scope["path"], body), headers)
        finally:
            self.bodies.release(len(body))

    async def _deliver(self, delivery: Delivery, headers: Mapping[str, str]) -> Response:
        # Before anything is logged: a refusal has the ids of its event on it, too.
        enter_context(delivery, headers)
        result = await self._result(delivery)
        disposition = dispose(result)
        if disposition is Disposition.DEAD_LETTER:
            result = await self._dead_letter(delivery, result)
            disposition = dispose(result)
        return _answer(disposition, result)

    async def _result(self, delivery: Delivery) -> Result[Any]:
        try:
            return await self._handle(delivery)
        except ResultError as exc:
            return Result.failure(exc.error)
        except Exception as exc:  # the boundary: whatever a handler raises is classified, none is swallowed
            return Result.failure(ErrorInfo.from_exception(exc))

    async def _handle(self, delivery: Delivery) -> Result[Any]:
        # Unreadable, yet a delivery: returned as a failure, so that it is dead-lettered like any other.
        if delivery.error is not None:
            return Result.failure(delivery.error)
        canary_id = canary.asked(delivery)
        if canary_id is not None and self.canary is not None:
            # In a thread: a probe may hang in the very store that it tries.
            return await asyncio.to_thread(self.canary, canary_id)
        route = self._route(delivery.topic).unwrap()
        message = read_message(
            route.message, delivery, sport=self.sport, now=self.now(), max_age=self.max_age
        ).unwrap()
        return await route.handle(message, delivery)

    @cached_property
    def _route(self) -> Callable[[str | None], Result[Route[Any]]]:
        """What is done with a topic of this name; looked up when it is first told, not at each event."""
        only = next(iter(self.routes)) if len(self.routes) == 1 else None
        unnamed = only if self.unnamed is None else self.unnamed

        @lru_cache(MAX_NAMES)
        def route(name: str | None) -> Result[Route[Any]]:
            found = origin(name, sport=self.sport, heard=self.routes, unnamed=unnamed)
            return found.map(self.routes.__getitem__)

        return route

    async def _dead_letter(self, delivery: Delivery, result: Result[Any]) -> Result[Any]:
        """Write the dead letter in a thread; one that is not written in time is a retry.

        write begins ── store hangs ········ 45 s: answered "retry" ── the thread may still write it
        redelivery                                 writes the same document again: no harm
        """
        # The thread logs with the ids of the event: an executor does not hand the context on by itself.
        write = contextvars.copy_context().run
        writing = asyncio.get_running_loop().run_in_executor(
            self.executor, write, dead_letter, delivery, result, self.dead_letters, self.now()
        )
        try:
            return await asyncio.wait_for(writing, DEAD_LETTER_SECONDS)
        except TimeoutError as exc:
            return _not_dead_lettered(result, ErrorInfo.from_exception(exc))


def dead_letter(
    delivery: Delivery, result: Result[Any], dead_letters: Callable[[], DeadLetterWriter], now: datetime
) -> Result[Any]:
    """Acknowledge only what is safely a dead letter; until then it is a retry, whatever the reason.

    Returns the failure that asks for it (NotDeadLettered, TRANSIENT), or the success that acknowledges.
    """
    assert result.error is not None
    try:
        written = dead_letters().write(delivery, result.error, now)
    except Exception as exc:  # the boundary: building a client may fail too
        written = Result.failure(ErrorInfo.from_exception(exc))
    return written if written.error is None else _not_dead_lettered(result, written.error)


def _not_dead_lettered(result: Result[Any], obstacle: ErrorInfo) -> Result[Any]:
    assert result.error is not None
    why = f"{result.error.message} (dead-lettering failed: {obstacle.exception_class}: {obstacle.message})"
    return Result.failure(ErrorInfo.transient("NotDeadLettered", why))


def enter_context(delivery: Delivery, headers: Mapping[str, str]) -> None:
    """Put the ids of an event, and its trace, on every log line and message that follow from it."""
    logs.enter(event_id=delivery.event_id)
    attributes = delivery.attributes
    trace.enter(
        attributes.get(trace.TRACEPARENT)
        or attributes.get(trace.GOOGLE_TRACEPARENT)
        # The header last: it is the delivery's, the attributes are the publisher's.
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
    """What Pub/Sub is told.

    A retryable fault is raised: the framework answers 500 and marks a crash, which is what alerts count.
    """
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
