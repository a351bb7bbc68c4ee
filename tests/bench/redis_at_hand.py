"""A Redis server and redis-py for a benchmark to compare with, kept out of everything else.

The server is the one of this machine, else Debian's packages unpacked below .run/; redis-py has a virtual
environment of its own there. What cannot be had is `NotHere`.
"""

import shutil
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from local.stack.ports import LOOPBACK, free_port
from local.stack.service import Service
from tests.bench.at_hand import install

_HOME = Path(__file__).parents[2] / ".run" / "bench-redis"
_PACKAGES = ["redis-server", "redis-tools", "libatomic1", "libjemalloc2", "liblzf1"]
_CLIENT = "redis==8.1.0"
_READY_WITHIN = timedelta(seconds=20)


def redis_python() -> Path:
    """A Python that has redis-py."""
    python = _HOME / "venv" / "bin" / "python"
    if not python.exists():
        install([sys.executable, "-m", "venv", str(_HOME / "venv")])
    install([str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", _CLIENT])
    return python


@contextmanager
def redis_server(run_dir: Path) -> Iterator[int]:
    """Runs one that keeps nothing, for the length of the block; gives its port."""
    port = free_port()
    options = ["--bind", LOOPBACK, "--port", str(port), "--save", "", "--appendonly", "no"]
    service = Service.start("redis", [*_server(), *options], log=run_dir / "redis.log")
    try:
        service.wait_until(lambda: _accepts(port), within=_READY_WITHIN)
        yield port
    finally:
        service.stop()


def _server() -> list[str]:
    if installed := shutil.which("redis-server"):
        return [installed]
    server = _HOME / "server" / "usr" / "bin" / "redis-server"
    if not server.exists():
        _unpack(_HOME / "server")
    libraries = ":".join(str(folder) for folder in (_HOME / "server" / "usr" / "lib").iterdir())
    return ["env", f"LD_LIBRARY_PATH={libraries}", str(server)]


def _unpack(target: Path) -> None:
    downloads = _HOME / "packages"
    downloads.mkdir(parents=True, exist_ok=True)
    install(["apt-get", "download", "-qq", *_PACKAGES], cwd=downloads)
    for package in downloads.glob("*.deb"):
        install(["dpkg", "-x", str(package), str(target)])


def _accepts(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((LOOPBACK, port)) == 0
