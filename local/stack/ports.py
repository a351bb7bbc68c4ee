"""TCP ports of this machine."""

import socket

from ..problem import Problem

LOOPBACK = "127.0.0.1"


class BusyPort(Problem):
    """The port that was asked for belongs to somebody else."""

    def __init__(self, name: str, port: int) -> None:
        super().__init__(
            f"{name}: port {port} is taken. See who has it: lsof -i :{port}; end it, or choose another port."
        )


def free_port() -> int:
    """A port that nobody listens on now. Nothing reserves it: start the server soon."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


def require_free(name: str, port: int) -> int:
    """The port itself; raises `BusyPort` if somebody listens on it."""
    with socket.socket() as probe:
        # As servers do: the last connections of an earlier server do not keep its port taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as error:
            raise BusyPort(name, port) from error
    return port
