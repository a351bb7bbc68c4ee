"""BigQuery over HTTP as far as a failing one goes: the API's own error bodies, failed jobs, broken answers.

The client under test talks to it over a real connection, so that its own retries take part.
"""

import json
import socket
import struct
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, Self

from google.api_core.client_options import ClientOptions
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery

PROJECT = "stub-project"
_API = f"/bigquery/v2/projects/{PROJECT}"
_UPLOAD = f"/upload{_API}"
_SESSION = "upload_session"
CREATION_TIME = "1768690800000"
"""Of every table, in milliseconds."""


@dataclass(frozen=True, kw_only=True)
class ApiError:
    """An error in the form that the API gives it."""

    code: int
    reason: str
    message: str
    status: str

    @property
    def body(self) -> dict[str, Any]:
        inner = {"message": self.message, "domain": "global", "reason": self.reason}
        error = {"code": self.code, "message": self.message, "errors": [inner], "status": self.status}
        return {"error": error}

    @property
    def of_job(self) -> dict[str, str]:
        return {"reason": self.reason, "message": self.message}


ACCESS_DENIED = ApiError(
    code=403,
    reason="accessDenied",
    message="Access Denied: Table stub-project:nba_raw.games: Permission bigquery.tables.getData denied on "
    "table stub-project:nba_raw.games (or it may not exist).",
    status="PERMISSION_DENIED",
)
BILLING_NOT_ENABLED = ApiError(
    code=403,
    reason="billingNotEnabled",
    message="Billing has not been enabled for this project. Enable billing at "
    "https://console.cloud.google.com/billing. DML queries are not allowed in the free tier.",
    status="PERMISSION_DENIED",
)
RATE_LIMIT_EXCEEDED = ApiError(
    code=403,
    reason="rateLimitExceeded",
    message="Exceeded rate limits: too many api requests per user per method for this user_method. For more "
    "information, see https://cloud.google.com/bigquery/docs/troubleshoot-quotas",
    status="PERMISSION_DENIED",
)
QUOTA_EXCEEDED = ApiError(
    code=403,
    reason="quotaExceeded",
    message="Quota exceeded: Your table exceeded quota for imports or query appends per table. For more "
    "information, see https://cloud.google.com/bigquery/docs/troubleshoot-quotas",
    status="PERMISSION_DENIED",
)
INVALID_QUERY = ApiError(
    code=400,
    reason="invalidQuery",
    message='Syntax error: Expected end of input but got identifier "SELEC" at [1:1]',
    status="INVALID_ARGUMENT",
)
CONTENTION = ApiError(
    code=400,
    reason="invalidQuery",
    message="Could not serialize access to table stub-project:nba_raw.games due to concurrent update",
    status="INVALID_ARGUMENT",
)
ABORTED_TRANSACTION = ApiError(
    code=400,
    reason="invalidQuery",
    message="Transaction is aborted due to concurrent update against table stub-project:nba_raw.games. "
    "Transaction ID: 6f1b3a",
    status="INVALID_ARGUMENT",
)
INVALID_ROWS = ApiError(
    code=400,
    reason="invalid",
    message="Error while reading data, error message: JSON table encountered too many errors, giving up. "
    "Rows: 1; errors: 1. JSON parsing error in row starting at position 0: No such field: gameid.",
    status="INVALID_ARGUMENT",
)
NOT_FOUND = ApiError(
    code=404,
    reason="notFound",
    message="Not found: Table stub-project:nba_raw.games was not found in location US",
    status="NOT_FOUND",
)
INTERNAL_ERROR = ApiError(
    code=500,
    reason="internalError",
    message="An internal error occurred and the request could not be completed. This is usually caused by a "
    "transient issue.",
    status="INTERNAL",
)
BACKEND_ERROR = ApiError(
    code=503,
    reason="backendError",
    message="Error encountered during execution. Retrying may solve the problem.",
    status="UNAVAILABLE",
)


class BigQueryStub:
    """Answers queries with no rows, loads and new tables with success, until it is told something else."""

    def __init__(self) -> None:
        self.host = ""
        """http://HOST:PORT, while it serves."""
        self.requests: list[str] = []
        """Method and path of each, in order."""
        self.refusal: ApiError | None = None
        """Every request is answered with it."""
        self.failure: ApiError | None = None
        """Every job is accepted, and fails with it."""
        self.answers_to_cut = 0
        """So many answers break off in their middle, with a connection reset."""
        self.affected_rows = 0
        self.rows_not_written = 0
        """So many rows of each load go missing, and the job succeeds all the same."""
        self.tables: dict[str, int] = {}
        """Rows by `dataset.table`; whatever is not in here is not found."""
        self.datasets: set[str] = set()
        self.jobs: dict[str, dict[str, Any]] = {}
        self.uploads: dict[str, dict[str, Any]] = {}
        """Begun, and waiting for their rows."""

    @contextmanager
    def serving(self) -> Iterator[Self]:
        """Serve on a free port."""
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.host = f"http://127.0.0.1:{server.server_port}"
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield self
        finally:
            server.shutdown()
            thread.join()
            server.server_close()

    def answer(self, method: str, path: str, body: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
        """Status and JSON body of the answer to a request that is not refused."""
        parts = path.removeprefix(_API).strip("/").split("/")
        match method, parts:
            case "POST", ["jobs"]:
                return 200, self.start(body)
            case "POST", ["queries"]:
                return self._query()
            case "GET", ["jobs", job_id]:
                return 200, self.jobs[job_id]
            case "GET", ["queries", job_id]:
                return self._results(job_id)
            case "POST", ["datasets", dataset, "tables"]:
                self.tables[f"{dataset}.{body['tableReference']['tableId']}"] = 0
                return 200, {**body, "creationTime": CREATION_TIME}
            case "GET", ["datasets", dataset] if dataset in self.datasets:
                return 200, {"datasetReference": {"projectId": PROJECT, "datasetId": dataset}}
            case "GET", ["datasets", dataset, "tables", table] if f"{dataset}.{table}" in self.tables:
                return 200, self._table(dataset, table)
        return NOT_FOUND.code, NOT_FOUND.body

    def start(self, body: Mapping[str, Any], rows_given: int = 0) -> dict[str, Any]:
        """The job, which has ended before anybody asks."""
        reference = {"location": "US", **body["jobReference"]}
        status: dict[str, Any] = {"state": "DONE"}
        if self.failure is not None:
            status |= {"errorResult": self.failure.of_job, "errors": [self.failure.of_job]}
        job = {
            "kind": "bigquery#job",
            "id": f"{PROJECT}:US.{reference['jobId']}",
            "jobReference": reference,
            "configuration": body["configuration"],
            "status": status,
            "statistics": {
                "query": {"statementType": "SELECT", "numDmlAffectedRows": str(self.affected_rows)},
                "load": {"outputRows": str(max(0, rows_given - self.rows_not_written))},
            },
        }
        self.jobs[reference["jobId"]] = job
        return job

    def _query(self) -> tuple[int, dict[str, Any]]:
        """A query that asks for its rows at once. What it fails with is the answer to it."""
        job_id = f"query-{len(self.requests)}"
        self.jobs[job_id] = {"jobReference": {"projectId": PROJECT, "jobId": job_id, "location": "US"}}
        return self._results(job_id)

    def _results(self, job_id: str) -> tuple[int, dict[str, Any]]:
        if self.failure is not None:
            return self.failure.code, self.failure.body
        return 200, {
            "jobReference": self.jobs[job_id]["jobReference"],
            "jobComplete": True,
            "schema": {"fields": [{"name": "game_date", "type": "DATE", "mode": "NULLABLE"}]},
            "totalRows": "0",
            "numDmlAffectedRows": str(self.affected_rows),
        }

    def _table(self, dataset: str, table: str) -> dict[str, Any]:
        return {
            "tableReference": {"projectId": PROJECT, "datasetId": dataset, "tableId": table},
            "numRows": str(self.tables[f"{dataset}.{table}"]),
            "creationTime": CREATION_TIME,
        }


def client(host: str) -> bigquery.Client:
    """A client of whatever listens at `host` (http://HOST:PORT), or of nothing."""
    return bigquery.Client(
        project=PROJECT,
        credentials=AnonymousCredentials(),
        client_options=ClientOptions(api_endpoint=host),
    )


def _handler(stub: BigQueryStub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            self._handle(b"")

        def do_POST(self) -> None:
            self._handle(self.rfile.read(int(self.headers.get("Content-Length", 0))))

        do_PUT = do_POST

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing on the test's screen."""

        def _handle(self, body: bytes) -> None:
            path, _, query = self.path.partition("?")
            stub.requests.append(f"{self.command} {path}")
            if stub.answers_to_cut > 0:
                stub.answers_to_cut -= 1
                self._break_off()
            elif stub.refusal is not None:
                self._answer(stub.refusal.code, stub.refusal.body)
            elif path.startswith(_UPLOAD):
                self._upload(query, body)
            else:
                self._answer(*stub.answer(self.command, path, json.loads(body or b"{}")))

        def _upload(self, query: str, body: bytes) -> None:
            """The two steps of a resumable upload: what is to be loaded, then the rows."""
            if self.command == "POST":
                key = str(len(stub.requests))
                stub.uploads[key] = json.loads(body)
                self._answer(200, {}, Location=f"{stub.host}{_UPLOAD}/jobs?{_SESSION}={key}")
            else:
                begun = stub.uploads.pop(query.partition(f"{_SESSION}=")[2])
                self._answer(200, stub.start(begun, rows_given=body.count(b"\n")))

        def _answer(self, status: int, body: Mapping[str, Any], **headers: str) -> None:
            content = json.dumps(body).encode()
            self.send_response(status)
            all_headers = {"Content-Type": "application/json", "Content-Length": str(len(content))}
            for name, value in (all_headers | headers).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def _break_off(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b'{"kind": "bigquery#')
            self.wfile.flush()
            # Closed with unsent data thrown away, a socket resets the connection.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True

    return Handler
