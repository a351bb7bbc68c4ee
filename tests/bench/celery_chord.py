"""A chord of tasks that do nothing but report. Runs where Celery is installed, as worker and as sender.

    python -m celery -A tests.bench.celery_chord worker
    python -m tests.bench.celery_chord

Both find Redis by Celery's own variables. The sender reads one order a line,

    {"workers": 2, "tasks": 450, "redelivered": 0.2, "tell_at": 225}

and prints `{"reported": 225}` as soon as so many tasks have reported (`tell_at` may be null), then how the
chord ended, `{"seconds": 0.9, "fired": [450]}`. `fired` has an entry for each time that the callback fired,
the number of results that it got; `seconds` is null if it never did.
"""

import json
import os
import sys
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from typing import Any

from celery import Celery, chord  # type: ignore[import-not-found]
from celery.signals import after_task_publish  # type: ignore[import-not-found]

from tests.bench.faults import deliveries

_POLL_SECONDS = 0.002
_GIVE_UP_SECONDS = 15.0
_LOST_AFTER_SECONDS = 2.0
"""With nothing in the broker. A worker that is killed after it was handed a message, and before it has noted
that it holds it, takes the message with it (measured: after a third of the kills, 449 have reported)."""

app = Celery("chord")
app.conf.update(
    # So that a worker that dies loses nothing; the times are short so that one sees it happen.
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    broker_transport_options={
        "visibility_timeout": 3,
        "unacked_mutex_expire": 3,
        "unacked_restore_interval": 0.5,
        "unacked_restore_throttle": 1,
    },
)


def _report(player: int) -> int:
    return player


def _fire(players: list[int], chord_id: str) -> None:
    app.backend.client.rpush(chord_id, len(players))


report = app.task(name="report")(_report)
fire = app.task(name="fire", ignore_result=True)(_fire)


class Redelivery:
    """Sends some of the messages again, under the same id."""

    def __init__(self, order: Iterable[int]) -> None:
        self._order = deque(order)
        self._sent: list[dict[str, Any]] = []

    def sent(self, *, sender: str, **message: Any) -> None:
        """Receives `after_task_publish`."""
        self._sent.append(message)
        self._order.popleft()
        while self._order and self._order[0] < len(self._sent):
            _send_again(self._sent[self._order.popleft()])


def _send_again(message: Mapping[str, Any]) -> None:
    with app.producer_or_acquire() as producer:
        producer.publish(
            message["body"],
            headers=message["headers"],
            correlation_id=message["headers"]["id"],
            exchange=message["exchange"],
            routing_key=message["routing_key"],
            serializer="json",
        )


class Broker:
    """What waits in Redis, and what workers hold."""

    def __init__(self, redis: Any) -> None:
        self._redis = redis
        self._last_busy = time.monotonic()

    def idle_seconds(self) -> float:
        """For how long nothing was seen in it."""
        now = time.monotonic()
        if self._redis.llen("celery") or self._redis.hlen("unacked"):
            self._last_busy = now
        return now - self._last_busy


def run(*, workers: int, tasks: int, redelivered: float, tell_at: int | None) -> dict[str, object]:
    """One chord, from its first message until nothing of it is left in the broker."""
    if not _wait(lambda: len(app.control.ping(limit=workers)) == workers):
        raise RuntimeError(f"not all of the {workers} workers are up")
    redis, chord_id = app.backend.client, uuid.uuid4().hex
    broker, keys_before = Broker(redis), redis.dbsize()
    with ThreadPoolExecutor(1) as sending:
        start = time.monotonic()
        sent = sending.submit(_send, tasks, redelivered, chord_id)
        if tell_at is not None:
            # A report leaves its result: a key.
            _wait(lambda: redis.dbsize() - keys_before >= tell_at)
            _say({"reported": tell_at})
        _wait(lambda: redis.llen(chord_id) or (broker.idle_seconds() > _LOST_AFTER_SECONDS and sent.done()))
        seconds = time.monotonic() - start if redis.llen(chord_id) else None
        sent.result()
    _wait(lambda: broker.idle_seconds() > 0)
    return {"seconds": seconds, "fired": [int(results) for results in redis.lrange(chord_id, 0, -1)]}


def _send(tasks: int, redelivered: float, chord_id: str) -> None:
    redelivery = Redelivery(deliveries(tasks, redelivered))
    # Connected for as long as `redelivery` lives.
    after_task_publish.connect(redelivery.sent, sender=report.name)
    chord([report.s(player) for player in range(tasks)])(fire.s(chord_id))


def _wait(condition: Callable[[], object]) -> bool:
    """Whether it came true in time."""
    deadline = time.monotonic() + _GIVE_UP_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_SECONDS)
    return True


def _say(what: dict[str, object]) -> None:
    print(json.dumps(what), flush=True)


def _read(orders: SimpleQueue[str]) -> None:
    """Ends the process with standard input, in the middle of a chord, too: whoever asked is gone."""
    for order in sys.stdin:
        orders.put(order)
    os._exit(0)


def main() -> None:
    orders: SimpleQueue[str] = SimpleQueue()
    threading.Thread(target=_read, args=(orders,), daemon=True).start()
    while True:
        _say(run(**json.loads(orders.get())))


if __name__ == "__main__":
    main()
