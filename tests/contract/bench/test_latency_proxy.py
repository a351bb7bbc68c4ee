"""The proxy is far away, and otherwise the server itself."""

import socket
import socketserver
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from local.stack.ports import LOOPBACK
from tests.bench.latency_proxy import latency_proxy
from tests.bench.measuring import seconds

_ROUND_TRIP = timedelta(milliseconds=40)
_LARGE = bytes(range(256)) * 4096


class Echo(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        while chunk := self.request.recv(1 << 16):
            self.request.sendall(chunk)


@pytest.fixture
def echo_host() -> Iterator[str]:
    with socketserver.ThreadingTCPServer((LOOPBACK, 0), Echo) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://{LOOPBACK}:{server.server_address[1]}"
        server.shutdown()


@pytest.fixture
def connection(echo_host: str, tmp_path: Path) -> Iterator[socket.socket]:
    with latency_proxy(echo_host, round_trip=_ROUND_TRIP, run_dir=tmp_path) as far_host:
        assert far_host.startswith(f"http://{LOOPBACK}:") and far_host != echo_host
        with socket.create_connection((LOOPBACK, int(far_host.rpartition(":")[2])), timeout=20) as connection:
            yield connection


def exchange(connection: socket.socket, sent: bytes) -> bytes:
    threading.Thread(target=connection.sendall, args=(sent,), daemon=True).start()
    received = bytearray()
    while len(received) < len(sent):
        received += connection.recv(1 << 16)
    return bytes(received)


def test_an_answer_takes_the_round_trip(connection: socket.socket) -> None:
    took = seconds(lambda: exchange(connection, b"ping"))

    assert took >= _ROUND_TRIP.total_seconds()


def test_what_is_large_arrives_whole_and_in_order_without_waiting_for_each_part(
    connection: socket.socket,
) -> None:
    answers: list[bytes] = []

    took = seconds(lambda: answers.append(exchange(connection, _LARGE)))

    assert answers == [_LARGE]
    # One mebibyte is 16 parts or more; one after the other they would take a round trip each.
    assert took < 10 * _ROUND_TRIP.total_seconds()


def test_the_end_of_a_connection_arrives_too(connection: socket.socket) -> None:
    connection.shutdown(socket.SHUT_WR)

    assert connection.recv(1) == b""
