"""Celery at work: a sender, and workers that can be killed, on a Redis of their own."""

import itertools
import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from local.stack.ports import LOOPBACK
from local.stack.service import Service
from tests.bench.celery_at_hand import celery_python
from tests.bench.faults import PLAYERS, Fault, Run
from tests.bench.instances import Instances
from tests.bench.redis_at_hand import redis_server

WORKERS = 2
PROCESSES = 2
"""Of each worker."""

_ROOT = Path(__file__).parents[2]
_MODULE = "tests.bench.celery_chord"
_WORKER = [
    *("-m", "celery", "-A", _MODULE, "worker", "--loglevel=warning"),
    *("--pool=prefork", f"--concurrency={PROCESSES}"),
    *("--without-gossip", "--without-mingle", "--without-heartbeat"),
]
_numbers = itertools.count()


class Chords:
    """Runs one chord after the other: what follows a fan-in is its callback."""

    def __init__(self, sender: "subprocess.Popen[str]", workers: Instances[str]) -> None:
        self._sender = sender
        self._workers = workers

    def run(self, fault: Fault) -> Run:
        self._workers.refill()
        self._order(workers=WORKERS, tasks=PLAYERS, redelivered=fault.redelivered, tell_at=fault.kill_at)
        if fault.kill_at is not None:
            self._answer()
            self._workers.kill()
        end = self._answer()
        results = end["fired"]
        return Run(
            seconds=end["seconds"],
            is_exact=results == [PLAYERS],
            told={"fired": len(results), "results": max(results, default=0)},
        )

    def _order(self, **order: object) -> None:
        assert self._sender.stdin is not None
        self._sender.stdin.write(json.dumps(order) + "\n")
        self._sender.stdin.flush()

    def _answer(self) -> Any:
        assert self._sender.stdout is not None
        return json.loads(self._sender.stdout.readline())


@contextmanager
def chords(version: str, run_dir: Path) -> Iterator[Chords]:
    """Celery of this version, for the length of the block."""
    python = celery_python(version)
    with redis_server(run_dir) as port:
        redis = f"redis://{LOOPBACK}:{port}/0"
        environment = {**os.environ, "CELERY_BROKER_URL": redis, "CELERY_RESULT_BACKEND": redis}
        worker = partial(_worker, python, environment, run_dir)
        with Instances(WORKERS, worker) as workers, _sender(python, environment) as sender:
            yield Chords(sender, workers)


@contextmanager
def _worker(python: Path, environment: dict[str, str], run_dir: Path) -> Iterator[str]:
    name = f"worker{next(_numbers)}"
    command = [str(python), *_WORKER, "--hostname", f"{name}@bench"]
    service = Service.start(name, command, log=run_dir / "celery.log", environment=environment, folder=_ROOT)
    try:
        yield name
    finally:
        service.stop()


@contextmanager
def _sender(python: Path, environment: dict[str, str]) -> Iterator["subprocess.Popen[str]"]:
    """It ends when its standard input does."""
    pipe = subprocess.PIPE
    command = [str(python), "-m", _MODULE]
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=environment, cwd=_ROOT) as sender:
        try:
            yield sender
        finally:
            sender.kill()
