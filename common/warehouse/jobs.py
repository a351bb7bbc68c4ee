"""BigQuery jobs whose outcome is known: started at most once per id, attached to, awaited or cancelled.

A wait that times out says nothing about the job, which goes on running in BigQuery. So a wait that is over
cancels the job and looks again, and only a job that has ended counts as failed.

    first call    insert id k-0 ── answer lost ✗
    BigQuery          └── runs ────────────────────── done
    second call             insert id k-0: 409 ── attaches ── the same result, and nothing ran twice
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
"""Ends the search for an unused id. Each job that ran under the key has used up one, and a subscription
delivers an event at most 100 times."""


class JobUnsettled(Exception):
    """A job may still run, and take effect: after its time and its cancellation, or while nobody can ask."""


@dataclass(frozen=True, kw_only=True)
class Timeouts:
    """How long to wait, in seconds.

    All of it together stays far below the 540 s that a function may run: past those the caller is answered
    504 while the code goes on.
    """

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
        """How long one call is repeated on faults that may pass.

        The client's own 600 s would outlast the function.
        """
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
    """Start the job `{job_key}-0` and wait for its end.

    An id that was used before is attached to: its result stands if it succeeded and `is_same` says that it is
    the same work. If not, the next number is tried, because a failed job keeps its id for ever. Without
    `job_key` the id is new, and the only job that can be attached to is our own, whose answer was lost.

    Raises what the job raised (it is over then), WaitTimeout for one that was cancelled after
    `timeout_seconds`, and JobUnsettled for one that may still run, or when all ids are used up. Calling again
    after any of them is safe.
    """
    # Random where nothing describes the work: no other call may meet this job.
    key = job_key or uuid.uuid4().hex
    for attempt in range(MAX_ATTEMPTS):
        # The number is in the id, not random: every caller tries the same ids in the same order, and so meets
        # the job that another has started.
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
        # The request may have reached BigQuery and only its answer been lost: the id tells.
        # It may have been started all the same.
        try:
            return _find(client, job_id, timeouts), True
        except NotFound:
            raise exc from None


def _find_existing(client: bigquery.Client, job_id: str, timeouts: Timeouts) -> Any:
    try:
        return _find(client, job_id, timeouts)
    except NotFound as exc:
        # Right after the conflict BigQuery may not list the job yet (python-bigquery #2134): nobody can say
        # how it stands.
        raise JobUnsettled(f"job {job_id} exists and is not found yet") from exc


def _find(client: bigquery.Client, job_id: str, timeouts: Timeouts) -> Any:
    """The job of this id.

    Raises NotFound if there is none, a PERMANENT refusal as it is, and JobUnsettled for any other fault: then
    nobody knows whether the job runs.
    """
    try:
        return client.get_job(
            # Without its location BigQuery looks in US and EU only, and a job elsewhere is "not found": run
            # again.
            job_id,
            location=client.location,
            retry=timeouts.retry,
            timeout=timeouts.request_seconds,
        )
    except REFUSALS as exc:
        if classify(exc) is ErrorType.PERMANENT:
            raise
        raise JobUnsettled(f"job {job_id} cannot be asked about") from exc


def _has_succeeded(job: QueryJob | LoadJob, timeout_seconds: float, timeouts: Timeouts) -> bool:
    """Whether a job that was there already has succeeded, once it has ended.

    A job that failed is an answer here: its id is used up and the next number is tried. A question that
    failed is raised.
    """
    try:
        _await(job, timeout_seconds, timeouts)
    except GoogleAPICallError:
        if job.error_result is None:
            raise  # not the job has failed, but the question
        return False
    return True


def _await(job: QueryJob | LoadJob, timeout_seconds: float, timeouts: Timeouts) -> None:
    """Wait for the end of the job; past its time it is cancelled.

    Cancelling is best effort: the job may still end well, which counts, or end as `stopped`, which is a
    WaitTimeout. If it has not ended `cancel_seconds` later either, JobUnsettled.
    """
    try:
        return _wait(job, timeout_seconds, timeouts)
    except WaitTimeout:
        pass
    try:
        # Best effort: the job may have ended, well or not, before the cancellation arrives.
        job.cancel(retry=timeouts.retry, timeout=timeouts.request_seconds)
        _wait(job, timeouts.cancel_seconds, timeouts)
    except WaitTimeout as exc:
        waited = f"{timeout_seconds} s and a cancellation later"
        raise JobUnsettled(f"job {job.job_id} still runs, {waited}") from exc
    except GoogleAPICallError as exc:
        # It failed by itself while it was being cancelled: that is the answer.
        if (job.error_result or {}).get("reason") != "stopped":
            raise
        raise WaitTimeout(f"job {job.job_id} was cancelled after {timeout_seconds} s") from exc


def _wait(job: QueryJob | LoadJob, timeout_seconds: float, timeouts: Timeouts) -> None:
    """Wait without cancelling.

    A fault of the question is told apart from a failure of the job by asking once more whether the job is
    over.
    """
    try:
        if isinstance(job, QueryJob):
            # The client's own job_retry would run the query again, under a new id, for up to 2,400 s.
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
