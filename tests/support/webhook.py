"""A webhook on this machine that answers as it is told."""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One answer; without a status the connection is closed, `raw` is sent as it is."""

    status: int | None = 200
    body: bytes = b"ok"
    headers: Mapping[str, str] = field(default_factory=dict)
    raw: bytes | None = None


OK = Answer()
NOTHING = Answer(status=None)


@dataclass(frozen=True, kw_only=True)
class Webhook:
    """Where it listens, and the texts that it was sent."""

    address: str
    texts: list[str]


@contextmanager
def webhook(*answers: Answer) -> Iterator[Webhook]:
    """Gives these answers, one after the other, and then the last one for ever."""
    texts: list[str] = []
    left = list(answers)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            texts.append(body["text"])
            self._answer(left.pop(0) if len(left) > 1 else left[0])

        def _answer(self, answer: Answer) -> None:
            if answer.raw is not None:
                self.wfile.write(answer.raw)
            elif answer.status is not None:
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(answer.body)

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing on the test's screen."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield Webhook(address=f"http://127.0.0.1:{server.server_port}/hook", texts=texts)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
