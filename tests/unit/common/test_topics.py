import re

import pytest

from common import topics
from common.messages import MESSAGES
from common.sport import Sport
from common.topics import REGISTRY, Topic, UnknownTopic


def test_constants_of_the_module_are_entries_of_the_registry_under_their_own_name() -> None:
    constants = {name: value for name, value in vars(topics).items() if isinstance(value, Topic)}

    assert constants
    assert all(REGISTRY[name] is value for name, value in constants.items())


EVERY_ENTRY = pytest.mark.parametrize("entry", REGISTRY.values(), ids=lambda entry: entry.constant)


@EVERY_ENTRY
def test_entry_is_sound(entry: Topic) -> None:
    assert entry.message in MESSAGES
    assert entry.constant == entry.base_name.upper().replace("-", "_")
    assert entry.retention_seconds in (3_600, 86_400)
    assert entry.min_backoff_seconds <= entry.max_backoff_seconds


@EVERY_ENTRY
def test_entry_is_such_as_pubsub_takes(entry: Topic) -> None:
    numbers = (entry.min_backoff_seconds, entry.max_backoff_seconds, entry.ack_deadline_seconds)

    assert re.fullmatch(r"[a-z][a-z0-9-]{2,}", entry.base_name)
    assert 0 <= entry.min_backoff_seconds <= entry.max_backoff_seconds <= 600
    assert 10 <= entry.ack_deadline_seconds <= 600
    assert 5 <= entry.max_delivery_attempts <= 100
    assert {type(each) for each in numbers} == {int}


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
