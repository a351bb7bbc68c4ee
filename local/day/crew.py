"""The worker processes: so many at any time, each under an id of its own that dies with it."""

import uuid
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

from ..problem import Problem
from ..stack.service import Service
from ..stack.serving import PYTHON, ROOT
from .chaos import Disorder
from .worker import PULLING

MAX_REPLACEMENTS = 20
"""More deaths than any chaos asks for."""
# Several interpreters that import the clients at once take a while on two cores.
_BEGIN_WITHIN = timedelta(seconds=60)
# For the players that it is at.
_FINISH_WITHIN = timedelta(seconds=10)


@dataclass(frozen=True, kw_only=True)
class Job:
    """What every worker is told."""

    subscription: str
    disorder: Disorder
    environment: Mapping[str, str]
    log: Path
    """Of all workers together."""

    def command(self, worker_id: str) -> Sequence[str]:
        """The worker's command line.

        Its id is the first word, so that a list of processes tells who is who.
        """
        disorder = [f"--duplicates={self.disorder.duplicates}", f"--seed={self.disorder.seed}"]
        shuffle = ["--shuffle"] if self.disorder.shuffle else []
        return [str(PYTHON), "-m", "local.day.worker", worker_id, self.subscription, *disorder, *shuffle]


class Crew(AbstractContextManager["Crew"]):
    """Workers that are replaced when they die. When the block ends, none is left."""

    def __init__(self, job: Job, size: int) -> None:
        self._job = job
        self._workers = [self._hire() for _ in range(size)]
        self.replaced = 0

    def wait_until_pulling(self) -> None:
        """Returns when all of them have begun, so that each gets its share."""
        for worker in self._workers:
            # Counted in the log, which tells of all workers: Pub/Sub gives whoever pulls first as much as he
            # takes.
            worker.wait_until(lambda: self._pulling() >= len(self._workers), within=_BEGIN_WITHIN)

    def kill_one(self) -> None:
        """SIGKILL to the first of them, in the middle of whatever it does; `replace_dead` hires another."""
        self._workers[0].stop()

    def replace_dead(self) -> None:
        """Hire a new worker, under a new id, for each that has died. If they keep dying that is a Problem."""
        for index, worker in enumerate(self._workers):
            if worker.is_running:
                continue
            if self.replaced == MAX_REPLACEMENTS:
                raise Problem(f"the workers keep dying: see {self._job.log}")
            self.replaced += 1
            # Under a new id: the dead one's staging table stays its own.
            self._workers[index] = self._hire()

    def dismiss(self) -> None:
        """Let them finish what they hold, all at the same time; whoever takes too long is killed."""
        with ThreadPoolExecutor(len(self._workers)) as pool:
            list(pool.map(lambda worker: worker.stop(grace=_FINISH_WITHIN), self._workers))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Kill whoever is still at work: what they hold is delivered again, or nobody's any more."""
        for worker in self._workers:
            worker.stop()

    def _pulling(self) -> int:
        """How many workers have begun to pull, those included that have died since."""
        return self._job.log.read_text(encoding="utf-8", errors="replace").count(PULLING)

    def _hire(self) -> Service:
        """Start a worker under an id that no worker had before: its staging table is its own."""
        worker_id = f"worker-{uuid.uuid4().hex[:8]}"
        return Service.start(
            worker_id,
            self._job.command(worker_id),
            log=self._job.log,
            environment=self._job.environment,
            folder=ROOT,
        )
