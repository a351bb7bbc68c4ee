# Google's own session carries no types.
# mypy: disable-error-code="no-untyped-call"
"""How long a day waits for phase 6: from the last completion to the announced end of phase 5."""

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from statistics import median
from typing import Any

import pytest
import structlog
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery, pubsub_v1

from common.batches.trigger_outbox import TriggerOutbox
from common.messages import BatchComplete, Message
from common.publisher import Publisher
from common.result import Result
from common.sport import Sport
from common.topics import PHASE5_PREDICTIONS_COMPLETE, PREDICTION_BATCH_COMPLETE, Topic
from common.warehouse.warehouse import EMULATOR_HOST
from functions.consolidation_trigger.handler import handle
from local.stack.emulators import BIGQUERY, FIRESTORE, PUBSUB
from tests.bench.frame import Bench, benchmark
from tests.bench.measuring import Measurement
from tests.support.batch_helpers import GAME_DATE
from tests.support.consolidation_stack import TABLES, Stack
from tests.support.counting_session import CountingSession
from tests.support.prediction_rows import prediction

ROUND_TRIP = timedelta(milliseconds=20)
JOB_SECONDS = 0.3
PLAYERS, ROWS_EACH = 20, 5
BATCHES = 4
"""The first one warms up and is not counted."""
FORMER_CALLS, FORMER_JOBS = 20, 6
"""Round trips and jobs, one after the other, that the way of before took to the announcement."""
FORMER_WAIT_SECONDS = FORMER_CALLS * ROUND_TRIP.total_seconds() + FORMER_JOBS * JOB_SECONDS
"""What it waited for its stores alone. No target: what the emulators themselves take is in `seconds` and not
in this, and on a busy machine it is the larger part. Compare `seconds` with those of another commit."""


class FarSession(CountingSession):
    """Every job takes as long as the service needs for a small one."""

    def request(self, method: Any, url: Any, *args: Any, **kwargs: Any) -> Any:
        if method == "POST" and str(url).partition("?")[0].endswith(("/jobs", "/queries")):
            time.sleep(JOB_SECONDS)
        return super().request(method, url, *args, **kwargs)


class Announcer:
    """A publisher that notes when the end of phase 5 was taken."""

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher
        self.announced_at = 0.0

    def publish(self, topic: Topic, message: Message) -> Result[str]:
        published = self._publisher.publish(topic, message)
        if topic == PHASE5_PREDICTIONS_COMPLETE:
            self.announced_at = time.perf_counter()
        return published


@benchmark("consolidation.announced", emulators=[FIRESTORE, PUBSUB, BIGQUERY])
def from_the_last_completion_to_the_announced_phase_5(bench: Bench) -> Iterator[Measurement]:
    """20 ms to Firestore and Pub/Sub, 300 ms for each job: against what the way of before waited alone."""
    project = bench.new_project()
    session = FarSession()
    near = Stack(project).create_tables()
    with ExitStack() as open_until, structlog.testing.capture_logs():
        far, publisher = open_until.enter_context(_far(bench, project, session))
        took, sent = [], {}
        for number in range(BATCHES):
            before = session.snapshot()
            took.append(_seconds(near, far, publisher, f"batch{number}"))
            sent = session.since(before)
    near.close()
    seconds = median(took[1:])
    yield Measurement(
        name="consolidation.announced",
        value=seconds / FORMER_WAIT_SECONDS,
        unit="ratio",
        details={
            "seconds": seconds,
            "former_wait_alone_seconds": FORMER_WAIT_SECONDS,
            "jobs_in_all": sent["statements"],
        },
    )


def _seconds(near: Stack, far: Stack, publisher: Publisher, batch_id: str) -> float:
    """One batch: everything but its last completion is done beforehand, and at close quarters."""
    players = [f"player{number}" for number in range(PLAYERS)]
    near.open(players, batch_id)
    staged = {
        player: near.stage(
            [prediction(player, system_id=f"system{number}") for number in range(ROWS_EACH)],
            worker=player,
            batch_id=batch_id,
        )
        for player in players
    }
    *first, last = players
    for player in first:
        near.complete(player, staged[player], batch_id=batch_id)
    announcer = Announcer(publisher)
    start = time.perf_counter()
    far.complete(last, staged[last], batch_id=batch_id)
    TriggerOutbox(far.batches.store, lambda: publisher).send(near.batches.get(batch_id).unwrap()).unwrap()
    handle(
        BatchComplete(batch_id=batch_id, game_date=GAME_DATE, generation=1),
        "event-1",
        consolidator=far.consolidator,
        batches=far.batches,
        publisher=announcer,
        dataset=TABLES.predictions,
    ).unwrap()
    return announcer.announced_at - start


@contextmanager
def _far(bench: Bench, project: str, session: FarSession) -> Iterator[tuple[Stack, Publisher]]:
    """Clients that a network lies before."""
    environment = bench.emulators.environment
    with ExitStack() as open_until:
        patch = open_until.enter_context(pytest.MonkeyPatch.context())
        for kind in (FIRESTORE, PUBSUB):
            slowed = bench.slowed(environment[kind.variable], round_trip=ROUND_TRIP)
            patch.setenv(kind.variable, open_until.enter_context(slowed))
        client = bigquery.Client(
            project=project,
            credentials=AnonymousCredentials(),
            client_options={"api_endpoint": os.environ[EMULATOR_HOST]},
            _http=session,
        )
        topics = pubsub_v1.PublisherClient()
        open_until.enter_context(topics)
        for topic in (PHASE5_PREDICTIONS_COMPLETE, PREDICTION_BATCH_COMPLETE):
            topics.create_topic(name=f"projects/{project}/topics/{topic.name(Sport.NBA)}")
        far = Stack(project, client=client)
        yield far, Publisher(topics, project=project, sport=Sport.NBA)
        far.close()
