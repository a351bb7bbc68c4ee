"""Every request is answered, whatever happens to those who answer."""

import socketserver
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from local.stack.ports import LOOPBACK
from tests.bench.redelivering import Deliveries

REQUESTS = [f"POST / HTTP/1.1\r\nx-number: {number:03}\r\n\r\n".encode() for number in range(200)]


class Instance(socketserver.ThreadingTCPServer):
    """Counts what it answers with 200; refuses each request so many times first; dead, it only hangs up."""

    daemon_threads = True

    def __init__(self, refusals: int = 0) -> None:
        super().__init__((LOOPBACK, 0), _Connection)
        self.port: int = self.server_address[1]
        self.accepted: Counter[bytes] = Counter()
        self.refused: Counter[bytes] = Counter()
        self.refusals = refusals
        self.is_dead = False


class _Connection(socketserver.StreamRequestHandler):
    server: Instance

    def handle(self) -> None:
        while self.rfile.readline():
            number = self.rfile.readline()
            self.rfile.readline()
            if self.server.is_dead:
                return
            self.wfile.write(b"HTTP/1.1 %d \r\ncontent-length: 2\r\n\r\nok" % self._judge(number))

    def _judge(self, number: bytes) -> int:
        if self.server.refused[number] < self.server.refusals:
            self.server.refused[number] += 1
            return 503
        self.server.accepted[number] += 1
        return 200


@contextmanager
def running(instance: Instance) -> Iterator[Instance]:
    with instance:
        threading.Thread(target=instance.serve_forever, daemon=True).start()
        yield instance
        instance.shutdown()


@pytest.fixture
def instances() -> Iterator[list[Instance]]:
    with ExitStack() as stack:
        yield [stack.enter_context(running(Instance())) for _ in range(2)]


def test_each_request_is_answered_once_by_one_of_the_instances(instances: list[Instance]) -> None:
    load = Deliveries(REQUESTS)

    load.deliver([instance.port for instance in instances], connections=4)

    answered = instances[0].accepted + instances[1].accepted
    assert len(answered) == answered.total() == load.delivered == len(REQUESTS)


def test_what_an_instance_held_when_it_died_is_answered_by_the_other(instances: list[Instance]) -> None:
    victim, survivor = instances
    load = Deliveries(REQUESTS)
    accepted_until_then: list[int] = []

    def kill() -> None:
        victim.is_dead = True
        accepted_until_then.append(survivor.accepted.total() + victim.accepted.total())

    load.deliver([victim.port, survivor.port], connections=4, kill_at=50, kill=kill)

    assert set(victim.accepted + survivor.accepted) == {
        request.split(b"\r\n")[1] + b"\r\n" for request in REQUESTS
    }
    assert 50 <= accepted_until_then[0] < len(REQUESTS)
    assert load.delivered > len(REQUESTS)


def test_what_is_refused_is_delivered_again() -> None:
    load = Deliveries(REQUESTS)

    with running(Instance(refusals=1)) as instance:
        load.deliver([instance.port], connections=4)

    assert instance.accepted.total() == len(REQUESTS)
    assert load.delivered == 2 * len(REQUESTS)
