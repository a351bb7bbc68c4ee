"""What the jobs of one consolidation cost, added up as they end."""

from dataclasses import dataclass

from ..result import Result
from ..warehouse.records import Rows, TableFacts
from .fenced_merge import MergeStore


@dataclass(frozen=True, kw_only=True)
class JobsUsed:
    """Of all jobs together, those that an earlier attempt had started and this one attached to among them."""

    jobs: int = 0
    bytes_processed: int = 0
    bytes_billed: int | None = 0
    """None as soon as one of them did not say."""

    def and_also(self, rows: Rows) -> "JobsUsed":
        """The sum with one more job."""
        billed = (
            None
            if self.bytes_billed is None or rows.bytes_billed is None
            else self.bytes_billed + rows.bytes_billed
        )
        return JobsUsed(
            jobs=self.jobs + 1,
            bytes_processed=self.bytes_processed + rows.bytes_processed,
            bytes_billed=billed,
        )


class MeteredStore:
    """A store whose jobs are counted. Of one consolidation, which runs one job after the other."""

    def __init__(self, store: MergeStore) -> None:
        self._store = store
        self.used = JobsUsed()

    def execute(
        self, sql: str, *, job_key: str | None = None, timeout_seconds: float | None = None
    ) -> Result[Rows]:
        """As the store's own; a job is counted once it has ended well."""
        done = self._store.execute(sql, job_key=job_key, timeout_seconds=timeout_seconds)
        if done.data is not None:
            self.used = self.used.and_also(done.data)
        return done

    def look(self, table: str) -> Result[TableFacts | None]:
        """Metadata is free."""
        return self._store.look(table)
