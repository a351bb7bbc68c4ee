"""A project of the emulators as an operator's command finds it: every topic of the registry is there."""

import uuid
from collections.abc import Callable, Iterator, Mapping

import pytest
from google.cloud import pubsub_v1

from common.sport import Sport
from common.topics import REGISTRY
from tests.support.verdict_world import VerdictWorld

MakeEnvironment = Callable[[str], Mapping[str, str]]


@pytest.fixture(scope="session")
def environment_of(firestore_host: str, pubsub_host: str, bigquery_host: str) -> MakeEnvironment:
    """What a command is told of a project; its topics are made."""

    def make(project: str) -> Mapping[str, str]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PUBSUB_EMULATOR_HOST", pubsub_host)
            with pubsub_v1.PublisherClient() as publisher:
                for topic in REGISTRY.values():
                    for name in (topic.name(Sport.NBA), topic.dead_letter_name(Sport.NBA)):
                        publisher.create_topic(name=f"projects/{project}/topics/{name}")
        return {
            "GCP_PROJECT": project,
            "SPORT": "nba",
            "USER": "ann",
            "FIRESTORE_EMULATOR_HOST": firestore_host,
            "PUBSUB_EMULATOR_HOST": pubsub_host,
            "BIGQUERY_EMULATOR_HOST": bigquery_host,
        }

    return make


@pytest.fixture
def environment(environment_of: MakeEnvironment, project_id: str) -> Mapping[str, str]:
    """Of a project of this test alone."""
    return environment_of(project_id)


@pytest.fixture(scope="session")
def world(firestore_host: str, pubsub_host: str, bigquery_host: str) -> Iterator[VerdictWorld]:
    """One for all states and commands. The clients look for their emulators when they are made: once, before
    any test."""
    environment = {
        "FIRESTORE_EMULATOR_HOST": firestore_host,
        "PUBSUB_EMULATOR_HOST": pubsub_host,
        "BIGQUERY_EMULATOR_HOST": bigquery_host,
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, host in environment.items():
            patch.setenv(name, host)
        world = VerdictWorld(f"test-{uuid.uuid4().hex[:12]}", environment)
    yield world
    world.shut()
