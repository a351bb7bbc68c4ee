"""How to write a benchmark: a generator in a module `tests/bench/bench_*.py`; the command finds it there.

    @benchmark("lock", emulators=[FIRESTORE])
    def lock_against_bare_writes(bench: Bench) -> Iterator[Measurement]:
        "Uncontended acquire and release, against two bare writes."
        client = firestore.Client(project=bench.new_project())
        medians = interleaved_medians(
            5, lock=lambda: seconds(acquire_and_release), writes=lambda: seconds(two_writes)
        )
        yield Measurement(
            name="lock.uncontended",
            value=medians["lock"] / medians["writes"],
            unit="ratio",
            target=at_most(1.6),
            details={"lock_ms": 1000 * medians["lock"], "writes_ms": 1000 * medians["writes"]},
        )

The emulators run for as long as the command does, and the environment names them: build clients as a function
would, and in processes that you start too. `bench.slowed(host, …)` puts a network in between.
`raise NotHere("why")` where something is missing that nobody is obliged to have.
"""

import importlib
import uuid
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from local.stack.emulators import Emulators, Kind
from tests.bench.latency_proxy import latency_proxy
from tests.bench.measuring import Measurement


class NotHere(Exception):
    """What the benchmark needs is not on this machine: told, and no failure."""


@dataclass(frozen=True, kw_only=True)
class Bench:
    """What a benchmark is handed. `run_dir` is its to write into."""

    emulators: Emulators
    run_dir: Path

    def new_project(self) -> str:
        """A project id in which every emulator is empty."""
        return f"bench-{uuid.uuid4().hex[:12]}"

    def slowed(self, host: str, *, round_trip: timedelta) -> AbstractContextManager[str]:
        """Stands for `host`, the value of an emulator's variable, with a longer way there and back."""
        return latency_proxy(host, round_trip=round_trip, run_dir=self.run_dir)


Body = Callable[[Bench], Iterator[Measurement]]


@dataclass(frozen=True, kw_only=True)
class Benchmark:
    """A registered benchmark. The first line of its docstring stands above its table."""

    name: str
    emulators: Collection[Kind]
    body: Body

    @property
    def title(self) -> str:
        return (self.body.__doc__ or "").strip().partition("\n")[0]


_registered: dict[str, Benchmark] = {}


def benchmark(name: str, *, emulators: Collection[Kind] = ()) -> Callable[[Body], Body]:
    """Registers a benchmark; `emulators` are those that it talks to."""

    def register(body: Body) -> Body:
        if name in _registered:
            raise ValueError(f"two benchmarks are called {name}")
        _registered[name] = Benchmark(name=name, emulators=emulators, body=body)
        return body

    return register


def all_benchmarks() -> list[Benchmark]:
    """Those of every module `bench_*.py` beside this one, by name."""
    for module in sorted(Path(__file__).parent.glob("bench_*.py")):
        importlib.import_module(f"tests.bench.{module.stem}")
    return sorted(_registered.values(), key=lambda benchmark: benchmark.name)
