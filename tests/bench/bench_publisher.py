"""Publishing: a fan-out at once against one message after the other, each confirmed before the next."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Any

import grpc
from google.cloud import pubsub_v1

from common.messages import PredictionRequest
from common.publisher import Publisher
from common.sport import Sport
from common.topics import PREDICTION_REQUEST
from local.stack.emulators import PUBSUB
from tests.bench.frame import Bench, benchmark
from tests.bench.measuring import Measurement, at_least, at_most, interleaved_medians, seconds

ROUND_TRIP = timedelta(milliseconds=20)
PLAYERS = 450


class CountingCalls(grpc.UnaryUnaryClientInterceptor):
    """Counts the requests that a channel really sends."""

    count = 0

    def intercept_unary_unary(self, continuation: Any, client_call_details: Any, request: Any) -> Any:
        self.count += 1
        return continuation(client_call_details, request)


@benchmark("publisher.fan_out", emulators=[PUBSUB])
def a_fan_out_at_once(bench: Bench) -> Iterator[Measurement]:
    """450 messages at once against one by one, 20 ms away, and the requests that it takes."""
    project = bench.new_project()
    near = bench.emulators["pubsub"].host
    with bench.slowed(near, round_trip=ROUND_TRIP) as far:
        calls = CountingCalls()
        client = client_at(far, calls)
        with client:
            client.create_topic(name=f"projects/{project}/topics/{PREDICTION_REQUEST.name(Sport.NBA)}")
            publisher = Publisher(client, project=project, sport=Sport.NBA)
            yield from compare(publisher, calls, requests_for(PLAYERS))


def compare(
    publisher: Publisher, calls: CountingCalls, messages: Sequence[PredictionRequest]
) -> Iterator[Measurement]:
    medians = interleaved_medians(
        2,
        one_by_one=lambda: seconds(lambda: publish_one_by_one(publisher, messages)),
        at_once=lambda: seconds(lambda: publisher.publish_all(PREDICTION_REQUEST, messages).unwrap()),
    )
    yield Measurement(
        name=f"publisher.fan_out.{PLAYERS}_at_once",
        value=medians["one_by_one"] / medians["at_once"],
        unit="ratio",
        target=at_least(10),
        details={f"{way}_ms": 1000 * median for way, median in medians.items()},
    )
    before = calls.count
    publisher.publish_all(PREDICTION_REQUEST, messages).unwrap()
    yield Measurement(
        name=f"publisher.fan_out.requests_for_{PLAYERS}",
        value=calls.count - before,
        unit="requests",
        target=at_most(5),
        details={"one_by_one": len(messages)},
    )


def client_at(host: str, calls: CountingCalls) -> pubsub_v1.PublisherClient:
    channel = grpc.intercept_channel(grpc.insecure_channel(host), calls)  # type: ignore[no-untyped-call]
    transport = pubsub_v1.PublisherClient.get_transport_class("grpc")(channel=channel)
    return pubsub_v1.PublisherClient(transport=transport)


def requests_for(players: int) -> list[PredictionRequest]:
    return [
        PredictionRequest(
            batch_id="batch_2026-01-17_1768690800",
            player_lookup=f"player{number:03}",
            game_date=date(2026, 1, 17),
            game_id="20260117_LAL_BOS",
            line_values=(23.5, 24.5, 25.5),
            correlation_id="c1",
        )
        for number in range(players)
    ]


def publish_one_by_one(publisher: Publisher, messages: Sequence[PredictionRequest]) -> None:
    for message in messages:
        publisher.publish(PREDICTION_REQUEST, message).unwrap()
