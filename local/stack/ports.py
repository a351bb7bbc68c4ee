"""TCP ports of this machine."""

import socket
from collections.abc import Collection, Mapping

from ..problem import Problem

LOOPBACK = "127.0.0.1"


class BusyPort(Problem):
    """The port that was asked for belongs to somebody else."""

    def __init__(self, name: str, port: int) -> None:
        super().__init__(
            f"{name}: port {port} is taken. See who has it: lsof -i :{port}; end it, or choose another port."
        )


class SharedPort(Problem):
    """Two servers are to listen on one port."""

    def __init__(self, names: Collection[str], port: int) -> None:
        super().__init__(
            f"{' and '.join(names)}: port {port} can serve only one of them; choose another port."
        )


def free_port(*, besides: Collection[int] = ()) -> int:
    """A port that nobody listens on now, and none of `besides`, which are promised already.

    Nothing reserves it: start the server soon.
    """
    while True:
        with socket.socket() as probe:
            # Port 0: the kernel chooses one that nobody has.
            probe.bind((LOOPBACK, 0))
            port: int = probe.getsockname()[1]
        if port not in besides:
            return port


def require_different(ports: Mapping[str, int]) -> Mapping[str, int]:
    """Name → port, as it is; raises `SharedPort` if two names have the same."""
    for port in ports.values():
        sharing = [name for name, other in ports.items() if other == port]
        if len(sharing) > 1:
            raise SharedPort(sharing, port)
    return ports


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
