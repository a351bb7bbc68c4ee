"""The recorder against the pattern that it replaces, both as libraries, on one batch document."""

import asyncio
import itertools
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from functools import partial
from statistics import median
from typing import Any

import pytest
from google.cloud import firestore

from common.batches.batches import Batches
from common.batches.completion import Completion
from common.documents.async_store import AsyncFirestoreDocuments
from common.documents.store import FirestoreDocuments
from common.documents.wire_commit import WireCommit
from common.documents.wire_messages import Answers
from common.documents.writes import Write
from common.messages import PlayerCompletion
from common.recorder.recorder import Recorder
from local.stack.emulators import FIRESTORE
from tests.bench.fan_in import Ride, ride_tasks, ride_threads
from tests.bench.frame import Bench, benchmark
from tests.bench.legacy_recorder import LegacyRecorder
from tests.bench.measuring import Measurement, at_least, at_most

PLAYERS = 450
REPETITIONS = 5
GAME_DATE = date(2026, 1, 17)
DEADLINE = datetime(2026, 1, 18, 12, tzinfo=UTC)

BARE_COUNT = {
    "completed_count": firestore.Increment(1),
    "total_predictions_subcoll": firestore.Increment(5),
    "updated_at": firestore.SERVER_TIMESTAMP,
}
BARE_COMPLETION = {
    "outcome": "completed",
    "predictions_count": 5,
    "completed_at": firestore.SERVER_TIMESTAMP,
}

_numbers = itertools.count()


class Fixture:
    """A project of its own; every ride gets a batch of its own. Asynchronous clients live for one ride."""

    def __init__(self, bench: Bench) -> None:
        self.project = bench.new_project()
        self.db = firestore.Client(project=self.project)
        self.batches = Batches(FirestoreDocuments(self.db))

    def opened(self, players: Sequence[str]) -> str:
        batch_id = f"batch{next(_numbers)}"
        self.batches.open(batch_id, GAME_DATE, players, deadline=DEADLINE).unwrap()
        return batch_id

    def recorder_ride(
        self, deliveries: Sequence[str], *, callers: int, instances: int = 1, expected: Sequence[str] = ()
    ) -> Ride:
        """Deliveries go to the instances in turn; reading the batch and closing it are part of the ride."""
        batch_id = self.opened(expected or deliveries)

        async def ride() -> Ride:
            client = firestore.AsyncClient(project=self.project)
            recorders = [Recorder(AsyncFirestoreDocuments(client), self.batches) for _ in range(instances)]
            await self._warm_up(recorders)
            events = itertools.count()

            async def record(player: str) -> bool:
                number = next(events)
                answer = await recorders[number % instances].record(
                    _message(batch_id, player), event_id=f"event{number}"
                )
                return answer.unwrap().completes_batch

            return await ride_tasks(record, deliveries, callers=callers)

        return asyncio.run(ride())

    def single_commit_ride(self, players: Sequence[str], *, callers: int) -> Ride:
        """The same recorder, but with a commit of its own for each completion."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("common.recorder.batch_cache.GroupCommit", OneByOne)
            return self.recorder_ride(players, callers=callers)

    def bare_ride(self, players: Sequence[str]) -> Ride:
        """Each completion is a document and an increment of its batch, in a commit of its own; one caller."""
        batch_id = self.opened(players)

        async def ride() -> Ride:
            client = firestore.AsyncClient(project=self.project)
            batch = client.collection("prediction_batches").document(batch_id)

            async def commit(player: str) -> bool:
                writes = client.batch()
                writes.update(batch, BARE_COUNT)
                writes.create(batch.collection("completions").document(player), BARE_COMPLETION)
                await writes.commit()
                return False

            await batch.get()
            return await ride_tasks(commit, players, callers=1)

        return asyncio.run(ride())

    async def _warm_up(self, recorders: Sequence[Recorder]) -> None:
        """Connections are opened: an instance that records has been there for a while."""
        for recorder in recorders:
            batch_id = self.opened(_players(2))
            await recorder.record(_message(batch_id, _players(1)[0]), event_id="warm-up")

    def legacy_ride(self, deliveries: Sequence[str], *, callers: int, already: int = 0) -> Ride:
        expected = already + len(set(deliveries))
        recorder = LegacyRecorder(self.db, expected, already=already)
        return ride_threads(recorder.record, deliveries, callers=callers)


class OneByOne:
    """Stands in for the group commit."""

    def __init__(self, commit: Callable[[Sequence[Completion]], Any], **_: object) -> None:
        self._commit = commit

    def submit(self, item: Completion) -> "asyncio.Future[Any]":
        return asyncio.ensure_future(self._alone(item))

    async def _alone(self, item: Completion) -> Any:
        (answer,) = await self._commit([item])
        return answer


@benchmark("recorder-legacy", emulators=[FIRESTORE])
def recorder_against_legacy(bench: Bench) -> Iterator[Measurement]:
    """Completions per second: the recorder divided by the legacy pattern, at 1, 8 and 32 callers."""
    fixture = Fixture(bench)
    for callers, wanted in ((1, 2.5), (8, 9.0), (32, 15.0)):
        ours, theirs = _medians(
            partial(fixture.recorder_ride, _players(), callers=callers),
            partial(fixture.legacy_ride, _players(), callers=callers),
        )
        yield Measurement(
            name=f"recorder.throughput.{callers}",
            value=_seconds(theirs) / _seconds(ours),
            unit="ratio",
            target=at_least(wanted),
            details=_rates(recorder=_seconds(ours), legacy=_seconds(theirs))
            | {"believed_complete": _believed(ours), "legacy_believed_complete": _believed(theirs)},
        )
    ours_p99, theirs_p99 = (median(ride.p99 for ride in rides) for rides in (ours, theirs))
    yield Measurement(
        name="recorder.p99.32",
        value=ours_p99 / theirs_p99,
        unit="ratio",
        target=at_most(0.25),
        details={"recorder_ms": 1000 * ours_p99, "legacy_ms": 1000 * theirs_p99},
    )


@benchmark("recorder-bare-commit", emulators=[FIRESTORE])
def recorder_against_bare_commit(bench: Bench) -> Iterator[Measurement]:
    """One caller: the recorder against the one commit that it has to make at the least."""
    fixture = Fixture(bench)
    ours, bare = _medians(
        partial(fixture.recorder_ride, _players(), callers=1), partial(fixture.bare_ride, _players())
    )
    yield Measurement(
        name="recorder.against_bare_commit.1",
        value=_seconds(bare) / _seconds(ours),
        unit="ratio",
        target=at_least(0.88),
        details=_rates(recorder=_seconds(ours), bare_commit=_seconds(bare)),
    )


@benchmark("recorder-duplicates", emulators=[FIRESTORE])
def recorder_under_duplicates(bench: Bench) -> Iterator[Measurement]:
    """The same at 32 callers with 20 % of the events delivered twice, to the same and to another instance."""
    fixture = Fixture(bench)
    for instances in (1, 2):
        ours, theirs = _medians(
            partial(
                fixture.recorder_ride,
                _twice(_players()),
                callers=32,
                instances=instances,
                expected=_players(),
            ),
            partial(fixture.legacy_ride, _twice(_players()), callers=32),
        )
        yield Measurement(
            name=f"recorder.duplicates.{'same' if instances == 1 else 'other'}_instance",
            value=_seconds(theirs) / _seconds(ours),
            unit="ratio",
            target=at_least(4.0),
            details=_rates(recorder=_seconds(ours), legacy=_seconds(theirs)),
        )


@benchmark("recorder-distance", emulators=[FIRESTORE])
def recorder_over_a_distance(bench: Bench) -> Iterator[Measurement]:
    """With 20 ms of round trip: groups against one commit per completion."""
    host = bench.emulators["firestore"].host
    with bench.slowed(host, round_trip=timedelta(milliseconds=20)) as slow, _firestore_at(slow):
        fixture = Fixture(bench)
        for callers in (1, 8, 32):
            number = 60 if callers == 1 else PLAYERS
            ours, single = _medians(
                partial(fixture.recorder_ride, _players(number), callers=callers),
                partial(fixture.single_commit_ride, _players(number), callers=callers),
            )
            yield Measurement(
                name=f"recorder.distance.{callers}",
                value=_seconds(single) / _seconds(ours),
                unit="ratio",
                target=at_least(0.95),
                details=_rates(number=number, grouped=_seconds(ours), single=_seconds(single))
                | {"target": "never slower; 5 % is the noise of this machine"},
            )


@benchmark("recorder-writes", emulators=[FIRESTORE])
def writes_of_the_batch_document(bench: Bench) -> Iterator[Measurement]:
    """Writes of the hot document per completion at 32 callers."""
    fixture = Fixture(bench)
    with _counted_commits() as commits:
        for _ in range(REPETITIONS):
            fixture.recorder_ride(_players(), callers=32)
    yield Measurement(
        name="recorder.hot_writes.32",
        value=len(commits) / (REPETITIONS * PLAYERS),
        unit="writes per completion",
        target=at_most(0.15),
        details={"commits": len(commits), "completions": REPETITIONS * PLAYERS},
    )


@benchmark("recorder-size", emulators=[FIRESTORE])
def cost_against_size(bench: Bench) -> Iterator[Measurement]:
    """Time per completion with 20,000 players recorded, divided by that with 100; one caller."""
    fixture = Fixture(bench)
    few, many = _partly_recorded(fixture, 100), _partly_recorded(fixture, 19_000)
    small, large = _medians(lambda: next(few), lambda: next(many))
    yield Measurement(
        name="recorder.size",
        value=_seconds(large) / _seconds(small),
        unit="ratio",
        target=at_most(1.2),
        details={"at_100_s": _seconds(small), "at_20000_s": _seconds(large)},
    )
    small, large = _medians(
        partial(fixture.legacy_ride, _players(20), callers=1, already=100),
        partial(fixture.legacy_ride, _players(20), callers=1, already=20_000),
    )
    yield Measurement(
        name="legacy.size",
        value=_seconds(large) / _seconds(small),
        unit="ratio",
        details={"at_100_s": _seconds(small), "at_20000_s": _seconds(large)},
    )


def _partly_recorded(fixture: Fixture, already: int) -> Iterator[Ride]:
    """Rides of 150 on one batch of 20,000 players of whom `already` are recorded."""
    players = _players(20_000)
    batch_id = fixture.opened(players)
    loop = asyncio.new_event_loop()
    recorder = Recorder(
        AsyncFirestoreDocuments(firestore.AsyncClient(project=fixture.project)), fixture.batches
    )
    waiting = iter(players)

    async def record(player: str) -> bool:
        answer = await recorder.record(_message(batch_id, player), event_id=player)
        return answer.unwrap().completes_batch

    loop.run_until_complete(ride_tasks(record, list(itertools.islice(waiting, already)), callers=200))
    while True:
        yield loop.run_until_complete(ride_tasks(record, list(itertools.islice(waiting, 150)), callers=1))


def _players(number: int = PLAYERS) -> list[str]:
    return [f"player{index:05}" for index in range(number)]


def _twice(players: Sequence[str], share: float = 0.2) -> list[str]:
    """A share of them a second time, soon after the first; the seed is fixed."""
    chance = random.Random(7)
    deliveries = list(players)
    for player in players:
        if chance.random() < share:
            deliveries.insert(deliveries.index(player) + chance.randint(1, 33), player)
    return deliveries


def _message(batch_id: str, player: str) -> PlayerCompletion:
    return PlayerCompletion(
        batch_id=batch_id, player_lookup=player, game_date=GAME_DATE, predictions_generated=5
    )


def _medians(*variants: Callable[[], Ride]) -> list[list[Ride]]:
    """The rides of each variant, run in turn after a warm-up that does not count."""
    rides: list[list[Ride]] = [[] for _ in variants]
    for _ in range(REPETITIONS + 1):
        for kept, run in zip(rides, variants, strict=True):
            kept.append(run())
    return [kept[1:] for kept in rides]


def _seconds(rides: Sequence[Ride]) -> float:
    return median(ride.seconds for ride in rides)


def _believed(rides: Sequence[Ride]) -> list[int]:
    return [ride.believed_complete for ride in rides]


def _rates(*, number: int = PLAYERS, **took: float) -> dict[str, object]:
    return {f"{name}_per_s": round(number / seconds_) for name, seconds_ in took.items()}


@contextmanager
def _firestore_at(host: str) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(FIRESTORE.variable, host)
        yield


@contextmanager
def _counted_commits() -> Iterator[list[Any]]:
    """Every commit that records completions; each writes the batch document once."""
    sent: list[Any] = []

    class Counting(WireCommit):
        async def send(self, writes: Sequence[Write]) -> Answers:
            sent.append(writes)
            return await super().send(writes)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("common.documents.async_store.WireCommit", Counting)
        yield sent
