"""Drives a fan-in: so many completions, from so many callers, each of whom waits for its answer.

A caller is a task where the recorder is asynchronous and a thread where it is not, as in production.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from statistics import quantiles


@dataclass(kw_only=True)
class Ride:
    """One run: how long it took, and how long each caller waited, in seconds."""

    seconds: float = 0.0
    waits: list[float] = field(default_factory=list)
    believed_complete: int = 0

    @property
    def p99(self) -> float:
        return quantiles(self.waits, n=100)[98]


async def ride_tasks(
    record: Callable[[str], Awaitable[bool]], players: Sequence[str], *, callers: int
) -> Ride:
    ride, waiting = Ride(), iter(players)

    async def caller() -> None:
        for player in waiting:
            start = time.perf_counter()
            ride.believed_complete += await record(player)
            ride.waits.append(time.perf_counter() - start)

    start = time.perf_counter()
    await asyncio.gather(*(caller() for _ in range(callers)))
    ride.seconds = time.perf_counter() - start
    return ride


def ride_threads(record: Callable[[str], bool], players: Sequence[str], *, callers: int) -> Ride:
    ride = Ride()

    def one(player: str) -> None:
        start = time.perf_counter()
        believes = record(player)
        ride.waits.append(time.perf_counter() - start)
        ride.believed_complete += believes

    start = time.perf_counter()
    with ThreadPoolExecutor(callers) as pool:
        list(pool.map(one, players))
    ride.seconds = time.perf_counter() - start
    return ride
