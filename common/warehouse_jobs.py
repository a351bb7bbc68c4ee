"""BigQuery jobs whose outcome is known: started at most once per id, attached to, awaited or cancelled.

Waiting that times out says nothing about the job, which goes on. So a wait that is over cancels the job and
looks again; only a job that is settled counts as failed.
"""

import uuid
from collections.abc import Callable
from concurrent.futures import TimeoutError as WaitTimeout
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from google.api_core.exceptions import Conflict, GoogleAPICallError
from google.api_core.retry import Retry
from google.cloud import bigquery
from google.cloud.bigquery.job import LoadJob, QueryJob

J = TypeVar("J", QueryJob, LoadJob)

JOB_UNSETTLED: Final = "JobUnsettled"
"""`exception_class` of a job that could be neither awaited nor cancelled: it may still take effect."""

MAX_ATTEMPTS: Final = 100
"""Ends the search for an unused id; far above what redeliveries can use up."""


class JobUnsettled(Exception):
    """A job still runs after its time and its cancellation; it may yet take effect."""


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long to wait. All of it is far below the 540 s that a function may run."""

    request_seconds: float = 60.0
    """One HTTP request."""
    retry_seconds: float = 60.0
    """All repeats of a request that failed for a transient reason."""
    upload_repeats: int = 3
    """Of one request of a load's upload; they take about 8 s."""
    cancel_seconds: float = 20.0
    """For a cancelled job to end."""

    @property
    def retry(self) -> Retry:
        return bigquery.DEFAULT_RETRY.with_deadline(self.retry_seconds)


@dataclass(frozen=True, kw_only=True)
class Settled(Generic[J]):
    """A job that has ended well. `attached`: an earlier call had started it."""

    job: J
    attached: bool


def settle(
    client: bigquery.Client,
    start: Callable[[str], J],
    *,
    job_key: str | None,
    is_same: Callable[[J], bool],
    timeout_seconds: float,
    patience: Patience,
) -> Settled[J]:
    """Start the job `{job_key}-0` and wait for its end; raises what the job raised, or JobUnsettled.

    An id that was used before is attached to: its result stands if it succeeded and `is_same` (the same
    work). If not, the next number is tried, because a failed job keeps its id for ever. Without `job_key` the
    id is new, and what is attached to is our own insert whose answer was lost.
    """
    key = job_key or uuid.uuid4().hex
    for attempt in range(MAX_ATTEMPTS):
        job_id = f"{key}-{attempt}"
        try:
            job = start(job_id)
        except Conflict:
            job = _find(client, job_id, patience)
            if _stands(job, timeout_seconds, patience) and is_same(job):
                return Settled(job=job, attached=True)
            continue
        _await(job, timeout_seconds, patience)
        return Settled(job=job, attached=False)
    raise JobUnsettled(f"all {MAX_ATTEMPTS} ids of job {key} are used up")


def _find(client: bigquery.Client, job_id: str, patience: Patience) -> Any:
    return client.get_job(
        job_id, location=client.location, retry=patience.retry, timeout=patience.request_seconds
    )


def _stands(job: QueryJob | LoadJob, timeout_seconds: float, patience: Patience) -> bool:
    """Whether a job that somebody else started has succeeded, when it has ended."""
    try:
        _await(job, timeout_seconds, patience)
    except GoogleAPICallError:
        if job.error_result is None:
            raise  # not the job has failed, but the question
        return False
    return True


def _await(job: QueryJob | LoadJob, timeout_seconds: float, patience: Patience) -> None:
    try:
        _wait(job, timeout_seconds, patience)
    except WaitTimeout:
        job.cancel(retry=patience.retry, timeout=patience.request_seconds)
        try:
            _wait(job, patience.cancel_seconds, patience)
        except WaitTimeout as exc:
            waited = f"{timeout_seconds} s and a cancellation later"
            raise JobUnsettled(f"job {job.job_id} still runs, {waited}") from exc


def _wait(job: QueryJob | LoadJob, timeout_seconds: float, patience: Patience) -> None:
    if isinstance(job, QueryJob):
        job.result(retry=patience.retry, timeout=timeout_seconds, job_retry=None)
    else:
        job.result(retry=patience.retry, timeout=timeout_seconds)
