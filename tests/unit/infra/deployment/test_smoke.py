"""The name of a deployment: a tag that tells when it was made."""

import pytest

from infra.deployment.preflight import TAG_LENGTH
from infra.deployment.smoke import ABANDONED_AFTER, is_abandoned, made_at, new_deployment

NOW = 1_795_700_000.7


def test_name_tells_when_it_was_made_and_is_as_long_as_the_names_are_checked_for() -> None:
    name = new_deployment(NOW, b"\xab")

    assert made_at(name) == int(NOW)
    assert name.endswith("ab")
    assert len(name) == TAG_LENGTH


def test_deployments_that_begin_in_one_second_are_told_apart() -> None:
    assert new_deployment(NOW, b"\1") != new_deployment(NOW, b"\2")


@pytest.mark.parametrize("name", ["previous", "candidate", "", "d12345", "DTP44F104"])
def test_tag_that_no_deployment_has_made_is_never_abandoned(name: str) -> None:
    assert made_at(name) is None
    assert not is_abandoned(name, NOW)


def test_deployment_is_abandoned_when_nobody_can_be_waiting_any_more() -> None:
    name = new_deployment(NOW, b"\1")

    assert not is_abandoned(name, NOW + ABANDONED_AFTER.total_seconds() - 2)
    assert is_abandoned(name, NOW + ABANDONED_AFTER.total_seconds() + 2)
