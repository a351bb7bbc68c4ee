"""A deployment's surroundings in the emulators, all sound: topics, a schedule, the ticks of the sweeps."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from google.cloud import firestore

from common.audit.run_checks import SWEEPERS
from common.documents.store import FirestoreDocuments
from common.maintenance.sweep_ticks import SweepTicks
from common.sport import Sport
from common.topics import REGISTRY
from local.stack.topology import Names, Push, create
from tests.support.consolidation_stack import Stack

if TYPE_CHECKING:
    from google.cloud.pubsub_v1 import PublisherClient, SubscriberClient


def make_topology(publisher: "PublisherClient", subscriber: "SubscriberClient", project: str) -> None:
    """All that the registry says there is."""
    pushes = [
        Push(name=name, topic=topic, port=9)
        for topic in REGISTRY.values()
        for name, wanted in topic.subscriptions.items()
        if wanted.delivery.value == "push"
    ]
    create(publisher, subscriber, Names(project=project, sport=Sport.NBA), pushes)


def make_schedule(stack: Stack, games: Sequence[tuple[date, str]]) -> None:
    """A schedule of these games, each a date and an id."""
    stack.client.create_dataset("nba_raw", timeout=30)
    rows = ", ".join(f"(DATE '{day}', '{game}')" for day, game in games)
    for statement in (
        "CREATE TABLE `nba_raw.nbac_schedule` (game_date DATE, game_id STRING) PARTITION BY game_date",
        f"INSERT INTO `nba_raw.nbac_schedule` VALUES {rows}",
    ):
        stack.warehouse.execute(statement).unwrap()


def tick(db: firestore.Client) -> None:
    """The sweeps have just run."""
    for name in SWEEPERS:
        SweepTicks(FirestoreDocuments(db)).note(name, datetime.now(UTC)).unwrap()
