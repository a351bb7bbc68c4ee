from collections.abc import Callable
from dataclasses import replace

import pytest

from common.audit.outcomes import Found
from common.audit.topology_checks import (
    check_dead_letter_subscriptions,
    check_topology,
    topology_findings,
)
from common.sport import Sport
from tests.support.sound_topology import SoundTopology

READY = "nba-prediction-ready-completion-recorder-sub"

Break = Callable[[SoundTopology], object]


def found(broken: SoundTopology) -> list[tuple[str, str]]:
    return [
        (each.finding_class.value, each.scope.name)
        for each in topology_findings(broken.seen().unwrap(), Sport.NBA)
    ]


def changed(**fields: object) -> Break:
    def change(of: SoundTopology) -> None:
        of.subscriptions[READY] = replace(of.subscriptions[READY], **fields)  # type: ignore[arg-type]

    return change


def test_topology_of_the_registry_is_sound() -> None:
    assert found(SoundTopology()) == []
    assert check_topology(SoundTopology(), Sport.NBA).left == 0


@pytest.mark.parametrize(
    ("break_it", "expected"),
    [
        pytest.param(
            lambda of: of.topics.remove("nba-prediction-ready-dlq"),
            ("missing_topic", "nba-prediction-ready-dlq"),
            id="no dead-letter topic",
        ),
        pytest.param(
            lambda of: of.subscriptions.pop("nba-prediction-ready-dlq-sub"),
            ("missing_subscription", "nba-prediction-ready-dlq-sub"),
            id="dead letters that nobody keeps",
        ),
        pytest.param(
            lambda of: of.subscriptions.pop(READY), ("missing_subscription", READY), id="no subscription"
        ),
        pytest.param(changed(topic=""), ("wrong_subscription", READY), id="its topic was deleted"),
        pytest.param(changed(dead_letter_topic=""), ("wrong_subscription", READY), id="no policy"),
        pytest.param(changed(max_delivery_attempts=5), ("wrong_subscription", READY), id="attempts"),
        pytest.param(changed(ack_deadline_seconds=10), ("wrong_subscription", READY), id="10 s to answer"),
        pytest.param(changed(push_endpoint=""), ("wrong_subscription", READY), id="pushes to nobody"),
        pytest.param(
            changed(push_endpoint="https://x/topics/nba-other"), ("wrong_subscription", READY), id="elsewhere"
        ),
    ],
)
def test_what_differs_from_the_registry_is_named(break_it: Break, expected: tuple[str, str]) -> None:
    topology = SoundTopology()
    break_it(topology)

    assert found(topology) == [expected]


def test_longer_time_to_answer_is_no_fault() -> None:
    topology = SoundTopology()
    changed(ack_deadline_seconds=600)(topology)

    assert found(topology) == []


def test_dead_letters_that_wait_are_counted_as_far_as_they_were_looked_at() -> None:
    topology = SoundTopology()
    topology.counts["nba-prediction-ready-dlq-sub"] = 10

    outcome = check_dead_letter_subscriptions(topology, Sport.NBA)

    assert isinstance(outcome, Found)
    assert [each.summary for each in outcome.findings] == ["at least 10 messages wait"]
