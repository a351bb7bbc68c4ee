"""A process of its own that takes a lock: for races, and for a pause that no thread can imitate.

    python -m tests.support.lock_process {hold|race|count} PROJECT LEASE_SECONDS

Prints a JSON line when it is ready, goes on when a line arrives on stdin, prints another when it is done.
"""

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import Any

from google.cloud import firestore

from common.lock.lock import Lock
from common.lock.rules import LockKey
from common.result import Result

KEY = LockKey(lock_type="consolidation", game_date=date(2026, 1, 17), sport="nba")
COUNTER = "tests/counter"
RACERS = 10
ROUNDS = 10


def hold(lock: Lock, db: firestore.Client) -> None:
    """Hold the lock across whatever happens between the two lines, then use it."""
    lease = lock.try_acquire(KEY, "held by a process").unwrap()
    with lease.heartbeat():
        _say(fence=lease.fence)
        sys.stdin.readline()
        check, asked = lease.check(), lease.check(ask_store=True)
    _say(
        check=_outcome(check),
        asked=_outcome(asked),
        renew=_outcome(lease.renew()),
        release=_outcome(lease.release()),
    )


def race(lock: Lock, db: firestore.Client) -> None:
    """One attempt by each of ten threads."""
    with ThreadPoolExecutor(RACERS) as pool:
        _say(ready=True)
        sys.stdin.readline()
        attempts = list(pool.map(lambda n: lock.try_acquire(KEY, f"racer {n}"), range(RACERS)))
    _say(outcomes=[_outcome(attempt) for attempt in attempts])


def count(lock: Lock, db: firestore.Client) -> None:
    """Add one to a document, read and written in two steps that only the lock protects."""
    counter, fences = db.document(COUNTER), []
    _say(ready=True)
    sys.stdin.readline()
    for _ in range(ROUNDS):
        with lock.acquire(KEY, "count", wait=timedelta(seconds=60)) as acquired:
            fences.append(acquired.unwrap().fence)
            value = (counter.get().to_dict() or {"value": 0})["value"]
            counter.set({"value": value + 1})
    _say(fences=fences)


def _say(**fields: Any) -> None:
    print(json.dumps(fields), flush=True)


def _outcome(result: Result[Any]) -> str:
    return "success" if result.error is None else result.error.exception_class


if __name__ == "__main__":
    role, project, lease_seconds = sys.argv[1:]
    client = firestore.Client(project=project)
    lease = timedelta(seconds=float(lease_seconds))
    {"hold": hold, "race": race, "count": count}[role](
        Lock(client, lease=lease, renew_every=lease / 5), client
    )
