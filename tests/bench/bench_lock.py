"""The lock: what it costs when nobody else wants it, and how soon it changes hands when many do."""

import json
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from statistics import median

import structlog
from google.cloud import firestore

from common.lock.lock import Lock
from common.lock.rules import LockKey
from local.stack.emulators import FIRESTORE
from tests.bench.clients import firestore_at
from tests.bench.frame import Bench, benchmark
from tests.bench.measuring import Measurement, Target, at_most, interleaved_medians, seconds
from tests.bench.redis_at_hand import redis_python, redis_server

KEY = LockKey(lock_type="consolidation", game_date=date(2026, 1, 17), sport="nba")
PAIRS = 30
CONTENDERS = 16
WORK_SECONDS = 0.02
IDEAL_SECONDS = CONTENDERS * WORK_SECONDS
FORMER_POLL_SECONDS = 5.0
SCALE = 20


@benchmark("lock", emulators=[FIRESTORE])
def uncontended(bench: Bench) -> Iterator[Measurement]:
    """Acquire and release, against two bare writes of the same document."""
    target = at_most(1.6)
    with structlog.testing.capture_logs():
        yield from _uncontended(firestore.Client(project=bench.new_project()), "lock.uncontended", target)
        with bench.slowed(bench.emulators["firestore"].host, round_trip=timedelta(milliseconds=10)) as host:
            yield from _uncontended(firestore_at(host, bench.new_project()), "lock.uncontended_10ms_away")


def _uncontended(db: firestore.Client, name: str, target: Target | None = None) -> Iterator[Measurement]:
    lock = Lock(db)
    lock.try_acquire(KEY, "warm-up").unwrap().release().unwrap()
    fields = db.document(str(KEY)).get().to_dict() or {}
    bare = db.document("bare/write")

    def two_writes() -> None:
        bare.set(fields)
        bare.set(fields)

    medians = interleaved_medians(
        9,
        again=lambda: _mean_ms(lambda: lock.try_acquire(KEY, "again").unwrap().release().unwrap()),
        first=lambda: _mean_ms(lambda: Lock(db).try_acquire(KEY, "first").unwrap().release().unwrap()),
        writes=lambda: _mean_ms(two_writes),
    )
    yield Measurement(
        name=name,
        value=medians["again"] / medians["writes"],
        unit="ratio",
        target=target,
        details={
            "lock_ms": medians["again"],
            "two_writes_ms": medians["writes"],
            "by": "the instance that left it free: two calls",
        },
    )
    yield Measurement(
        name=f"{name}_first_time",
        value=medians["first"] / medians["writes"],
        unit="ratio",
        details={
            "lock_ms": medians["first"],
            "by": "any other instance, which has to read it first: three calls",
        },
    )


def _mean_ms(work: Callable[[], object]) -> float:
    return 1000 / PAIRS * seconds(lambda: [work() for _ in range(PAIRS)])


@benchmark("lock contention", emulators=[FIRESTORE])
def contended(bench: Bench) -> Iterator[Measurement]:
    """16 contenders with 20 ms of work each, against the ideal of one after the other without a gap."""
    db = firestore.Client(project=bench.new_project())
    with structlog.testing.capture_logs():
        races = [_race_seconds(lambda: Lock(db)) for _ in range(7)]
        yield Measurement(
            name="lock.16_contenders",
            value=median(races) / IDEAL_SECONDS,
            unit="ratio",
            target=at_most(2),
            details={"seconds": median(races), "ideal_seconds": IDEAL_SECONDS, "worst_seconds": max(races)},
        )
        pause = FORMER_POLL_SECONDS / SCALE
        rounds = _race_seconds(lambda: Lock(db, uniform=lambda _, __: pause)) / pause
        yield Measurement(
            name="lock.16_contenders_polling_every_5s",
            value=rounds * FORMER_POLL_SECONDS / IDEAL_SECONDS,
            unit="ratio",
            details={"computed_from": f"{rounds:.1f} rounds seen when polling every {pause} s, times 5 s"},
        )


def _race_seconds(new_lock: Callable[[], Lock]) -> float:
    """Until every contender has held the lock once. Each has a lock of its own, as instances have."""
    start_line = threading.Barrier(CONTENDERS + 1)

    def contend(lock: Lock) -> None:
        start_line.wait()
        with lock.acquire(KEY, "race", wait=timedelta(minutes=5)) as acquired:
            acquired.unwrap()
            time.sleep(WORK_SECONDS)

    threads = [threading.Thread(target=contend, args=(new_lock(),)) for _ in range(CONTENDERS)]
    for thread in threads:
        thread.start()
    start_line.wait()
    start = time.perf_counter()
    for thread in threads:
        thread.join()
    return time.perf_counter() - start


@benchmark("lock redis")
def redis_for_comparison(bench: Bench) -> Iterator[Measurement]:
    """redis-py's Lock under the same load, as it waits by default."""
    python, script = redis_python(), Path(__file__).with_name("redis_lock.py")
    with redis_server(bench.run_dir) as port:
        command = [str(python), str(script), str(port), str(CONTENDERS), str(WORK_SECONDS)]
        said = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    yield Measurement(
        name="lock.redis_uncontended",
        value=said["lock_ms"] / said["writes_ms"],
        unit="ratio",
        details={"lock_ms": said["lock_ms"], "two_writes_ms": said["writes_ms"]},
    )
    yield Measurement(
        name="lock.redis_16_contenders",
        value=said["race_seconds"] / IDEAL_SECONDS,
        unit="ratio",
        details={"seconds": said["race_seconds"]},
    )
