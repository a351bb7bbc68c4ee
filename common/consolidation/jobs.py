"""The jobs of one consolidation: named by what they work on, and their cost added up as they end."""

from typing import Protocol

from ..result import Result
from ..warehouse.job_keys import job_key
from ..warehouse.records import Rows


class JobStore(Protocol):
    """What the jobs need of the warehouse."""

    def execute(
        self, sql: str, *, job_key: str | None = None, timeout_seconds: float | None = None
    ) -> Result[Rows]:
        """Run a statement or a script once per key; see `Warehouse.execute`."""


class Jobs:
    """Runs one job after the other, for one attempt at one generation of a batch.

    `work` tells the batch and its generation, in JSON's values: with a step it names the job, the same for
    every attempt. So a retry finds the job that an earlier one left running.
    """

    def __init__(self, store: JobStore, *work: str | int) -> None:
        self._store = store
        self._work = work
        self._done: list[Rows] = []

    def run(self, step: str, sql: str, *, timeout_seconds: float) -> Rows:
        """What the job of this step brought back; raises ResultError with what the warehouse says.

        It counts once it has ended well, also if an earlier attempt had started it.
        """
        key = job_key(step, *self._work)
        done = self._store.execute(sql, job_key=key, timeout_seconds=timeout_seconds).unwrap()
        # Not before: nobody can tell what a failed job has cost.
        self._done.append(done)
        return done

    @property
    def count(self) -> int:
        """Jobs that have ended well."""
        return len(self._done)

    @property
    def bytes_processed(self) -> int:
        """Of all of them together."""
        return sum(done.bytes_processed for done in self._done)

    @property
    def bytes_billed(self) -> int | None:
        """Of all of them together; None as soon as one of them did not say."""
        billed = [done.bytes_billed for done in self._done]
        # A sum of which a part is missing would look like a cheaper run.
        return None if None in billed else sum(one or 0 for one in billed)
