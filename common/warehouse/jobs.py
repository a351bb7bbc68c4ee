"""BigQuery jobs whose outcome is known: started at most once per id, attached to, awaited or cancelled.

Waiting that times out says nothing about the job, which goes on. So a wait that is over cancels the job and
looks again; only a job that is settled counts as failed.
"""

import uuid
from collections.abc import Callable
from concurrent.futures import TimeoutError as WaitTimeout
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from google.api_core.exceptions import Conflict, GoogleAPICallError, GoogleAPIError, NotFound
from google.api_core.retry import Retry
from google.auth.exceptions import GoogleAuthError
from google.cloud import bigquery
from google.cloud.bigquery.job import LoadJob, QueryJob
from requests.exceptions import RequestException

from ..result import ErrorType, classify

J = TypeVar("J", QueryJob, LoadJob)

MAY_STILL_RUN: Final = "job_may_still_run"
"""In the details of a failure: the job could be neither awaited nor cancelled, and may yet take effect."""

REFUSALS: Final = (GoogleAPIError, GoogleAuthError, RequestException, OSError)
"""What a request raises that was refused, or whose answer was lost."""

MAX_ATTEMPTS: Final = 100
"""Ends the search for an unused id; far above what redeliveries can use up."""


class JobUnsettled(Exception):
    """A job may still run, and take effect: after its time and its cancellation, or while nobody can ask."""


@dataclass(frozen=True, kw_only=True)
class Timeouts:
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
        """How long one call is repeated on faults that may pass."""
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
    timeouts: Timeouts,
) -> Settled[J]:
    """Start the job `{job_key}-0` and wait for its end; raises what the job raised, or JobUnsettled.

    An id that was used before is attached to: its result stands if it succeeded and `is_same` (the same
    work). If not, the next number is tried, because a failed job keeps its id for ever. Without `job_key` the
    id is new, and what is attached to is our own insert whose answer was lost.
    """
    key = job_key or uuid.uuid4().hex
    for attempt in range(MAX_ATTEMPTS):
        job, attached = _begin(client, start, f"{key}-{attempt}", timeouts)
        if not attached:
            _await(job, timeout_seconds, timeouts)
            return Settled(job=job, attached=False)
        if _has_succeeded(job, timeout_seconds, timeouts) and is_same(job):
            return Settled(job=job, attached=True)
    raise JobUnsettled(f"all {MAX_ATTEMPTS} ids of job {key} are used up")


def _begin(
    client: bigquery.Client, start: Callable[[str], J], job_id: str, timeouts: Timeouts
) -> tuple[J, bool]:
    """The job, and whether it was there already."""
    try:
        return start(job_id), False
    except Conflict:
        return _find_existing(client, job_id, timeouts), True
    except REFUSALS as exc:
        if classify(exc) is ErrorType.PERMANENT:
            raise
        # It may have been started all the same.
        try:
            return _find(client, job_id, timeouts), True
        except NotFound:
            raise exc from None


def _find_existing(client: bigquery.Client, job_id: str, timeouts: Timeouts) -> Any:
    try:
        return _find(client, job_id, timeouts)
    except NotFound as exc:
        # For a moment after the conflict BigQuery may not know it yet (python-bigquery #2134).
        raise JobUnsettled(f"job {job_id} exists and is not found yet") from exc


def _find(client: bigquery.Client, job_id: str, timeouts: Timeouts) -> Any:
    """The job of this id; raises NotFound if there is none, JobUnsettled if that cannot be told."""
    try:
        return client.get_job(
            job_id, location=client.location, retry=timeouts.retry, timeout=timeouts.request_seconds
        )
    except REFUSALS as exc:
        if classify(exc) is ErrorType.PERMANENT:
            raise
        raise JobUnsettled(f"job {job_id} cannot be asked about") from exc


def _has_succeeded(job: QueryJob | LoadJob, timeout_seconds: float, timeouts: Timeouts) -> bool:
    """Whether a job that was there already has succeeded, when it has ended."""
    try:
        _await(job, timeout_seconds, timeouts)
    except GoogleAPICallError:
        if job.error_result is None:
            raise  # not the job has failed, but the question
        return False
    return True


def _await(job: QueryJob | LoadJob, timeout_seconds: float, timeouts: Timeouts) -> None:
    """Wait for the end; past its time the job is cancelled, and if that took effect it has timed out."""
    try:
        return _wait(job, timeout_seconds, timeouts)
    except WaitTimeout:
        pass
    try:
        job.cancel(retry=timeouts.retry, timeout=timeouts.request_seconds)
        _wait(job, timeouts.cancel_seconds, timeouts)
    except WaitTimeout as exc:
        waited = f"{timeout_seconds} s and a cancellation later"
        raise JobUnsettled(f"job {job.job_id} still runs, {waited}") from exc
    except GoogleAPICallError as exc:
        if (job.error_result or {}).get("reason") != "stopped":
            raise
        raise WaitTimeout(f"job {job.job_id} was cancelled after {timeout_seconds} s") from exc


def _wait(job: QueryJob | LoadJob, timeout_seconds: float, timeouts: Timeouts) -> None:
    try:
        if isinstance(job, QueryJob):
            job.result(retry=timeouts.retry, timeout=timeout_seconds, job_retry=None)
        else:
            job.result(retry=timeouts.retry, timeout=timeout_seconds)
    except WaitTimeout:
        raise
    except REFUSALS as exc:
        if not _is_over(job, timeouts):
            raise JobUnsettled(f"job {job.job_id} cannot be followed: {exc}") from exc
        raise


def _is_over(job: QueryJob | LoadJob, timeouts: Timeouts) -> bool:
    """Whether the job has ended, asked once more where waiting for it has failed."""
    if job.state == "DONE":
        return True
    try:
        job.reload(retry=timeouts.retry, timeout=timeouts.request_seconds)
    except REFUSALS:
        return False
    return bool(job.state == "DONE")
