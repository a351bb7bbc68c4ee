"""A network between a client and an emulator: everything arrives half a round trip later, in order.

    python -m tests.bench.latency_proxy PORT TARGET_PORT ROUND_TRIP_SECONDS

Bytes are delayed, not held up: as much can be under way as on a real line. A process of its own, so that it
does not compete with the client for the interpreter. Opening a connection costs no round trip.
"""

import asyncio
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from local.stack.ports import LOOPBACK, free_port
from local.stack.service import Service

_CHUNK_BYTES = 1 << 16
_READY_WITHIN = timedelta(seconds=20)


@contextmanager
def latency_proxy(host: str, *, round_trip: timedelta, run_dir: Path) -> Iterator[str]:
    """Gives the address that stands for `host` (HOST:PORT, or http://HOST:PORT) while the block runs."""
    prefix, _, target_port = host.rpartition(":")
    port = free_port()
    command = [sys.executable, "-m", __name__, str(port), target_port, str(round_trip.total_seconds())]
    service = Service.start("latency proxy", command, log=run_dir / f"latency-proxy-{port}.log")
    try:
        service.wait_until(lambda: accepts(port), within=_READY_WITHIN)
        yield f"{prefix}:{port}"
    finally:
        service.stop()


def accepts(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((LOOPBACK, port)) == 0


async def _serve(port: int, target_port: int, delay_seconds: float) -> None:
    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(LOOPBACK, target_port)
        await asyncio.gather(
            _carry(reader, far_writer, delay_seconds), _carry(far_reader, writer, delay_seconds)
        )

    server = await asyncio.start_server(connected, LOOPBACK, port)
    await server.serve_forever()


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay_seconds: float) -> None:
    """One direction, until its end, which is delayed as well."""
    under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
    arrivals = asyncio.create_task(_deliver(under_way, writer))
    loop = asyncio.get_running_loop()
    while chunk := await _read(reader):
        under_way.put_nowait((loop.time() + delay_seconds, chunk))
    under_way.put_nowait((loop.time() + delay_seconds, b""))
    await arrivals


async def _read(reader: asyncio.StreamReader) -> bytes:
    """Empty at the end, however the connection ended."""
    try:
        return await reader.read(_CHUNK_BYTES)
    except ConnectionError:
        return b""


async def _deliver(under_way: asyncio.Queue[tuple[float, bytes]], writer: asyncio.StreamWriter) -> None:
    loop = asyncio.get_running_loop()
    while True:
        due, chunk = await under_way.get()
        await asyncio.sleep(max(0.0, due - loop.time()))
        if not chunk:
            writer.close()
            return
        writer.write(chunk)


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]) / 2))
