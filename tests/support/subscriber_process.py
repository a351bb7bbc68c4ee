"""A worker of its own that pulls one subscription until SIGTERM.

    python -m tests.support.subscriber_process SUBSCRIPTION_PATH

Its handler prints `began PLAYER`, waits for a line on stdin, and prints `ended PLAYER`.
"""

import signal
import sys
import threading
from datetime import UTC, datetime, timedelta

from google.cloud import pubsub_v1

from common.entrypoint.dead_letters import DeadLetters
from common.entrypoint.envelope import Delivery
from common.messages import PredictionRequest
from common.result import Result
from common.sport import Sport
from common.subscriber import Subscriber


def _handle(request: PredictionRequest, _: Delivery) -> Result[None]:
    print(f"began {request.player_lookup}", flush=True)
    sys.stdin.readline()
    print(f"ended {request.player_lookup}", flush=True)
    return Result.success(None)


def _no_dead_letters() -> DeadLetters:
    raise AssertionError("nothing is dead-lettered here")


def main(subscription_path: str) -> None:
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    client = pubsub_v1.SubscriberClient()
    with client:
        subscriber = Subscriber(
            client=client,
            subscription_path=subscription_path,
            message=PredictionRequest,
            handle=_handle,
            dead_letters=_no_dead_letters,
            sport=Sport.NBA,
            max_age=timedelta(hours=24),
            now=lambda: datetime.now(UTC),
        )
        subscriber.run(stop).unwrap()


if __name__ == "__main__":
    main(sys.argv[1])
