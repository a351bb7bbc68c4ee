"""Many messages at once: few requests, every message once, and in order where that is asked for."""

from datetime import date

import pytest
from google.cloud import pubsub_v1

from common.messages import PredictionRequest
from common.publisher import Limits, Publisher
from common.sport import Sport
from common.topics import PREDICTION_REQUEST
from tests.support.stub_grpc import GrpcStub

PLAYERS = [f"player{number:03}" for number in range(450)]
REQUESTS = [
    PredictionRequest(batch_id="b1", player_lookup=player, game_date=date(2026, 1, 17), game_id="g1")
    for player in PLAYERS
]


def test_every_message_of_a_bulk_arrives_once_and_in_order_where_it_is_kept(
    publisher_client: pubsub_v1.PublisherClient,
    subscriber_client: pubsub_v1.SubscriberClient,
    project_id: str,
) -> None:
    topic = f"projects/{project_id}/topics/{PREDICTION_REQUEST.name(Sport.NBA)}"
    subscription = f"projects/{project_id}/subscriptions/bulk"
    publisher_client.create_topic(name=topic)
    subscriber_client.create_subscription(
        request={"name": subscription, "topic": topic, "enable_message_ordering": True}
    )
    publisher = Publisher(
        publisher_client, project=project_id, sport=Sport.NBA, limits=Limits(max_messages=100)
    )

    ids = publisher.publish_all(PREDICTION_REQUEST, REQUESTS, ordering_key="b1").unwrap()

    arrived: list[tuple[str, str]] = []
    while len(arrived) < len(PLAYERS):
        pulled = subscriber_client.pull(subscription=subscription, max_messages=1_000, timeout=20.0)
        for each in pulled.received_messages:
            player = PredictionRequest.parse(each.message.data).unwrap().player_lookup
            arrived.append((each.message.message_id, player))
        subscriber_client.acknowledge(
            subscription=subscription, ack_ids=[each.ack_id for each in pulled.received_messages]
        )
    assert arrived == list(zip(ids, PLAYERS, strict=True))


def test_a_fan_out_takes_a_handful_of_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    with GrpcStub().serving() as stub:
        monkeypatch.setenv("PUBSUB_EMULATOR_HOST", stub.host)
        client = pubsub_v1.PublisherClient()
        with client:
            publisher = Publisher(client, project="stub-project", sport=Sport.NBA)

            published = publisher.publish_all(PREDICTION_REQUEST, REQUESTS)

    assert len(published.unwrap()) == len(PLAYERS)
    assert [len(messages) for messages in stub.published] == [len(PLAYERS)]
