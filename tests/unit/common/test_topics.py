import re
from dataclasses import replace
from datetime import timedelta

import pytest

from common import topics
from common.messages import MESSAGES
from common.settings import Settings
from common.sport import Sport
from common.topics import REGISTRY, Delivery, Subscription, Topic, UnknownTopic

MAX_EVENT_AGE = timedelta(seconds=Settings.model_fields["max_event_age_seconds"].default)


def test_constants_of_the_module_are_entries_of_the_registry_under_their_own_name() -> None:
    constants = {name: value for name, value in vars(topics).items() if isinstance(value, Topic)}

    assert constants
    assert all(REGISTRY[name] is value for name, value in constants.items())


TICKS = ("PHASE_SWEEP", "CONSISTENCY_AUDIT")
"""Topics on which nothing is owed: the clock speaks again soon."""
SUBSCRIPTIONS = [(entry, each) for entry in REGISTRY.values() for each in entry.subscriptions.values()]
EVERY_ENTRY = pytest.mark.parametrize("entry", REGISTRY.values(), ids=lambda entry: entry.constant)
EVERY_SUBSCRIPTION = pytest.mark.parametrize(
    ("entry", "subscription"),
    SUBSCRIPTIONS,
    ids=[f"{e.constant} to {s.subscriber}" for e, s in SUBSCRIPTIONS],
)


def patience(subscription: Subscription) -> timedelta:
    """How long Pub/Sub goes on delivering to who refuses at once: the pauses between all attempts, each twice
    as long as the one before, within the limits."""
    pauses = [
        min(subscription.min_backoff_seconds * 2**n, subscription.max_backoff_seconds)
        for n in range(subscription.max_delivery_attempts - 1)
    ]
    return timedelta(seconds=sum(pauses))


@EVERY_ENTRY
def test_entry_is_sound(entry: Topic) -> None:
    assert entry.message is None or entry.message in MESSAGES
    assert entry.constant == entry.base_name.upper().replace("-", "_")
    assert entry.retention_seconds in (3_600, 86_400)
    assert re.fullmatch(r"[a-z][a-z0-9-]{2,}", entry.base_name)


@EVERY_SUBSCRIPTION
def test_subscription_is_such_as_pubsub_takes(entry: Topic, subscription: Subscription) -> None:
    numbers = (
        subscription.min_backoff_seconds,
        subscription.max_backoff_seconds,
        subscription.ack_deadline_seconds,
        subscription.retention_seconds,
    )

    assert 0 <= subscription.min_backoff_seconds <= subscription.max_backoff_seconds <= 600
    assert 10 <= subscription.ack_deadline_seconds <= 600
    assert 5 <= subscription.max_delivery_attempts <= 100
    assert entry.retention_seconds <= subscription.retention_seconds <= 31 * 86_400
    assert {type(each) for each in numbers} == {int}


def test_who_waits_for_what_is_not_there_yet_is_delivered_to_for_twelve_hours() -> None:
    waiting = {
        (entry.constant, each.subscriber): patience(each)
        for entry, each in SUBSCRIPTIONS
        if each.delivery is Delivery.PUSH and entry.constant not in TICKS
    }

    assert {"completion_recorder", "consolidation_trigger", "phase_transitions"} == {s for _, s in waiting}
    assert {key: each for key, each in waiting.items() if each < timedelta(hours=12)} == {}


def test_patience_adds_up_the_pauses_between_the_attempts() -> None:
    five = replace(
        REGISTRY["LINE_CHANGED"].subscriptions["precompute"],
        max_delivery_attempts=6,
        min_backoff_seconds=5,
        max_backoff_seconds=30,
    )

    assert patience(five) == timedelta(seconds=5 + 10 + 20 + 30 + 30)


@EVERY_SUBSCRIPTION
def test_message_that_gets_too_old_is_said_to_be_so_before_it_expires(
    entry: Topic, subscription: Subscription
) -> None:
    """An endpoint dead-letters what is older than a day; what Pub/Sub lets expire leaves no trace."""
    last_pause = timedelta(seconds=subscription.max_backoff_seconds + subscription.ack_deadline_seconds)

    if subscription.delivery is Delivery.PUSH and entry.constant not in TICKS:
        assert timedelta(seconds=subscription.retention_seconds) > MAX_EVENT_AGE + last_pause


@pytest.mark.parametrize("constant", TICKS)
def test_tick_of_the_clock_is_given_up_before_the_next_but_a_few(constant: str) -> None:
    assert REGISTRY[constant].subscriptions
    for subscription in REGISTRY[constant].subscriptions.values():
        assert patience(subscription) <= timedelta(seconds=REGISTRY[constant].retention_seconds)


def test_whatever_wakes_a_function_has_a_message_of_ours() -> None:
    pushed = [entry for entry, each in SUBSCRIPTIONS if each.delivery is Delivery.PUSH]

    assert pushed
    assert all(entry.message for entry in pushed)


def test_topics_that_others_use_among_themselves_deliver_as_they_did() -> None:
    ready, changed = REGISTRY["ANALYTICS_READY"], REGISTRY["LINE_CHANGED"]

    assert ready.subscription_name(Sport.NBA, "precompute") == "nba-analytics-ready-precompute-sub"
    assert ready.subscriptions["precompute"] == Subscription(
        subscriber="precompute",
        delivery=Delivery.PULL,
        ack_deadline_seconds=600,
        retention_seconds=86_400,
        max_delivery_attempts=5,
        min_backoff_seconds=10,
        max_backoff_seconds=600,
    )
    assert changed.subscriptions["precompute"] == Subscription(
        subscriber="precompute",
        delivery=Delivery.PULL,
        ack_deadline_seconds=300,
        retention_seconds=3_600,
        max_delivery_attempts=5,  # they wished for 3; Pub/Sub takes no fewer than 5
        min_backoff_seconds=5,
        max_backoff_seconds=60,
    )
    others = ["ANALYTICS_READY", "PRECOMPUTE_COMPLETE", "PRECOMPUTE_UPDATED", "LINE_CHANGED"]
    assert [constant for constant, entry in REGISTRY.items() if entry.message is None] == others


def test_subscription_is_named_by_topic_and_subscriber() -> None:
    assert (
        topics.PREDICTION_READY.subscription_name(Sport.NBA, "completion_recorder")
        == "nba-prediction-ready-completion-recorder-sub"
    )
    assert topics.PREDICTION_READY.dead_letter_subscription_name(Sport.MLB) == "mlb-prediction-ready-dlq-sub"


def test_sweep_wakes_two_functions_each_by_a_subscription_of_its_own() -> None:
    assert set(topics.PHASE_SWEEP.subscriptions) == {"completion_recorder", "phase_transitions"}


def test_base_names_are_distinct() -> None:
    assert len({entry.base_name for entry in REGISTRY.values()}) == len(REGISTRY)


def test_names_follow_the_sport_that_is_asked_for() -> None:
    assert topics.for_sport(Sport.MLB)["PREDICTION_READY"] == "mlb-prediction-ready"
    assert topics.for_sport("nba")["PREDICTION_READY"] == "nba-prediction-ready"
    assert topics.for_sport("nba").keys() == REGISTRY.keys()
    assert topics.PREDICTION_READY.dead_letter_name(Sport.NBA) == "nba-prediction-ready-dlq"


def test_unknown_sport_is_refused() -> None:
    with pytest.raises(ValueError, match="cricket"):
        topics.for_sport("cricket")


@pytest.mark.parametrize("sport", Sport, ids=str)
def test_every_full_name_leads_back_to_its_entry(sport: Sport) -> None:
    for entry in REGISTRY.values():
        assert topics.by_name(entry.name(sport)) == (entry, sport)


@pytest.mark.parametrize("name", ["prediction-ready", "nba-prediction", "nba-prediction-ready-dlq", ""])
def test_unknown_name_raises(name: str) -> None:
    with pytest.raises(UnknownTopic, match=repr(name)):
        topics.by_name(name)


def test_unknown_constant_raises() -> None:
    with pytest.raises(UnknownTopic, match="PREDICTIONS_READY"):
        topics.topic("PREDICTIONS_READY")


@pytest.mark.parametrize(
    ("phase", "constant"),
    [
        (1, "PHASE1_SCRAPERS_COMPLETE"),
        (2, "PHASE2_RAW_COMPLETE"),
        (3, "PHASE3_ANALYTICS_COMPLETE"),
        (4, "PHASE4_PRECOMPUTE_COMPLETE"),
        (5, "PHASE5_PREDICTIONS_COMPLETE"),
        (6, "PHASE6_EXPORT_COMPLETE"),
    ],
)
def test_every_phase_has_one_topic_that_announces_its_end(phase: int, constant: str) -> None:
    assert topics.for_phase(phase).constant == constant
    assert [entry for entry in REGISTRY.values() if entry.completes_phase == phase] == [REGISTRY[constant]]


@pytest.mark.parametrize("phase", [0, 7])
def test_phase_without_a_topic_raises(phase: int) -> None:
    with pytest.raises(UnknownTopic, match=f"phase: {phase}"):
        topics.for_phase(phase)
