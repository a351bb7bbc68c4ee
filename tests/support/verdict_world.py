"""A system on the emulators in which batches and boundaries are brought into any state."""

import shlex
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from google.cloud import pubsub_v1

from common.batches.records import batch_path
from common.batches.trigger_outbox import TriggerOutbox
from common.documents.store import FirestoreDocuments
from common.entrypoint.dead_letters import DeadLetters
from common.entrypoint.envelope import Delivery
from common.lock.rules import LockKey
from common.maintenance.deadlines import OverdueBatches
from common.messages import BatchComplete, PredictionRequest
from common.predictions.table import REQUESTED_FROM
from common.publisher import Publisher
from common.result import ErrorType
from common.sport import DatasetRole, Sport
from common.topics import (
    DEAD_LETTER_SUFFIX,
    PREDICTION_BATCH_COMPLETE,
    PREDICTION_REQUEST,
    REGISTRY,
    Topic,
)
from functions.consolidation_trigger.handler import handle
from tests.support.batch_helpers import GAME_DATE, Published
from tests.support.consolidation_stack import LOCK_KEY, NAMES, TABLES, Stack, completion_of
from tests.support.ops_cli import Said, ops
from tests.support.phase_world import OVERNIGHT, PhaseWorld
from tests.support.prediction_rows import prediction

PLAYERS: Final = ("amy", "bob", "cas", "dee")
HOUR: Final = timedelta(hours=1)
TOPICS: Final = tuple(
    REGISTRY[constant]
    for constant in (
        "PREDICTION_BATCH_COMPLETE",
        "PREDICTION_REQUEST",
        "PHASE4_TRIGGER",
        "PREDICTIONS_TRIGGER",
    )
)
HEARD: Final = (PREDICTION_BATCH_COMPLETE, PREDICTION_REQUEST)
"""What the functions and workers of this system hear."""

Make = Callable[["VerdictWorld", str], None]


class VerdictWorld:
    """What a test does to it reads as what happens. A batch has a date of its own, and so its own lock."""

    def __init__(self, project: str, environment: Mapping[str, str]) -> None:
        self.environment = {**environment, "GCP_PROJECT": project, "SPORT": "nba", "USER": "ann"}
        self.stack = Stack(project).create_tables()
        self.db = self.stack.db
        self.batches = self.stack.batches
        self.phases = PhaseWorld(documents=FirestoreDocuments(self.db))
        self.announced = Published()
        self._publisher_client: Any = pubsub_v1.PublisherClient()
        self._subscriber: Any = pubsub_v1.SubscriberClient()
        self._publisher = Publisher(self._publisher_client, project=project, sport=Sport.NBA)
        self._waiting: dict[str, list[Delivery]] = {topic.name(Sport.NBA): [] for topic in HEARD}
        self._days: dict[str, date] = {}
        self._workers: Counter[str] = Counter()
        self._create_topics()
        self._create_games()

    def ops(self, *arguments: str) -> Said:
        """One command, as from a shell."""
        return ops(self.environment, *arguments)

    def paste(self, command: str) -> Said:
        """A command as it was proposed; one that writes is told why, and done."""
        words = shlex.split(command)[1:]
        planned = self.ops(*words, "--why", "so that it goes on", "--yes")
        return self.ops(*words) if "No such option" in planned.problem else planned

    def day(self, name: str) -> date:
        """The date of a batch or of a boundary's story: nothing else is of it."""
        return self._days.setdefault(name, GAME_DATE + timedelta(days=len(self._days)))

    def lock_key(self, batch_id: str) -> LockKey:
        return replace(LOCK_KEY, game_date=self.day(batch_id))

    # Batches

    def open(self, batch_id: str, *, deadline: timedelta = HOUR, **options: Any) -> None:
        until = datetime.now(UTC) + deadline
        self.batches.open(batch_id, self.day(batch_id), PLAYERS, deadline=until, **options).unwrap()

    def end(self, batch_id: str, *players: str, claims: int = 1) -> None:
        """A worker has staged a row of each of them, and says that there are so many."""
        self._workers[batch_id] += 1
        staged = self.stage(batch_id, players, worker=f"w{self._workers[batch_id]}")
        self.say(batch_id, players, table=staged, claims=claims)

    def stage(self, batch_id: str, players: Sequence[str], *, worker: str) -> str | None:
        rows = [prediction(player, game_date=self.day(batch_id)) for player in players]
        return self.stack.stage(rows, batch_id=batch_id, worker=worker).table

    def say(self, batch_id: str, players: Sequence[str], *, table: str | None, claims: int = 1) -> None:
        """That they have ended, with rows in that table."""
        said = {
            "batch_id": batch_id,
            "game_date": self.day(batch_id),
            "staging_table": table,
            "staged_rows": claims,
            "predictions_generated": claims,
        }
        for recorded in self.stack.record([completion_of(player, None, **said) for player in players]):
            recorded.unwrap()

    def close(self, batch_id: str) -> None:
        """All have ended, and the trigger went out."""
        self.open(batch_id)
        self.end(batch_id, *PLAYERS)
        self.trigger(batch_id)

    def trigger(self, batch_id: str) -> None:
        self._outbox().send(self.batches.get(batch_id).unwrap()).unwrap()

    def time_out(self) -> None:
        """A sweep comes."""
        OverdueBatches(self.batches, self._outbox()).close_overdue(datetime.now(UTC)).unwrap()

    def consolidate(self, batch_id: str) -> None:
        """As its function does, which refuses into a dead letter what no retry can save."""
        batch = self.batches.get(batch_id).unwrap()
        trigger = BatchComplete(
            batch_id=batch_id, game_date=batch.game_date, generation=batch.generation, correlation_id=None
        )
        self._consolidate(Delivery(event_id=f"event-{batch_id}", data=trigger.model_dump_json().encode()))

    def age(self, batch_id: str, by: timedelta = HOUR / 2) -> None:
        """As if all that has happened to the batch had happened that much earlier."""
        batch = self.db.document(batch_path(batch_id))
        for each in (batch, *batch.collection("completions").list_documents()):
            times = {
                name: value - by
                for name, value in (each.get().to_dict() or {}).items()
                if isinstance(value, datetime) and name != "deadline"
            }
            each.update(times)

    # What the functions and the workers do with what a command has published

    def deliver_trigger(self, batch_id: str) -> None:
        self._consolidate(self._heard(PREDICTION_BATCH_COMPLETE, batch_id))

    def work(self, batch_id: str) -> None:
        """The workers predict who was asked for, and the batch is triggered and consolidated anew."""
        while self.batches.progress(batch_id).unwrap().missing:
            heard = self._heard(PREDICTION_REQUEST, batch_id)
            self.end(batch_id, PredictionRequest.model_validate_json(heard.data).player_lookup)
        self.trigger(batch_id)
        self.consolidate(batch_id)

    def _consolidate(self, delivery: Delivery) -> None:
        message = BatchComplete.model_validate_json(delivery.data)
        done = handle(
            message,
            delivery.event_id,
            consolidator=self.stack.consolidator,
            batches=self.batches,
            publisher=self.announced,
            dataset=TABLES.predictions,
        )
        if done.error is None:
            return
        assert done.error.type is ErrorType.PERMANENT, done.error
        dead = DeadLetters(
            self.db,
            self._publisher,
            topics=[PREDICTION_BATCH_COMPLETE],
            sport=Sport.NBA,
            function="consolidation_trigger",
        )
        dead.write(delivery, done.error, datetime.now(UTC)).unwrap()

    def _heard(self, topic: Topic, batch_id: str) -> Delivery:
        """The next message about the batch; others are kept for who asks for them."""
        name = topic.name(Sport.NBA)
        while True:
            for each in self._waiting[name]:
                if f'"{batch_id}"'.encode() in each.data:
                    self._waiting[name].remove(each)
                    return each
            self._pull(name)

    def _pull(self, name: str) -> None:
        subscription = self._subscription(name)
        pulled = self._subscriber.pull(subscription=subscription, max_messages=100, timeout=20)
        self._waiting[name] += [
            Delivery(
                event_id=each.message.message_id,
                topic=name,
                data=each.message.data,
                attributes=dict(each.message.attributes),
            )
            for each in pulled.received_messages
        ]
        self._subscriber.acknowledge(
            subscription=subscription, ack_ids=[each.ack_id for each in pulled.received_messages]
        )

    # Boundaries

    def report(self, name: str, processors: Sequence[str], **fields: Any) -> None:
        """Completions behind phase 4. A store that is away fails the look, not the recording."""
        self.phases.clock.set(datetime.combine(self.day(name), OVERNIGHT.timetz()) + timedelta(days=1))
        for processor in processors:
            self.phases.report(processor, game_date=self.day(name), **fields)

    # The rest of the system

    def _outbox(self) -> TriggerOutbox:
        return TriggerOutbox(self.batches.store, Published)

    def _subscription(self, name: str) -> str:
        return f"projects/{self.stack.project}/subscriptions/{name}"

    def _create_topics(self) -> None:
        for topic in TOPICS:
            name = topic.name(Sport.NBA)
            for each in (name, f"{name}{DEAD_LETTER_SUFFIX}"):
                self._publisher_client.create_topic(name=f"projects/{self.stack.project}/topics/{each}")
            self._subscriber.create_subscription(
                name=self._subscription(name), topic=f"projects/{self.stack.project}/topics/{name}"
            )

    def _create_games(self) -> None:
        """Every player has a game on each of the dates."""
        dataset = NAMES.dataset(DatasetRole.ANALYTICS)
        self.stack.client.create_dataset(dataset, timeout=30)
        games = f"`{dataset}.{REQUESTED_FROM.table}`"
        columns = "game_date DATE, game_id STRING, player_lookup STRING, processed_at TIMESTAMP"
        self.stack.warehouse.execute(f"CREATE TABLE {games} ({columns})").unwrap()
        days = [GAME_DATE + timedelta(days=number) for number in range(60)]
        self.stack.warehouse.execute(
            f"INSERT INTO {games} (game_date, game_id, player_lookup, processed_at) "
            "SELECT day, 'game1', player, CURRENT_TIMESTAMP() "
            "FROM UNNEST(@days) AS day, UNNEST(@players) AS player",
            {"days": days, "players": list(PLAYERS)},
        ).unwrap()

    def shut(self) -> None:
        self.stack.close()
        for client in (self._subscriber, self._publisher_client):
            client.transport.close()
