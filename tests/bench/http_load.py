"""Posts to a server from many connections, each of which waits for its answer before it posts again."""

import asyncio
import base64
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from local.stack.ports import LOOPBACK


def push(data: Mapping[str, Any], *, event_id: str, topic: str) -> bytes:
    """What a push subscription posts, as an HTTP request: what is deployed. Its path names the topic."""
    return _request(f"/projects/bench/topics/{topic}", {}, data, event_id)


def cloud_event(data: Mapping[str, Any], *, event_id: str, topic: str) -> bytes:
    """A binary CloudEvent as Eventarc posts it, as an HTTP request."""
    headers = {
        "ce-specversion": "1.0",
        "ce-type": "google.cloud.pubsub.topic.v1.messagePublished",
        "ce-source": f"//pubsub.googleapis.com/projects/bench/topics/{topic}",
        "ce-id": event_id,
    }
    return _request("/", headers, data, event_id)


def _request(path: str, headers: Mapping[str, str], data: Mapping[str, Any], event_id: str) -> bytes:
    encoded = base64.b64encode(json.dumps(data).encode()).decode()
    message = {"data": encoded, "messageId": event_id, "attributes": {}}
    body = json.dumps({"message": message, "subscription": "projects/bench/subscriptions/s"}).encode()
    head = {
        "host": "function",
        "content-type": "application/json",
        **headers,
        "content-length": str(len(body)),
    }
    lines = [f"POST {path} HTTP/1.1", *(f"{name}: {value}" for name, value in head.items()), "", ""]
    return "\r\n".join(lines).encode() + body


class _Connection(asyncio.Protocol):
    """Posts what is left of the requests; a protocol, for streams would cost as much as the server."""

    def __init__(self, requests: Iterator[bytes], done: "asyncio.Future[None]") -> None:
        self._requests = requests
        self._done = done
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, separator, body = self._received.partition(b"\r\n\r\n")
        if not separator or len(body) < _content_length(head):
            return
        if not head.startswith(b"HTTP/1.1 200"):
            self._fail(f"answered {self._received[:300]!r}")
            return
        self._received = b""
        self.post()

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(f"connection lost: {exc}")

    def post(self) -> None:
        """Post the next request; each answer posts another, until none is left."""
        request = next(self._requests, None)
        if request is not None:
            self._transport.write(request)
        elif not self._done.done():
            self._done.set_result(None)
            self._transport.close()

    def _fail(self, why: str) -> None:
        if not self._done.done():
            self._done.set_exception(RuntimeError(why))


def post_all(port: int, requests: Sequence[bytes], *, connections: int) -> float:
    """Returns how many seconds it took until every request was answered with 200, from when all connections
    were there: while they are opened one after the other, the first would have the server for itself.

    Raises RuntimeError for any other answer.
    """
    return asyncio.run(_post_all(port, requests, connections))


async def _post_all(port: int, requests: Sequence[bytes], connections: int) -> float:
    loop = asyncio.get_running_loop()
    left = iter(requests)
    ends = [loop.create_future() for _ in range(connections)]
    opened = [
        await loop.create_connection(lambda end=end: _Connection(left, end), LOOPBACK, port)  # type: ignore[misc]
        for end in ends
    ]
    start = time.perf_counter()
    for _, connection in opened:
        connection.post()
    await asyncio.gather(*ends)
    return time.perf_counter() - start


def _content_length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.partition(b":")[2])
    return 0
