"""BigQuery, each call a `Result`: "no rows", "no such table" and "could not be asked" are three answers.

Every call states its retries and its time-outs, because the client's own (600 s, and 2,400 s in which a query
is *run again*) outlast the function. Every job has an id, so that a lost answer is found again.
"""

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, cast

from google.api_core.client_options import ClientOptions
from google.api_core.retry import Retry
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery
from google.cloud.bigquery.job import LoadJob, QueryJob

from ..predictions.columns import Column
from .calls import attempted, describe
from .jobs import Settled, Timeouts, settle
from .parameters import to_parameters
from .records import Loaded, Rows
from .schema_fields import to_fields
from .tables import WarehouseTables


class RowsLost(ValueError):
    """A load job succeeded with fewer rows than it was given.

    PERMANENT: the rows that are in the table were loaded under this job's id, and trying again would attach
    to it.
    """


EMULATOR_HOST: Final = "BIGQUERY_EMULATOR_HOST"
"""The client reads this variable, too, but still asks for credentials, which an emulator does not need."""
MAXIMUM_BYTES_BILLED: Final = 20 * 2**30
"""A query that would read more is refused by BigQuery, and costs nothing."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How much one call may take. A query that is past its time is cancelled; a load, too."""

    query_seconds: float = 60.0
    """Of a query or statement that states no time of its own."""
    load_seconds: float = 120.0
    maximum_bytes_billed: int = MAXIMUM_BYTES_BILLED
    """Bytes one query may read: BigQuery refuses a query that would read more before it runs."""
    timeouts: Timeouts = field(default_factory=Timeouts)


def connect(project: str, environment: Mapping[str, str], *, location: str | None = None) -> bigquery.Client:
    """The client for the service, or for the emulator where BIGQUERY_EMULATOR_HOST names one.

    `location` is that of the datasets; without it a job outside US and EU is not found again by its id.
    """
    host = environment.get(EMULATOR_HOST)
    if host is None:
        return bigquery.Client(project=project, location=location)
    return bigquery.Client(
        project=project,
        location=location,
        credentials=AnonymousCredentials(),
        client_options=ClientOptions(api_endpoint=host),
    )


def _loading(table: str, rows: Sequence[Any], *_: Any, job_key: str) -> Mapping[str, Any]:
    """What the details of a failure say of a load: not the rows."""
    return {"table": table, "rows": len(rows), "job_key": job_key}


class Warehouse(WarehouseTables):
    """Queries, statements and loads of one project, and its tables; safe to share between threads.

    Every method returns a `Result`; none raises for what BigQuery answers. Failures are typed by `classify`:
    contention between transactions, quotas and lost connections are TRANSIENT, a refused statement, a missing
    table or dataset PERMANENT. Their details hold the text and the parameters that were sent.
    """

    def __init__(self, client: bigquery.Client, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._timeouts = self._limits.timeouts
        super().__init__(client, self._timeouts)

    @attempted(describe)
    def query(
        self, sql: str, parameters: Mapping[str, Any] | None = None, *, timeout_seconds: float | None = None
    ) -> Rows:
        """Run a SELECT: one request if it ends within it. No rows is a success with an empty list.

        `parameters` are typed by `to_parameters`; a value that has no type is a PERMANENT failure and nothing
        is sent. `timeout_seconds` replaces `Limits.query_seconds`. Called again, the SELECT runs again: that
        changes nothing and is billed once more.
        """
        # Without a job id of our own: a SELECT that is run again harms nobody.
        found = self._client.query_and_wait(
            sql,
            job_config=self._config(parameters),
            api_timeout=self._timeouts.request_seconds,
            wait_timeout=self._seconds(timeout_seconds),
            retry=self._timeouts.retry,
            job_retry=cast(Retry, None),  # allowed, and not what the annotation says
        )
        if not found.schema:
            # A SELECT has columns, unless it failed: which the emulator tells through the job alone.
            job = self._client.get_job(str(found.job_id), location=found.location, **self._call)
            return self._rows(cast(QueryJob, job))
        return Rows(
            rows=[dict(row) for row in found],
            job_id=str(found.job_id),
            bytes_processed=int(found.total_bytes_processed or 0),
            affected_rows=None,
        )

    @attempted(describe)
    def execute(
        self,
        sql: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        job_key: str | None = None,
        timeout_seconds: float | None = None,
    ) -> Rows:
        """Run a statement or a script; returns the rows of its last SELECT.

        With a `job_key` a second call with the same text attaches to the first one's job instead of running
        it again: its result is returned if it succeeded, and it is run under the next number if it failed.
        Without one every call is a job of its own. After a failure with MAY_STILL_RUN in its details the job
        may yet take effect; after any other it is over.

        The emulator differs: it runs a repeated id again, and takes no parameters in scripts (use
        `literals`).
        """
        config = self._config(parameters)

        def start(job_id: str) -> QueryJob:
            return self._client.query(sql, config, job_id=job_id, job_retry=None, **self._call)

        # A key that two texts share would hand one the result of the other.
        def is_same(job: QueryJob) -> bool:
            return bool(job.query == sql)

        settled = settle(
            self._client,
            start,
            job_key=job_key,
            is_same=is_same,
            timeout_seconds=self._seconds(timeout_seconds),
            timeouts=self._timeouts,
        )
        return self._rows(settled.job)

    @attempted(_loading)
    def load(
        self, table: str, rows: Sequence[Mapping[str, Any]], columns: Sequence[Column], *, job_key: str
    ) -> Loaded:
        """Append rows to an existing table by one load job; no row and no field is ignored.

        `rows` are mappings of JSON values (`predictions.encode` makes them). A success has loaded all of
        them. The same `job_key` again loads nothing on BigQuery, so the key must be made from the content and
        from the identity of the table; the emulator loads again. An empty list is a success without a job. A
        missing table is a PERMANENT failure: it is never created on the way, for its columns would be
        guessed.
        """
        if not rows:
            return Loaded(table=table, rows=0, bytes_sent=0, job_id="", attached=False)
        # All of it in memory: a worker stages some thousand rows, a megabyte or two.
        body = "".join(json.dumps(row, allow_nan=False) + "\n" for row in rows).encode()

        def start(job_id: str) -> LoadJob:
            # The upload repeats only a request that was not taken: under the id a second one is refused.
            return self._client.load_table_from_file(
                io.BytesIO(body),
                table,
                job_id=job_id,
                job_config=_load_config(columns),
                num_retries=self._timeouts.upload_repeats,
                timeout=self._timeouts.request_seconds,
            )

        settled = settle(
            self._client,
            start,
            job_key=job_key,
            # The key holds the digest of the rows: a job of this id loaded these very rows.
            is_same=lambda _: True,
            timeout_seconds=self._limits.load_seconds,
            timeouts=self._timeouts,
        )
        return _loaded(table, len(rows), len(body), settled)

    def _config(self, parameters: Mapping[str, Any] | None) -> bigquery.QueryJobConfig:
        """Parameters are typed before anything is sent: what `to_parameters` raises becomes a PERMANENT
        failure.
        """
        return bigquery.QueryJobConfig(
            query_parameters=to_parameters(parameters or {}),
            maximum_bytes_billed=self._limits.maximum_bytes_billed,
        )

    def _seconds(self, timeout_seconds: float | None) -> float:
        return self._limits.query_seconds if timeout_seconds is None else timeout_seconds

    def _rows(self, job: QueryJob) -> Rows:
        found = job.result(job_retry=None, **self._call)
        return Rows(
            rows=[dict(row) for row in found],
            job_id=str(job.job_id),
            bytes_processed=int(job.total_bytes_processed or 0),
            affected_rows=job.num_dml_affected_rows,
            bytes_billed=None if job.total_bytes_billed is None else int(job.total_bytes_billed),
        )


def _load_config(columns: Sequence[Column]) -> bigquery.LoadJobConfig:
    """Rows in JSON that fit the columns to the last field, into a table that is there."""
    return bigquery.LoadJobConfig(
        source_format=bigquery.SourceFormat.NEWLINE_DELIMITED_JSON,
        schema=to_fields(columns),
        write_disposition=bigquery.WriteDisposition.WRITE_APPEND,
        # CREATE_IF_NEEDED would make a table without an expiry, and race with the one that `create_table`
        # makes.
        create_disposition=bigquery.CreateDisposition.CREATE_NEVER,
        ignore_unknown_values=False,
        max_bad_records=0,
    )


def _loaded(table: str, rows_given: int, bytes_sent: int, settled: Settled[LoadJob]) -> Loaded:
    """Refuse a load that lost rows. More than given is the emulator's: it counts the rows of the table."""
    job = settled.job
    if job.output_rows is None or job.output_rows < rows_given:
        raise RowsLost(f"{table}: {rows_given} rows were given, {job.output_rows} were written")
    return Loaded(
        table=table,
        rows=rows_given,
        bytes_sent=bytes_sent,
        job_id=str(job.job_id),
        attached=settled.attached,
    )
