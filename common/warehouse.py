"""BigQuery, each call a `Result`: "no rows", "no such table" and "could not be asked" are three answers.

Every call states its retries and its time-outs, because the client's own (600 s, and 2,400 s in which a query
is *run again*) outlast the function. Every job has an id, so that a lost answer is found again.
"""

import io
import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import TimeoutError as WaitTimeout
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Any, Final, TypeVar, cast

from google.api_core.client_options import ClientOptions
from google.api_core.exceptions import Conflict, NotFound
from google.api_core.retry import Retry
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery
from google.cloud.bigquery.job import LoadJob, QueryJob

from .bigquery_schema import to_fields, type_of
from .query_parameters import to_parameters
from .result import ErrorInfo, ErrorType, Result
from .table_schema import Column
from .warehouse_jobs import MAY_STILL_RUN, REFUSALS, JobUnsettled, Patience, Settled, settle
from .warehouse_records import Loaded, TableInfo
from .warehouse_records import Rows as Rows

T = TypeVar("T")

FAULTS: Final = (
    *REFUSALS,
    WaitTimeout,
    JobUnsettled,
    ValueError,
    TypeError,
)
"""What a call of the client raises, and what values that have no BigQuery type raise."""


class RowsLost(ValueError):
    """A load job succeeded with fewer rows than it was given."""


EMULATOR_HOST: Final = "BIGQUERY_EMULATOR_HOST"
MAXIMUM_BYTES_BILLED: Final = 20 * 2**30
"""A query that would read more is refused by BigQuery, and costs nothing."""
MAX_QUERY_CHARS: Final = 1_000
MAX_PARAMETER_CHARS: Final = 200
_SECRET_WORDS: Final = ("secret", "token", "password", "credential", "webhook", "api_key")


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How much one call may take."""

    query_seconds: float = 60.0
    load_seconds: float = 120.0
    maximum_bytes_billed: int = MAXIMUM_BYTES_BILLED
    patience: Patience = field(default_factory=Patience)


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


class Warehouse:
    """The tables of one project; safe to share between threads. Tables are named `dataset.table`."""

    def __init__(self, client: bigquery.Client, limits: Limits | None = None) -> None:
        self._client = client
        self._limits = limits or Limits()
        self._patience = self._limits.patience
        self._call: dict[str, Any] = {
            "retry": self._patience.retry,
            "timeout": self._patience.request_seconds,
        }

    def query(
        self, sql: str, parameters: Mapping[str, Any] | None = None, *, timeout_seconds: float | None = None
    ) -> Result[Rows]:
        """Run a SELECT: one request if it ends within it. No rows is a success with an empty list."""
        details = _describe(sql, parameters)
        return self._try(partial(self._query, sql, parameters, timeout_seconds), details)

    def execute(
        self,
        sql: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        job_key: str | None = None,
        timeout_seconds: float | None = None,
    ) -> Result[Rows]:
        """Run a statement or a script.

        With a `job_key` a second call with the same text attaches to the first one's job instead of running
        again. After a failure with MAY_STILL_RUN in its details the job may yet take effect; after any other
        it is over.
        (The emulator runs a repeated id again, and takes no parameters in scripts.)
        """
        details = _describe(sql, parameters)
        return self._try(partial(self._execute, sql, parameters, job_key, timeout_seconds), details)

    def load(
        self, table: str, rows: Sequence[Mapping[str, Any]], columns: Sequence[Column], *, job_key: str
    ) -> Result[Loaded]:
        """Append rows, whose values are JSON's, to an existing table; no row or field is ignored.

        A success has loaded all of them. The same `job_key` again loads nothing on BigQuery (the emulator
        loads again). An empty list is a success without a job.
        """
        if not rows:
            return Result.success(Loaded(table=table, rows=0, bytes_sent=0, job_id="", attached=False))
        details = {"table": table, "rows": len(rows), "job_key": job_key}
        return self._try(partial(self._load, table, rows, columns, job_key), details)

    def row_count(self, table: str) -> Result[int]:
        """Rows in the table, from its metadata: free of charge and without a partition filter.

        A table that does not exist is a PERMANENT failure, not 0. Rows that are still streaming do not count.
        """
        return self._try(lambda: int(self._get_table(table).num_rows), {"table": table})

    def rows_if_exists(self, table: str) -> Result[int | None]:
        """As `row_count`, but a table that does not exist is an answer: None."""
        return self._try(partial(self._rows_if_exists, table), {"table": table})

    def table_exists(self, table: str) -> Result[bool]:
        """Whether the table exists; a dataset that does not exist is a failure."""
        return self._try(partial(self._table_exists, table), {"table": table})

    def columns(self, table: str) -> Result[Mapping[str, str] | None]:
        """Name → type of the table's columns, `ARRAY<…>` where repeated; None if there is no such table."""
        return self._try(partial(self._columns, table), {"table": table})

    def create_table(
        self, table: str, columns: Sequence[Column], *, expires: datetime | None = None
    ) -> Result[bool]:
        """Create the table; False if there was one already, which is left as it is."""
        return self._try(partial(self._create_table, table, columns, expires), {"table": table})

    def delete_table(self, table: str) -> Result[bool]:
        """Drop the table; False if there was none."""
        return self._try(partial(self._delete_table, table), {"table": table})

    def list_tables(self, dataset: str, prefix: str) -> Result[list[TableInfo]]:
        """The tables whose names start with `prefix`, case and all."""
        return self._try(partial(self._list_tables, dataset, prefix), {"dataset": dataset, "prefix": prefix})

    def _try(self, call: Callable[[], T], details: Mapping[str, Any]) -> Result[T]:
        try:
            return Result.success(call())
        except JobUnsettled as exc:
            return Result.failure(_unsettled(exc, details))
        except FAULTS as exc:
            return Result.failure(ErrorInfo.from_exception(exc, **details))

    def _query(self, sql: str, parameters: Mapping[str, Any] | None, timeout_seconds: float | None) -> Rows:
        """Without a job id of our own: a SELECT that is run again harms nobody."""
        found = self._client.query_and_wait(
            sql,
            job_config=self._config(parameters),
            api_timeout=self._patience.request_seconds,
            wait_timeout=self._seconds(timeout_seconds),
            retry=self._patience.retry,
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

    def _config(self, parameters: Mapping[str, Any] | None) -> bigquery.QueryJobConfig:
        return bigquery.QueryJobConfig(
            query_parameters=to_parameters(parameters or {}),
            maximum_bytes_billed=self._limits.maximum_bytes_billed,
        )

    def _seconds(self, timeout_seconds: float | None) -> float:
        return self._limits.query_seconds if timeout_seconds is None else timeout_seconds

    def _execute(
        self,
        sql: str,
        parameters: Mapping[str, Any] | None,
        job_key: str | None,
        timeout_seconds: float | None,
    ) -> Rows:
        config = self._config(parameters)

        def start(job_id: str) -> QueryJob:
            return self._client.query(sql, config, job_id=job_id, job_retry=None, **self._call)

        def is_same(job: QueryJob) -> bool:
            return bool(job.query == sql)

        settled = settle(
            self._client,
            start,
            job_key=job_key,
            is_same=is_same,
            timeout_seconds=self._seconds(timeout_seconds),
            patience=self._patience,
        )
        return self._rows(settled.job)

    def _rows(self, job: QueryJob) -> Rows:
        found = job.result(job_retry=None, **self._call)
        return Rows(
            rows=[dict(row) for row in found],
            job_id=str(job.job_id),
            bytes_processed=int(job.total_bytes_processed or 0),
            affected_rows=job.num_dml_affected_rows,
        )

    def _load(
        self, table: str, rows: Sequence[Mapping[str, Any]], columns: Sequence[Column], job_key: str
    ) -> Loaded:
        body = "".join(json.dumps(row, allow_nan=False) + "\n" for row in rows).encode()
        config = bigquery.LoadJobConfig(
            source_format=bigquery.SourceFormat.NEWLINE_DELIMITED_JSON,
            schema=to_fields(columns),
            write_disposition=bigquery.WriteDisposition.WRITE_APPEND,
            create_disposition=bigquery.CreateDisposition.CREATE_NEVER,
            ignore_unknown_values=False,
            max_bad_records=0,
        )

        def start(job_id: str) -> LoadJob:
            # The upload repeats only a request that was not taken: under the id a second one is refused.
            return self._client.load_table_from_file(
                io.BytesIO(body),
                table,
                job_id=job_id,
                job_config=config,
                num_retries=self._patience.upload_repeats,
                timeout=self._patience.request_seconds,
            )

        settled = settle(
            self._client,
            start,
            job_key=job_key,
            is_same=lambda _: True,
            timeout_seconds=self._limits.load_seconds,
            patience=self._patience,
        )
        return _loaded(table, len(rows), len(body), settled)

    def _get_table(self, table: str) -> bigquery.Table:
        return self._client.get_table(table, **self._call)

    def _rows_if_exists(self, table: str) -> int | None:
        try:
            return int(self._get_table(table).num_rows)
        except NotFound:
            return None

    def _table_exists(self, table: str) -> bool:
        try:
            self._get_table(table)
        except NotFound:
            self._client.get_dataset(table.rpartition(".")[0], **self._call)
            return False
        return True

    def _columns(self, table: str) -> Mapping[str, str] | None:
        try:
            found = self._get_table(table)
        except NotFound:
            return None
        return {field.name: type_of(field) for field in found.schema}

    def _create_table(self, table: str, columns: Sequence[Column], expires: datetime | None) -> bool:
        wanted = bigquery.Table(f"{self._client.project}.{table}", schema=to_fields(columns))
        wanted.expires = expires
        try:
            self._client.create_table(wanted, **self._call)
        except Conflict:
            return False
        return True

    def _delete_table(self, table: str) -> bool:
        try:
            self._client.delete_table(table, **self._call)
        except NotFound:
            return False
        return True

    def _list_tables(self, dataset: str, prefix: str) -> list[TableInfo]:
        listed = self._client.list_tables(dataset, **self._call)
        return [
            TableInfo(name=item.table_id, created=item.created)
            for item in listed
            if item.table_id.startswith(prefix)
        ]


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


def _unsettled(exc: JobUnsettled, details: Mapping[str, Any]) -> ErrorInfo:
    """Described as what kept us from asking, where something did."""
    cause = exc.__cause__
    is_fault = cause is not None and not isinstance(cause, WaitTimeout)
    told = ErrorInfo.from_exception(cause if is_fault and cause else exc, **details)
    return replace(
        told,
        type=ErrorType.TRANSIENT,
        message=f"{exc}: {cause}" if is_fault else str(exc),
        details={**details, MAY_STILL_RUN: True},
    )


def _describe(sql: str, parameters: Mapping[str, Any] | None) -> dict[str, Any]:
    """Query and parameters for an error's details: cut, and without what looks like a secret."""
    shown = {name: _shown(name, value) for name, value in (parameters or {}).items()}
    return {"query": _cut(sql, MAX_QUERY_CHARS), "parameters": shown}


def _shown(name: str, value: Any) -> str:
    is_secret = any(word in name.lower() for word in _SECRET_WORDS)
    return "(not shown)" if is_secret else _cut(repr(value), MAX_PARAMETER_CHARS)


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[:limit] + "…"
