"""What every other unit test relies on."""

import asyncio
import os
import socket

import google.auth
import pytest
from google.auth.exceptions import DefaultCredentialsError

from tests.support.isolation import NetworkRefused, remove_cloud_variables


def test_a_connection_is_refused() -> None:
    with socket.socket() as connection, pytest.raises(NetworkRefused, match="a unit test connects"):
        connection.connect(("198.51.100.1", 80))


async def test_an_event_loop_still_wakes_itself_from_another_thread() -> None:
    answer = await asyncio.to_thread(lambda: "awake")

    assert answer == "awake"


@pytest.mark.parametrize(
    "name", ["GCP_PROJECT", "GOOGLE_CLOUD_PROJECT", "SPORT", "SLACK_WEBHOOK_URL", "PUBSUB_EMULATOR_HOST"]
)
def test_what_configures_us_is_removed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "production")

    remove_cloud_variables(os.environ, monkeypatch)

    assert name not in os.environ


def test_what_does_not_configure_us_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRANSPORT", "bus")

    remove_cloud_variables(os.environ, monkeypatch)

    assert os.environ["TRANSPORT"] == "bus"


def test_no_credentials_are_found() -> None:
    with pytest.raises(DefaultCredentialsError):
        google.auth.default()
