"""Delivers to the instances of a function as Pub/Sub does: again and again, until answered with 200."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence

from local.stack.ports import LOOPBACK

_MOST_SECONDS = 60


class Deliveries:
    """One load for several instances. An instance that dies gives back what it had in hand to the others."""

    def __init__(self, requests: Sequence[bytes]) -> None:
        self._waiting = deque(requests)
        self._answered = 0
        self.delivered = 0
        """So many deliveries it took."""

    def deliver(
        self,
        ports: Sequence[int],
        *,
        connections: int,
        kill_at: int | None = None,
        kill: Callable[[], None] = lambda: None,
    ) -> None:
        """Returns when all are answered. Calls `kill` as soon as `kill_at` of them are, while others are on
        their way. `connections` are those to each instance. Raises TimeoutError after a minute.
        """
        self._kill_at, self._kill = kill_at, kill
        asyncio.run(self._deliver(ports, connections))

    async def _deliver(self, ports: Sequence[int], connections: int) -> None:
        async with asyncio.timeout(_MOST_SECONDS):
            while self._waiting:
                await asyncio.gather(*(self._connect(port) for port in ports for _ in range(connections)))

    async def _connect(self, port: int) -> None:
        """One connection, until nothing waits or it is lost."""
        try:
            reader, writer = await asyncio.open_connection(LOOPBACK, port)
        except ConnectionError:
            return
        try:
            while self._waiting and await self._post(self._waiting.popleft(), reader, writer):
                pass
        finally:
            writer.close()

    async def _post(self, request: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """False if the connection was lost."""
        self.delivered += 1
        try:
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(_content_length(head))
        except (ConnectionError, asyncio.IncompleteReadError):
            self._waiting.append(request)
            return False
        if not head.startswith(b"HTTP/1.1 200"):
            self._waiting.append(request)
            return True
        self._answered += 1
        if self._answered == self._kill_at:
            await asyncio.to_thread(self._kill)
        return True


def _content_length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.partition(b":")[2])
    return 0
