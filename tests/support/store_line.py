"""The line between a client and an emulator, which a test cuts: connections break, new ones are refused."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

LOOPBACK: Final = "127.0.0.1"
_CHUNK_BYTES: Final = 1 << 16


class StoreLine:
    """Passes bytes on to `target` (HOST:PORT, or http://HOST:PORT) until it is cut; `host` stands for it."""

    def __init__(self, target: str) -> None:
        self._prefix, _, address = target.rpartition("//")
        name, _, port = address.rpartition(":")
        self._target = name, int(port)
        self._listener = socket.create_server((LOOPBACK, 0))
        self._port = self._listener.getsockname()[1]
        self._is_cut = False
        self._open: list[socket.socket] = []
        self._lock = threading.Lock()
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def host(self) -> str:
        return f"{self._prefix}//{LOOPBACK}:{self._port}" if self._prefix else f"{LOOPBACK}:{self._port}"

    def cut(self) -> None:
        """Whatever is under way breaks off; who calls now is turned away."""
        with self._lock:
            self._is_cut = True
            broken, self._open = self._open, []
        for each in broken:
            _close(each)

    def close(self) -> None:
        self.cut()
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):  # the listener was closed
            while True:
                near, _ = self._listener.accept()
                with self._lock:
                    if self._is_cut:
                        near.close()
                        continue
                    far = socket.create_connection(self._target)
                    self._open += [near, far]
                for one, other in ((near, far), (far, near)):
                    threading.Thread(target=_carry, args=(one, other), daemon=True).start()


@contextmanager
def store_line(target: str) -> Iterator[StoreLine]:
    line = StoreLine(target)
    yield line
    line.close()


def _carry(one: socket.socket, other: socket.socket) -> None:
    with suppress(OSError):  # it was cut, or the other side has ended
        while chunk := one.recv(_CHUNK_BYTES):
            other.sendall(chunk)
    _close(other)


def _close(end: socket.socket) -> None:
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()
