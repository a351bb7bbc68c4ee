"""A sample worker: pulls requests, predicts, stages the rows in its own table, and reports each player.

    python -m local.day.worker WORKER_ID SUBSCRIPTION [--duplicates SHARE] [--shuffle] [--seed N]

Runs in the environment of the functions and reads their settings. SIGTERM: finishes what it holds.
"""

import argparse
import os
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

import structlog
from google.cloud import firestore, pubsub_v1

from common import logs
from common.entrypoint.dead_letters import DeadLetters
from common.entrypoint.envelope import Delivery
from common.messages import PlayerCompletion, PlayerOutcome, PredictionRequest
from common.predictions.rows import Row
from common.publisher import Publisher
from common.result import Result
from common.runtime.once import once
from common.settings import Settings
from common.sport import DatasetRole
from common.staging.writer import StagedWrite, StagingWriter
from common.subscriber import Subscriber
from common.topics import PREDICTION_READY, PREDICTION_REQUEST, Topic
from common.warehouse.warehouse import Warehouse, connect

from .chaos import Disorder
from .predicting import NO_FEATURES, is_skipped, predict

PULLING = "worker_pulling"
"""The action that each worker logs when it begins."""

log = structlog.get_logger()


class Writer(Protocol):
    """Stages rows; `StagingWriter` is the one that works."""

    def write(self, rows: list[Row], batch_id: str, worker_id: str) -> Result[StagedWrite]:
        """Table and number of the rows that are staged. Again, the same rows: staged once."""


class CompletionPublisher(Protocol):
    """Publishes completions; `Publisher` is the one that works."""

    def publish(self, topic: Topic, message: PlayerCompletion) -> Result[str]:
        """The message's id, once Pub/Sub has it."""


@dataclass(frozen=True, kw_only=True)
class Worker:
    """Handles requests. A second delivery stages nothing again and reports the same completion."""

    worker_id: str
    """The same over the life of the process: its staging table is named after it."""
    writer: Writer
    publisher: CompletionPublisher
    disorder: Disorder
    sleep: Callable[[float], None] = time.sleep

    def handle(self, request: PredictionRequest, _: Delivery) -> Result[str]:
        """Acknowledged only when the rows are staged and every copy of the completion is published."""
        # A crash anywhere brings the request again: rows and completion are then the very same.
        return self._finish(request).and_then(self._publish)

    def _finish(self, request: PredictionRequest) -> Result[PlayerCompletion]:
        """Predict and stage; the completion tells where the rows are, and is not published yet."""
        # Reported all the same: whoever is not heard of is timed out.
        if is_skipped(request.player_lookup):
            skipped = self._completion(request, PlayerOutcome.SKIPPED, StagedWrite(table=None, rows=0))
            return Result.success(skipped)
        rows = predict(request)
        # Before anything is published: whoever hears of a completion may merge its rows at once.
        staged = self.writer.write(rows, request.batch_id, self.worker_id)
        return staged.map(lambda written: self._completion(request, PlayerOutcome.COMPLETED, written))

    def _completion(
        self, request: PredictionRequest, outcome: PlayerOutcome, staged: StagedWrite
    ) -> PlayerCompletion:
        """What is reported of the player, with the table and the number of the rows."""
        return PlayerCompletion(
            batch_id=request.batch_id,
            player_lookup=request.player_lookup,
            game_date=request.game_date,
            outcome=outcome,
            reason=NO_FEATURES if outcome is PlayerOutcome.SKIPPED else None,
            predictions_generated=staged.rows,
            staging_table=staged.table,
            staged_rows=staged.rows if staged.table else None,
            worker_instance=self.worker_id,
            correlation_id=request.correlation_id,
            # The request's: a second delivery makes the very same message.
            timestamp=request.timestamp,
        )

    def _publish(self, completion: PlayerCompletion) -> Result[str]:
        """Publish as many copies as the disorder wants; the first failure ends it, and the request comes
        again.
        """
        player = completion.player_lookup
        for copy in range(self.disorder.copies(player)):
            self.sleep(self.disorder.delay_seconds(player, copy))
            published = self.publisher.publish(PREDICTION_READY, completion)
            if published.is_failure:
                return published
        return published


def main() -> None:
    """Pull until SIGTERM; what is held then is finished and acknowledged.

    Raises what the subscriber raises.
    """
    options = _options()
    settings = Settings.from_environment(os.environ)
    logs.configure(settings.gcp_project, function="worker", environment=settings.environment)
    # Set by a signal: a handler that raised would lose what is held.
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    publisher = Publisher(pubsub_v1.PublisherClient(), project=settings.gcp_project, sport=settings.sport)
    worker = Worker(
        worker_id=options.worker_id,
        writer=_writer(settings),
        publisher=publisher,
        disorder=Disorder(duplicates=options.duplicates, shuffle=options.shuffle, seed=options.seed),
    )
    client = pubsub_v1.SubscriberClient()
    with client:
        subscriber = Subscriber(
            client=client,
            subscription_path=options.subscription,
            message=PredictionRequest,
            handle=worker.handle,
            dead_letters=once(lambda: _dead_letters(settings, publisher)),
            sport=settings.sport,
            max_age=settings.max_event_age,
            now=_now,
        )
        log.info("pulling", action=PULLING, worker_id=options.worker_id)
        subscriber.run(stop).unwrap()


def _options() -> argparse.Namespace:
    """The command line, see the module."""
    parser = argparse.ArgumentParser(prog="python -m local.day.worker")
    parser.add_argument("worker_id")
    parser.add_argument("subscription", help="projects/P/subscriptions/S")
    parser.add_argument("--duplicates", type=float, default=0.0)
    parser.add_argument("--shuffle", action="store_true")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def _writer(settings: Settings) -> StagingWriter:
    """Stages through a BigQuery client of this process."""
    warehouse = Warehouse(connect(settings.gcp_project, os.environ))
    return StagingWriter(warehouse, settings.names.dataset(DatasetRole.PREDICTIONS), _now)


def _dead_letters(settings: Settings, publisher: Publisher) -> DeadLetters:
    """Where a request goes that nobody can handle; made when the first one does."""
    return DeadLetters(
        firestore.Client(project=settings.gcp_project),
        publisher,
        topics=[PREDICTION_REQUEST],
        sport=settings.sport,
        function="worker",
    )


def _now() -> datetime:
    return datetime.now(UTC)


if __name__ == "__main__":
    main()
