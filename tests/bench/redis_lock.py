"""redis-py's Lock under the same load as ours; runs where redis-py is installed, and prints JSON.

python redis_lock.py PORT CONTENDERS WORK_SECONDS
"""

import json
import statistics
import sys
import threading
import time
from collections.abc import Callable

import redis  # type: ignore[import-not-found]

_REPETITIONS = 300
_RACES = 5
_LEASE_SECONDS = 30


def median_ms(work: Callable[[], object]) -> float:
    taken = []
    for _ in range(_REPETITIONS):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return 1000 * statistics.median(taken)


def race_seconds(client: redis.Redis, contenders: int, work_seconds: float) -> float:
    """Until all have had the lock once, each for `work_seconds`; as redis-py waits by default."""
    start_line = threading.Barrier(contenders + 1)

    def contend() -> None:
        start_line.wait()
        with client.lock("contended", timeout=_LEASE_SECONDS):
            time.sleep(work_seconds)

    threads = [threading.Thread(target=contend) for _ in range(contenders)]
    for thread in threads:
        thread.start()
    start_line.wait()
    start = time.perf_counter()
    for thread in threads:
        thread.join()
    return time.perf_counter() - start


def main(port: int, contenders: int, work_seconds: float) -> None:
    client = redis.Redis(port=port)

    def lock_and_release() -> None:
        with client.lock("uncontended", timeout=_LEASE_SECONDS):
            pass

    def two_writes() -> None:
        client.set("key", "value")
        client.set("key", "value")

    races = [race_seconds(client, contenders, work_seconds) for _ in range(_RACES)]
    lock_ms, writes_ms = median_ms(lock_and_release), median_ms(two_writes)
    print(json.dumps({"race_seconds": statistics.median(races), "lock_ms": lock_ms, "writes_ms": writes_ms}))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]))
