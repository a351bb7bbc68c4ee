"""The recorder as it is deployed, in two instances that can be killed."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from google.cloud import pubsub_v1

from common.messages import BatchComplete
from local.judging.taps import TIMEOUT_SECONDS, drain
from tests.bench.bench_function import TOPIC, TRIGGER, Functions
from tests.bench.faults import PLAYERS, Fault, Run, deliveries
from tests.bench.frame import Bench
from tests.bench.http_load import push
from tests.bench.instances import Instances
from tests.bench.redelivering import Deliveries
from tests.support.batch_helpers import GAME_DATE

INSTANCES = 2
CONNECTIONS = 16
"""To each of them."""


class Recorders:
    """Runs one batch after the other. What follows a fan-in is one consolidation for each generation that is
    triggered, however often."""

    def __init__(self, functions: Functions, instances: Instances[int], tap: "Tap") -> None:
        self._functions = functions
        self._instances = instances
        self._tap = tap

    def run(self, fault: Fault) -> Run:
        self._instances.refill()
        batch_id = self._functions.batch()
        order = deliveries(PLAYERS, fault.redelivered)
        load = Deliveries([_event(batch_id, number) for number in order])
        start = time.perf_counter()
        load.deliver(
            self._instances.alive,
            connections=CONNECTIONS,
            kill_at=fault.kill_at,
            kill=self._instances.kill,
        )
        return self._judge(batch_id, time.perf_counter() - start, load.delivered)

    def _judge(self, batch_id: str, seconds: float, delivered: int) -> Run:
        batches = self._functions.batches
        counted = batches.get(batch_id).unwrap().counts.completed
        claims = len(batches.store.below(batch_id, "claims").unwrap())
        triggers = self._tap.generations(batch_id)
        return Run(
            seconds=seconds,
            is_exact=counted == PLAYERS and claims == 1 and len({*triggers}) == 1,
            told={"delivered": delivered, "counted": counted, "claims": claims, "triggers": len(triggers)},
        )


class Tap:
    """A subscription of our own to the triggers."""

    def __init__(self, client: pubsub_v1.SubscriberClient, project: str) -> None:
        self._client = client
        self._path = f"projects/{project}/subscriptions/{TRIGGER}-tap"
        topic = f"projects/{project}/topics/{TRIGGER}"
        client.create_subscription(name=self._path, topic=topic, retry=None, timeout=TIMEOUT_SECONDS)

    def generations(self, batch_id: str) -> list[int]:
        """One for each trigger of this batch; a second call gets none of them again."""
        (messages,) = drain(self._client, [self._path])
        triggers = [BatchComplete.parse(message.data).unwrap() for message in messages]
        return [trigger.generation for trigger in triggers if trigger.batch_id == batch_id]


@contextmanager
def recorders(bench: Bench) -> Iterator[Recorders]:
    """They run for the length of the block."""
    functions = Functions(bench)
    client = pubsub_v1.SubscriberClient()
    with client, Instances(INSTANCES, functions.recorder.running) as instances:
        yield Recorders(functions, instances, Tap(client, functions.project))


def _event(batch_id: str, number: int) -> bytes:
    completion = {
        "batch_id": batch_id,
        "player_lookup": f"player{number:05}",
        "game_date": GAME_DATE.isoformat(),
        "predictions_generated": 5,
    }
    return push(completion, event_id=f"{batch_id}-{number}", topic=TOPIC)
