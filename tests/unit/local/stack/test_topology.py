"""What is made of the registry: nothing forgotten, everything delivered as it says."""

from typing import Any

from common.sport import Sport
from common.topics import PREDICTION_READY, PREDICTION_REQUEST, REGISTRY, Delivery
from local.stack.topology import Names, Push, subscriptions

NAMES = Names(project="local", sport=Sport.MLB)
PUSH = Push(name="completion_recorder", topic=PREDICTION_READY, port=8080)


def made() -> list[dict[str, Any]]:
    return subscriptions(NAMES, [PUSH])


def pushed() -> dict[str, Any]:
    return next(request for request in made() if "push_config" in request)


def test_no_message_of_a_dead_letter_topic_can_be_lost() -> None:
    kept = {request["topic"] for request in made()}

    assert kept >= {NAMES.topic(entry.dead_letter_name(Sport.MLB)) for entry in REGISTRY.values()}


def test_no_two_subscriptions_share_a_name() -> None:
    names = [request["name"] for request in made()]

    assert len(names) == len(set(names))


def test_a_function_is_woken_under_the_deadline_of_its_topic_again_and_again() -> None:
    request = pushed()

    assert request["topic"] == "projects/local/topics/mlb-prediction-ready"
    stated = PREDICTION_READY.subscriptions["completion_recorder"]
    assert request["name"] == "projects/local/subscriptions/mlb-prediction-ready-completion-recorder-sub"
    assert request["ack_deadline_seconds"] == stated.ack_deadline_seconds
    assert request["dead_letter_policy"] == {
        "dead_letter_topic": "projects/local/topics/mlb-prediction-ready-dlq",
        "max_delivery_attempts": stated.max_delivery_attempts,
    }
    assert "retry_policy" not in request


def test_the_path_of_a_push_names_the_topic() -> None:
    endpoint = pushed()["push_config"]["push_endpoint"]

    assert endpoint == "http://127.0.0.1:8080/projects/local/topics/mlb-prediction-ready"


def test_workers_pull_under_the_rules_of_their_topic() -> None:
    request = next(request for request in made() if request["name"] == NAMES.workers)

    stated = PREDICTION_REQUEST.subscriptions["workers"]
    assert request["ack_deadline_seconds"] == stated.ack_deadline_seconds
    assert request["retry_policy"] == {
        "minimum_backoff": {"seconds": stated.min_backoff_seconds},
        "maximum_backoff": {"seconds": stated.max_backoff_seconds},
    }
    assert request["dead_letter_policy"] == {
        "dead_letter_topic": "projects/local/topics/mlb-prediction-request-dlq",
        "max_delivery_attempts": stated.max_delivery_attempts,
    }
    assert "push_config" not in request


def test_whatever_is_pulled_has_its_subscription() -> None:
    pulled = {
        NAMES.subscription(entry.subscription_name(Sport.MLB, each.subscriber))
        for entry in REGISTRY.values()
        for each in entry.subscriptions.values()
        if each.delivery is Delivery.PULL
    }

    assert NAMES.workers in pulled
    assert pulled <= {request["name"] for request in made()}
