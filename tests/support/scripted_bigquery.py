"""A BigQuery server whose jobs run, collide and fail as they are told to, which the emulator's never do.

Answers are scripted for `METHOD path-suffix`, in order; the last one is repeated. What was asked is kept.
"""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

JSON = Mapping[str, Any]


class ScriptedBigQuery:
    """Scripts the answers of a server and remembers its requests."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str, JSON]] = []
        self._script: list[tuple[str, list[tuple[int, JSON]]]] = []
        self._then: dict[str, Callable[[], None]] = {}
        self._lock = threading.Lock()

    def answer(self, route: str, *answers: tuple[int, JSON]) -> None:
        """`route` is the method and how the path ends or, with a `*` behind, how its last parts begin."""
        self._script.insert(0, (route, list(answers)))

    def on(self, route: str, then: Callable[[], None]) -> None:
        """Call `then` when the route is asked for, before its answer."""
        self._then[route] = then

    def count(self, route: str) -> int:
        return sum(_matches(route, method, path) for method, path, _ in self.requests)

    def bodies(self, route: str) -> list[JSON]:
        return [body for method, path, body in self.requests if _matches(route, method, path)]

    def reply(self, method: str, path: str, body: JSON) -> tuple[int, JSON]:
        with self._lock:
            self.requests.append((method, path, body))
            for route, then in self._then.items():
                if _matches(route, method, path):
                    then()
            for route, answers in self._script:
                if _matches(route, method, path):
                    return answers.pop(0) if len(answers) > 1 else answers[0]
        return 404, error(404, "notFound", f"not scripted: {method} {path}")

    @contextmanager
    def serve(self) -> Iterator[str]:
        """The server's address, while it runs."""
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            server.server_close()
            thread.join()


def error(status: int, reason: str, message: str) -> JSON:
    """An error as the API words it."""
    detail = {"reason": reason, "message": message, "domain": "global"}
    return {"error": {"code": status, "message": message, "errors": [detail]}}


def job(
    job_id: str, state: str = "DONE", *, failed: tuple[str, str] | None = None, query: str = "SELECT 1"
) -> JSON:
    """A query job; `failed` is reason and message of its end."""
    status: dict[str, Any] = {"state": state}
    if failed:
        status["errorResult"] = {"reason": failed[0], "message": failed[1]}
        status["errors"] = [status["errorResult"]]
    return {
        "kind": "bigquery#job",
        "id": f"p:US.{job_id}",
        "jobReference": {"projectId": "p", "jobId": job_id, "location": "US"},
        "configuration": {"jobType": "QUERY", "query": {"query": query, "useLegacySql": False}},
        "statistics": {"query": {"statementType": "SELECT", "totalBytesProcessed": "1000"}},
        "status": status,
    }


def results(job_id: str, *, complete: bool = True, values: tuple[int, ...] = (1,)) -> JSON:
    """What `getQueryResults` says: rows of one column `x`."""
    reference = {"projectId": "p", "jobId": job_id, "location": "US"}
    if not complete:
        return {"jobReference": reference, "jobComplete": False}
    return {
        "jobReference": reference,
        "jobComplete": True,
        "schema": {"fields": [{"name": "x", "type": "INTEGER"}]},
        "rows": [{"f": [{"v": str(value)}]} for value in values],
        "totalRows": str(len(values)),
        "totalBytesProcessed": "1000",
    }


def _matches(route: str, method: str, path: str) -> bool:
    wanted, _, suffix = route.partition(" ")
    bare = path.partition("?")[0]
    fits = f"/{suffix.rstrip('*')}" in bare if suffix.endswith("*") else bare.endswith(f"/{suffix}")
    return wanted == method and fits


def _handler(stub: ScriptedBigQuery) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length) or b"{}")
            status, answer = stub.reply(self.command, self.path, body)
            data = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_DELETE = _serve

        def log_message(self, *args: Any) -> None:
            """Quiet."""

    return Handler
