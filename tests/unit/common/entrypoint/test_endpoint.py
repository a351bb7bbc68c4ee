"""Every row of the table of `common/entrypoint/rules.py`, through real requests in all three envelopes."""

import asyncio
import json
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
import structlog
from google.api_core.exceptions import InvalidArgument, ServiceUnavailable
from starlette.responses import Response

from common import logs, trace
from common.entrypoint.endpoint import Endpoint, Route, in_thread
from common.entrypoint.envelope import Delivery
from common.messages import BatchComplete, PhaseCompletion, Sweep
from common.result import LOCK_HELD, ErrorInfo, ErrorType, Result, ResultError
from common.sport import Sport
from common.topics import PREDICTION_BATCH_COMPLETE, Topic, topic
from tests.support.dead_letter_list import DeadLetterList
from tests.support.deliveries import Headers, binary, pubsub_message, push, request, structured
from tests.support.wall_clock import WallClock

BODY = json.dumps({"batch_id": "b", "game_date": "2026-01-17", "generation": 1}).encode()
MAX_AGE = timedelta(hours=24)
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

TRANSIENT = ErrorInfo.transient("Busy", "the store is busy")
PERMANENT = ErrorInfo.permanent("Refused", "another set of players")
UNKNOWN = ErrorInfo(ErrorType.UNKNOWN, "Strange", "nobody knows")
NOT_YET = ErrorInfo.not_yet("the batch is not open yet")
HELD = ErrorInfo.transient(LOCK_HELD, "another holds it")

TOPIC = PREDICTION_BATCH_COMPLETE.name(Sport.NBA)

Envelope = Callable[[object], tuple[Headers, bytes]]
ENVELOPES = [
    pytest.param(partial(binary, topic=TOPIC), id="binary CloudEvent"),
    pytest.param(partial(structured, topic=TOPIC), id="structured CloudEvent"),
    pytest.param(push, id="raw push"),
]


class System:
    """An endpoint for BatchComplete with a handler that answers as it is told to, and all that it leaves."""

    def __init__(
        self,
        answer: Result[Any] | Exception = Result.success(None),  # noqa: B008
        *,
        dead_letters: DeadLetterList | None = None,
    ) -> None:
        self.clock = WallClock()
        self.handled: list[BatchComplete] = []
        self.seen: dict[str, Any] = {}
        self.dead_letters = dead_letters or DeadLetterList()
        self._answer = answer
        self.endpoint = Endpoint(
            routes={PREDICTION_BATCH_COMPLETE: Route(message=BatchComplete, handle=self._handle)},
            dead_letters=lambda: self.dead_letters,
            sport=Sport.NBA,
            max_age=MAX_AGE,
            now=self.clock,
        )

    async def receives(self, headers: Headers, body: bytes, path: str = "/") -> Response:
        return await self.endpoint.respond(request(headers, body, path=path))

    async def _handle(self, message: BatchComplete, delivery: Delivery) -> Result[Any]:
        self.handled.append(message)
        self.seen = dict(logs.bound()) | {"trace": trace.current()}
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer


def a_message(**changes: Any) -> dict[str, Any]:
    return pubsub_message(BODY) | changes


@pytest.mark.parametrize("envelope", ENVELOPES)
async def test_success_is_acknowledged(envelope: Envelope) -> None:
    system = System(Result.success("done"))

    response = await system.receives(*envelope(a_message()))

    assert response.status_code == 200
    assert [message.batch_id for message in system.handled] == ["b"]
    assert system.dead_letters.written == ()


async def test_partial_is_acknowledged_and_its_error_is_logged() -> None:
    system = System(Result.partial("half", TRANSIENT))

    with structlog.testing.capture_logs() as lines:
        response = await system.receives(*push(a_message()))

    assert response.status_code == 200
    assert system.dead_letters.written == ()
    assert [(line["action"], line["error"]["exception_class"]) for line in lines] == [("partly_done", "Busy")]


@pytest.mark.parametrize("error", [NOT_YET, HELD], ids=["not yet", "lock held"])
async def test_what_is_only_too_early_is_delivered_again_quietly(error: ErrorInfo) -> None:
    system = System(Result.failure(error))

    response = await system.receives(*push(a_message()))

    assert response.status_code == 503
    assert system.dead_letters.written == ()


@pytest.mark.parametrize("error", [TRANSIENT, UNKNOWN], ids=["transient", "unknown"])
async def test_retryable_fault_is_raised_for_pubsub_to_deliver_again(error: ErrorInfo) -> None:
    system = System(Result.failure(error))

    with pytest.raises(ResultError) as raised:
        await system.receives(*push(a_message()))

    assert raised.value.error is error
    assert system.dead_letters.written == ()


@pytest.mark.parametrize(
    "answer", [Result.failure(PERMANENT), InvalidArgument("no")], ids=["returned", "raised"]
)
async def test_permanent_failure_is_acknowledged_once_it_is_a_dead_letter(
    answer: Result[Any] | Exception,
) -> None:
    system = System(answer)

    response = await system.receives(*push(a_message()))

    ((delivery, error, at),) = system.dead_letters.written
    assert response.status_code == 200
    assert (delivery.event_id, delivery.data) == ("m-1", BODY)
    assert error.type is ErrorType.PERMANENT
    assert at == system.clock()


@pytest.mark.parametrize(
    "raised", [ServiceUnavailable("503"), RuntimeError("a bug")], ids=["transient", "unknown"]
)
async def test_exception_of_a_handler_that_may_pass_is_delivered_again(raised: Exception) -> None:
    system = System(raised)

    with pytest.raises(ResultError) as out:
        await system.receives(*push(a_message()))

    assert out.value.error.exception_class == type(raised).__name__
    assert out.value.error.stack_trace is not None
    assert system.dead_letters.written == ()


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        pytest.param("no object", "UnreadableEnvelope", id="message is no object"),
        pytest.param(pubsub_message(), "EmptyMessage", id="no data and no attributes"),
        pytest.param(pubsub_message(attributes={"a": "b"}), "EmptyMessage", id="attributes only"),
        pytest.param(a_message(data="%%%"), "UnreadableEnvelope", id="no base64"),
        pytest.param(pubsub_message(b"hello"), "InvalidMessage", id="no JSON"),
        pytest.param(pubsub_message(b'{"batch_id": "b"}'), "InvalidMessage", id="fields missing"),
        pytest.param(a_message(attributes={"sport": "mlb"}), "WrongSport", id="another sport"),
        pytest.param(a_message(attributes={"sport": ""}), "WrongSport", id="an empty sport"),
    ],
)
@pytest.mark.parametrize("envelope", ENVELOPES)
async def test_message_that_cannot_be_read_is_a_dead_letter_and_reaches_no_handler(
    envelope: Envelope, message: object, reason: str
) -> None:
    system = System()

    response = await system.receives(*envelope(message))

    assert response.status_code == 200
    assert system.dead_letters.reasons == [reason]
    assert system.handled == []


@pytest.mark.parametrize(
    "body", [b"", b"hello", b"[]", b"[" * 100_000], ids=["empty", "text", "list", "deep"]
)
async def test_body_that_is_no_envelope_is_a_dead_letter(body: bytes) -> None:
    system = System()

    response = await system.receives({"content-type": "application/json"}, body)

    assert response.status_code == 200
    assert system.dead_letters.reasons == ["UnreadableEnvelope"]


async def test_topic_that_nobody_hears_here_is_a_dead_letter_that_says_so() -> None:
    system = System()

    for name in ("mlb-prediction-batch-complete", "a-topic-of-nobody", "nba-prediction-ready"):
        await system.receives(*push(a_message()), path=f"/projects/p/topics/{name}")

    assert system.dead_letters.reasons == ["WrongSport", "UnknownTopic", "UnknownTopic"]
    assert system.handled == []


PHASE2, SWEEP = topic("PHASE2_RAW_COMPLETE"), topic("PHASE_SWEEP")
PHASE2_DONE = json.dumps(
    {
        "processor_name": "p",
        "phase": "phase_2_raw",
        "execution_id": "e",
        "game_date": "2026-01-17",
        "status": "success",
    }
).encode()


class Switchboard:
    """An endpoint that two topics wake, and who heard which message from where."""

    def __init__(self, *, unnamed: Topic | None = None) -> None:
        self.heard: list[tuple[str, str]] = []
        self.dead_letters = DeadLetterList()
        self.endpoint = Endpoint(
            routes={
                PHASE2: Route(message=PhaseCompletion, handle=in_thread(self._completed)),
                SWEEP: Route(message=Sweep, handle=in_thread(self._swept)),
            },
            unnamed=unnamed,
            dead_letters=lambda: self.dead_letters,
            sport=Sport.NBA,
            max_age=MAX_AGE,
            now=WallClock(),
        )

    def _completed(self, message: PhaseCompletion, _: Delivery) -> Result[Any]:
        return self._hear(message.processor_name, PHASE2)

    def _swept(self, _: Sweep, __: Delivery) -> Result[Any]:
        return self._hear("sweep", SWEEP)

    def _hear(self, what: str, topic: Topic) -> Result[Any]:
        self.heard.append((what, topic.constant))
        return Result.success(None)


@pytest.mark.parametrize("prefix", ["nba-", ""], ids=["full name", "base name"])
async def test_topic_of_a_delivery_chooses_message_and_handler(prefix: str) -> None:
    board = Switchboard()

    for body, base_name in ((PHASE2_DONE, PHASE2.base_name), (b"{}", SWEEP.base_name)):
        raw, cloud_event = pubsub_message(body), f"{prefix}{base_name}"
        await board.endpoint.respond(request(*push(raw), path=f"/projects/p/topics/{cloud_event}"))
        await board.endpoint.respond(request(*binary(raw, topic=cloud_event)))
        await board.endpoint.respond(request(*structured(raw, topic=cloud_event)))

    assert board.heard == 3 * [("p", "PHASE2_RAW_COMPLETE")] + 3 * [("sweep", "PHASE_SWEEP")]
    assert board.dead_letters.written == ()


async def test_delivery_without_a_topic_is_only_taken_where_one_is_meant() -> None:
    strict, lenient = Switchboard(), Switchboard(unnamed=SWEEP)

    for board in (strict, lenient):
        await board.endpoint.respond(request(*push(pubsub_message(b"{}"))))

    assert strict.dead_letters.reasons == ["UnknownTopic"]
    assert lenient.heard == [("sweep", "PHASE_SWEEP")]


async def test_route_with_the_message_of_another_topic_is_refused_at_start() -> None:
    with pytest.raises(TypeError, match="PHASE_SWEEP carries Sweep, not PhaseCompletion"):
        Endpoint(
            routes={SWEEP: Route(message=PhaseCompletion, handle=in_thread(Switchboard()._completed))},
            dead_letters=DeadLetterList,
            sport=Sport.NBA,
            max_age=MAX_AGE,
            now=WallClock(),
        )


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "OPTIONS", "DELETE"])
async def test_whatever_is_no_post_is_no_delivery(method: str) -> None:
    system = System()

    response = await system.endpoint.respond(request({}, b"", method=method))

    assert (response.status_code, response.headers["allow"]) == (405, "POST")
    assert system.dead_letters.written == ()


class StuckDeadLetters(DeadLetterList):
    """Writes nothing until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.go = threading.Event()

    def write(self, delivery: Delivery, error: ErrorInfo, now: datetime) -> Result[str]:
        assert self.go.wait(30)
        return super().write(delivery, error, now)


async def test_dead_letters_that_hang_do_not_hold_up_good_events() -> None:
    stuck = StuckDeadLetters()
    system = System(dead_letters=stuck)
    blocking = Endpoint(
        routes={
            PREDICTION_BATCH_COMPLETE: Route(
                message=BatchComplete, handle=in_thread(lambda *_: Result.success(None))
            )
        },
        dead_letters=lambda: stuck,
        sport=Sport.NBA,
        max_age=MAX_AGE,
        now=system.clock,
    )
    garbage = [asyncio.create_task(blocking.respond(request(*push("garbage")))) for _ in range(60)]
    await asyncio.sleep(0)

    good = await asyncio.wait_for(blocking.respond(request(*push(a_message()))), 10)

    assert good.status_code == 200
    assert not any(task.done() for task in garbage)
    stuck.go.set()
    assert {response.status_code for response in await asyncio.gather(*garbage)} == {200}


async def test_dead_letter_that_takes_too_long_is_a_retry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("common.entrypoint.endpoint.DEAD_LETTER_SECONDS", 0.01)
    stuck = StuckDeadLetters()
    system = System(dead_letters=stuck)

    with pytest.raises(ResultError, match="NotDeadLettered"):
        await system.receives(*push("garbage"))

    stuck.go.set()


async def test_event_is_handled_until_it_is_older_than_the_maximum_age() -> None:
    system = System()
    just_in_time = pubsub_message(BODY, published_at=system.clock() - MAX_AGE)
    too_late = pubsub_message(BODY, published_at=system.clock() - MAX_AGE - timedelta(seconds=1))

    await system.receives(*push(just_in_time))
    response = await system.receives(*push(too_late))

    assert response.status_code == 200
    assert system.dead_letters.reasons == ["EventTooOld"]
    assert len(system.handled) == 1


@pytest.mark.parametrize("zone", ["Z", "+23:59", "-23:59"])
@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00", "9999-12-31T23:59:59"])
@pytest.mark.parametrize("envelope", ENVELOPES)
async def test_absurd_time_makes_a_dead_letter(envelope: Envelope, moment: str, zone: str) -> None:
    system = System()

    response = await system.receives(*envelope(a_message(publishTime=moment + zone)))

    assert response.status_code == 200
    assert len(system.dead_letters.written) == 1
    assert system.handled == []


async def test_what_is_larger_than_any_message_is_refused_and_nothing_is_written() -> None:
    system = System()
    headers, body = push(a_message())

    response = await system.receives(headers | {"content-length": "20000000"}, body)

    assert response.status_code == 413
    assert (system.handled, system.dead_letters.written) == ([], ())


@pytest.mark.parametrize("envelope", [binary, structured], ids=["binary", "structured"])
async def test_event_without_publish_time_is_as_old_as_the_event_says(
    envelope: Callable[..., tuple[Headers, bytes]],
) -> None:
    system = System()

    await system.receives(*envelope(a_message(), topic=TOPIC, time="2026-01-16T22:59:59Z"))

    assert system.dead_letters.reasons == ["EventTooOld"]


async def test_too_early_ends_in_a_dead_letter_when_the_event_is_too_old() -> None:
    system = System(Result.failure(NOT_YET))
    event = push(pubsub_message(BODY, published_at=system.clock()))

    early = await system.receives(*event)
    system.clock.advance(MAX_AGE + timedelta(seconds=1))
    late = await system.receives(*event)

    assert (early.status_code, late.status_code) == (503, 200)
    assert system.dead_letters.reasons == ["EventTooOld"]


@pytest.mark.parametrize(
    "failure",
    [
        pytest.param(TRANSIENT, id="it fails for now"),
        pytest.param(PERMANENT, id="it fails for good"),
        pytest.param(RuntimeError("no credentials"), id="it raises"),
    ],
)
async def test_failing_to_dead_letter_is_a_retry(failure: ErrorInfo | Exception) -> None:
    system = System(Result.failure(PERMANENT), dead_letters=DeadLetterList(failure=failure))

    with pytest.raises(ResultError, match="another set of players") as raised:
        await system.receives(*push(a_message()))

    assert raised.value.error.type is ErrorType.TRANSIENT
    assert raised.value.error.exception_class == "NotDeadLettered"


async def test_clients_of_dead_letters_are_not_built_for_what_succeeds() -> None:
    system = System()
    built: list[datetime] = []
    endpoint = Endpoint(
        routes={PREDICTION_BATCH_COMPLETE: Route(message=BatchComplete, handle=system._handle)},
        dead_letters=lambda: built.append(system.clock()) or system.dead_letters,  # type: ignore[func-returns-value]
        sport=Sport.NBA,
        max_age=MAX_AGE,
        now=system.clock,
    )

    await endpoint.respond(request(*push(a_message())))

    assert built == []


async def test_handler_runs_in_the_context_of_its_event() -> None:
    system = System()

    await system.receives(*push(a_message(attributes={"correlation_id": "c-1", "traceparent": TRACE})))

    assert system.seen == {"event_id": "m-1", "correlation_id": "c-1", "trace": TRACE}


@pytest.mark.parametrize(
    ("attributes", "headers"),
    [
        pytest.param({"googclient_traceparent": TRACE}, {}, id="from the client's own tracing"),
        pytest.param({}, {"traceparent": TRACE}, id="from the request"),
    ],
)
async def test_trace_is_continued_from_wherever_it_is_told(
    attributes: dict[str, str], headers: dict[str, str]
) -> None:
    system = System()
    push_headers, body = push(a_message(attributes=attributes))

    await system.receives(push_headers | headers, body)

    assert system.seen["trace"] == TRACE


async def test_ids_of_one_event_do_not_show_on_the_next() -> None:
    system = System()

    await system.receives(*push(a_message(attributes={"correlation_id": "c-1", "traceparent": TRACE})))
    await system.receives(*push(a_message(messageId="m-2")))

    assert system.seen["event_id"] == "m-2"
    assert "correlation_id" not in system.seen
    assert system.seen["trace"] not in (None, TRACE)
