"""A year's load on one instance: does a completion cost at the end what it cost at the beginning?"""

import asyncio
import itertools
import logging
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from statistics import median
from typing import Final

import structlog
from google.cloud import firestore

from common.batches.batches import Batches
from common.batches.records import batch_path
from common.batches.trigger_outbox import TriggerOutbox
from common.documents.async_store import AsyncFirestoreDocuments
from common.documents.memory_store import AsyncMemoryDocuments, MemoryDocuments
from common.documents.port import AsyncDocuments
from common.documents.store import FirestoreDocuments
from common.messages import PlayerCompletion
from common.recorder.recorder import Recorder
from local.stack.emulators import FIRESTORE
from tests.bench.fan_in import ride_tasks
from tests.bench.frame import Bench, benchmark
from tests.bench.measuring import Measurement, at_most
from tests.support.batch_helpers import Published

PLAYERS: Final = 1_000
CALLERS: Final = 32
AT_ONCE: Final = 4
"""Batches that are recorded at the same time."""
GAME_DATE = date(2026, 1, 17)
DEADLINE = datetime(2026, 1, 18, 12, tzinfo=UTC)
PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, kw_only=True)
class Wave:
    """A few batches from their first completion to their last."""

    seconds: float
    """Of this process's CPU where it does all the work, else of the clock."""
    resident_bytes: int


class Instance:
    """One recorder, over one store, that stays up for all of it."""

    def __init__(
        self,
        documents: AsyncDocuments,
        batches: Batches,
        *,
        clock: Callable[[], float],
        forget: Callable[[str], object] = lambda batch_id: None,
    ) -> None:
        self._recorder = Recorder(documents, batches)
        self._batches = batches
        self._outbox = TriggerOutbox(batches.store, Published)
        self._clock = clock
        self._forget = forget
        self._numbers = itertools.count()
        self.closings: Counter[str] = Counter()
        """How often each batch was said to be complete."""

    async def play(self, batches: int) -> list[Wave]:
        return [await self._wave() for _ in range(0, batches, AT_ONCE)]

    async def _wave(self) -> Wave:
        batch_ids = [f"batch{next(self._numbers):05}" for _ in range(AT_ONCE)]
        for batch_id in batch_ids:
            self._batches.open(batch_id, GAME_DATE, _players(), deadline=DEADLINE).unwrap()
        # One player of each batch in turn: all of them are in use until the end.
        deliveries = [f"{batch_id}/{player}" for player in _players() for batch_id in batch_ids]
        start = self._clock()
        await ride_tasks(self._record, deliveries, callers=CALLERS)
        seconds = self._clock() - start
        for batch_id in batch_ids:
            self._forget(batch_path(batch_id))
        return Wave(seconds=seconds, resident_bytes=_resident_bytes())

    async def _record(self, delivery: str) -> bool:
        batch_id, _, player = delivery.partition("/")
        message = PlayerCompletion(
            batch_id=batch_id, player_lookup=player, game_date=GAME_DATE, predictions_generated=5
        )
        answer = (await self._recorder.record(message, event_id=delivery)).unwrap()
        self.closings[batch_id] += answer.completes_batch
        if answer.owed_trigger is not None:
            await asyncio.to_thread(self._outbox.send, answer.owed_trigger)
        return answer.completes_batch


@benchmark("scale-memory")
def a_million_completions(bench: Bench) -> Iterator[Measurement]:
    """1,000,000 completions of 1,000 batches through one recorder, over the store in memory."""
    documents = MemoryDocuments(lambda: datetime.now(UTC))
    instance = Instance(
        AsyncMemoryDocuments(documents),
        Batches(documents),
        clock=time.process_time,
        forget=documents.forget,
    )
    yield from _judged("memory", instance, batches=1_000, warm_up=8)


@benchmark("scale-emulator", emulators=[FIRESTORE])
def many_completions(bench: Bench) -> Iterator[Measurement]:
    """52,000 completions of 52 batches through one recorder, on the emulator."""
    project = bench.new_project()
    instance = Instance(
        AsyncFirestoreDocuments(firestore.AsyncClient(project=project)),
        Batches(FirestoreDocuments(firestore.Client(project=project))),
        clock=time.perf_counter,
    )
    yield from _judged("emulator", instance, batches=52, warm_up=12)


def _judged(name: str, instance: Instance, *, batches: int, warm_up: int) -> Iterator[Measurement]:
    with _without_a_line_per_batch():
        waves = asyncio.run(instance.play(warm_up + batches))[warm_up // AT_ONCE :]
    tenth = max(1, len(waves) // 10)
    first, last = waves[:tenth], waves[-tenth:]
    each_us = {
        f"{when}_tenth_us_per_completion": round(1e6 * _seconds(those) / (AT_ONCE * PLAYERS))
        for when, those in (("first", first), ("last", last))
    }
    yield Measurement(
        name=f"scale.{name}.cost",
        value=_seconds(last) / _seconds(first),
        unit="ratio",
        target=at_most(1.1),
        details={"completions": batches * PLAYERS, **each_us},
    )
    yield Measurement(
        name=f"scale.{name}.memory",
        value=_resident(last) / _resident(first),
        unit="ratio",
        target=at_most(1.1),
        details={
            "first_tenth_mib": round(_resident(first) / 2**20),
            "last_tenth_mib": round(_resident(last) / 2**20),
        },
    )
    closed_once = sum(times == 1 for times in instance.closings.values())
    yield Measurement(
        name=f"scale.{name}.not_closed_once",
        value=warm_up + batches - closed_once,
        unit="batches",
        target=at_most(0),
        details={"batches": warm_up + batches},
    )


@contextmanager
def _without_a_line_per_batch() -> Iterator[None]:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    try:
        yield
    finally:
        structlog.reset_defaults()


def _seconds(waves: Sequence[Wave]) -> float:
    return median(wave.seconds for wave in waves)


def _resident(waves: Sequence[Wave]) -> float:
    return median(wave.resident_bytes for wave in waves)


def _resident_bytes() -> int:
    """What this process has in memory."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * PAGE_BYTES


def _players() -> list[str]:
    return [f"player{index:05}" for index in range(PLAYERS)]
