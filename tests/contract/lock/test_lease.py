"""A lease while it is held: checks, renewals, the heartbeat, and how its end is learnt."""

import math
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import structlog

from common.lock.lease import Lease
from common.lock.lock import Lock
from common.lock.memory_store import MemoryDocuments, MemoryLocks
from common.lock.rules import LockKey
from common.lock.store import LockSnapshot
from common.result import LOCK_LOST, ErrorInfo, Result, ResultError
from tests.support.lock_backends import KEY, Backend
from tests.support.monotonic_clock import MonotonicClock
from tests.support.polling import eventually

LEASE = timedelta(seconds=2)


@pytest.fixture
def lock(backend: Backend) -> Lock:
    return backend.lock()


@pytest.fixture
def brisk_lock(backend: Backend) -> Lock:
    """Renews every 50 ms, with a lease long enough for a machine that stalls."""
    return backend.lock(lease=timedelta(seconds=60), renew_every=timedelta(milliseconds=50))


def renewed_at(backend: Backend) -> datetime:
    moment: datetime = backend.document()["renewed_at"]
    return moment


def heartbeats() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("heartbeat")]


def test_a_lease_counts_as_lost_a_little_before_the_server_would_say_so(
    backend: Backend,
) -> None:
    clock = MonotonicClock()
    lease = backend.lock(monotonic=clock).try_acquire(KEY, "batch").unwrap()

    clock.now = 296.0
    before = lease.check()
    clock.now = 299.0
    after = lease.check()

    assert before.is_success
    assert after.error is not None
    assert after.error.exception_class == LOCK_LOST


def test_a_lease_that_is_over_stays_over(backend: Backend) -> None:
    clock = MonotonicClock()
    lease = backend.lock(monotonic=clock).try_acquire(KEY, "batch").unwrap()
    clock.now = 300.0
    assert lease.check().is_failure
    clock.now = 0.0

    assert lease.check().is_failure
    assert lease.renew().is_failure


def test_renewing_extends_the_lease_to_its_full_length(backend: Backend) -> None:
    clock = MonotonicClock()
    lease = backend.lock(monotonic=clock).try_acquire(KEY, "batch").unwrap()
    acquired_at = renewed_at(backend)

    clock.now = 200.0
    lease.renew().unwrap()
    clock.now = 490.0

    assert lease.check(ask_store=True).is_success
    assert renewed_at(backend) > acquired_at


@pytest.mark.parametrize(
    "ask", [Lease.renew, lambda lease: lease.check(ask_store=True)], ids=["renew", "check"]
)
def test_a_lease_that_expired_while_our_clock_stood_still_is_lost(
    backend: Backend, ask: Callable[[Lease], Result[Lease]]
) -> None:
    """As on a machine that was suspended: the server's clock went on."""
    lease = backend.lock(monotonic=MonotonicClock()).try_acquire(KEY, "batch").unwrap()
    expired = datetime.now(UTC) - timedelta(hours=1)
    backend.put(backend.document() | {"expires_at": expired})

    answer = ask(lease)

    assert answer.error is not None
    assert answer.error.exception_class == LOCK_LOST
    assert lease.check().is_failure
    assert backend.document()["expires_at"] == expired


def test_a_lock_taken_by_force_is_noticed_by_asking_the_store(lock: Lock) -> None:
    lease = lock.try_acquire(KEY, "batch").unwrap()
    lock.force_release(KEY, "operator", "test").unwrap()

    unasked, asked, afterwards = lease.check(), lease.check(ask_store=True), lease.check()

    assert unasked.is_success
    assert asked.error is not None
    assert asked.error.exception_class == LOCK_LOST
    assert afterwards.is_failure


def test_a_lock_whose_document_was_deleted_is_lost(lock: Lock, backend: Backend) -> None:
    lease = lock.try_acquire(KEY, "batch").unwrap()
    backend.delete()

    assert lease.renew().is_failure
    assert lease.check().is_failure
    assert lease.release().is_failure


def test_a_second_release_changes_nothing(lock: Lock) -> None:
    lease = lock.try_acquire(KEY, "batch").unwrap()
    assert lease.release().is_success
    successor = lock.try_acquire(KEY, "next").unwrap()

    assert lease.release().is_success
    assert lease.check().is_failure
    assert successor.check(ask_store=True).is_success


def test_a_heartbeat_keeps_the_lock_beyond_the_length_of_its_lease(
    backend: Backend,
) -> None:
    lock = backend.lock(lease=LEASE, renew_every=LEASE / 10)

    with lock.acquire(KEY, "long", guarded_work=timedelta(hours=1), heartbeat=True) as acquired:
        lease = acquired.unwrap()
        acquired_at = renewed_at(backend)
        eventually(lambda: renewed_at(backend) - acquired_at > LEASE)
        rival = lock.try_acquire(KEY, "rival")

        assert rival.is_failure
        assert lease.check(ask_store=True).is_success

    assert lock.try_acquire(KEY, "next").is_success


@pytest.mark.parametrize("raises", [False, True])
def test_the_heartbeat_has_ended_when_the_block_has(brisk_lock: Lock, raises: bool) -> None:
    try:
        with brisk_lock.acquire(KEY, "batch", heartbeat=True):
            assert heartbeats()
            if raises:
                raise LookupError("the work went wrong")
    except LookupError:
        assert raises

    assert heartbeats() == []


def test_a_heartbeat_that_learns_of_the_loss_says_so_once_while_the_work_still_runs(brisk_lock: Lock) -> None:
    losses: list[ErrorInfo] = []

    with (
        pytest.raises(ResultError, match=LOCK_LOST),
        brisk_lock.acquire(KEY, "batch", heartbeat=True, on_lost=losses.append) as acquired,
    ):
        brisk_lock.force_release(KEY, "operator", "test").unwrap()
        eventually(lambda: losses)
        check = acquired.unwrap().check()

    assert [loss.exception_class for loss in losses] == [LOCK_LOST]
    assert check.error == losses[0]


def test_a_loss_learnt_by_another_thread_wakes_the_heartbeat(lock: Lock) -> None:
    losses: list[ErrorInfo] = []

    with (
        pytest.raises(ResultError, match=LOCK_LOST),
        lock.acquire(KEY, "batch", heartbeat=True, on_lost=losses.append) as acquired,
    ):
        lock.force_release(KEY, "operator", "test").unwrap()
        assert acquired.unwrap().check(ask_store=True).is_failure
        eventually(lambda: losses)

    assert len(losses) == 1


def test_a_heartbeat_of_a_lease_that_is_already_lost_says_so(backend: Backend) -> None:
    clock, losses = MonotonicClock(), list[ErrorInfo]()
    lease = backend.lock(monotonic=clock).try_acquire(KEY, "batch").unwrap()
    clock.now = 300.0

    with lease.heartbeat(losses.append):
        eventually(lambda: losses)

    assert len(losses) == 1


def test_a_release_after_the_loss_does_not_make_it_any_less_a_loss(lock: Lock) -> None:
    losses: list[ErrorInfo] = []
    lease = lock.try_acquire(KEY, "batch").unwrap()
    lock.force_release(KEY, "operator", "test").unwrap()
    lost = lease.check(ask_store=True)
    lease.release()

    with lease.heartbeat(losses.append):
        eventually(lambda: losses)

    assert lease.check() == lost
    assert losses == [lost.error]


def test_the_block_does_not_end_before_on_lost_has(lock: Lock) -> None:
    at_the_end, finished = threading.Event(), threading.Event()

    def cancel_a_job(loss: ErrorInfo) -> None:
        at_the_end.wait()
        threading.Event().wait(0.2)
        finished.set()

    with (
        pytest.raises(ResultError, match=LOCK_LOST),
        lock.acquire(KEY, "batch", heartbeat=True, on_lost=cancel_a_job) as acquired,
    ):
        lock.force_release(KEY, "operator", "test").unwrap()
        assert acquired.unwrap().check(ask_store=True).is_failure
        at_the_end.set()

    assert finished.is_set()


def test_a_release_within_the_block_ends_the_heartbeat_and_is_no_loss(brisk_lock: Lock) -> None:
    losses: list[ErrorInfo] = []

    with brisk_lock.acquire(KEY, "batch", heartbeat=True, on_lost=losses.append) as acquired:
        acquired.unwrap().release().unwrap()
        eventually(lambda: not heartbeats())

    assert losses == []


def test_many_threads_may_share_a_lease(lock: Lock, backend: Backend) -> None:
    lease = lock.try_acquire(KEY, "batch").unwrap()

    with ThreadPoolExecutor(8) as pool:
        renewals = list(pool.map(lambda _: lease.renew(), range(24)))
        releases = list(pool.map(lambda _: lease.release(), range(8)))

    assert all(renewal.is_success for renewal in renewals)
    assert all(release.is_success for release in releases)
    assert backend.document()["state"] == "released"


def test_a_release_during_a_renewal_leaves_the_lock_released(lock: Lock) -> None:
    for _ in range(10):
        lease = lock.try_acquire(KEY, "batch").unwrap()
        with ThreadPoolExecutor(4) as pool:
            renewals = [pool.submit(lease.renew) for _ in range(3)]
            assert pool.submit(lease.release).result().is_success
            for renewal in renewals:
                renewal.result()

        assert lease.renew().is_failure


@pytest.fixture
def events() -> Iterator[list[Any]]:
    with structlog.testing.capture_logs() as captured:
        yield captured


def test_waiting_and_holding_times_are_logged(backend: Backend, events: list[Any]) -> None:
    clock = MonotonicClock()
    lock = backend.lock(monotonic=clock, sleep=clock.sleep)
    holder = lock.try_acquire(KEY, "holder").unwrap()
    with lock.acquire(KEY, "late", wait=timedelta(seconds=2)):
        pass
    clock.now += 40
    holder.release()

    acquired, refused, released = events
    assert (acquired["action"], acquired["waited_ms"], acquired["fence"]) == ("lock_acquired", 0, 1)
    assert (refused["action"], refused["waited_ms"]) == ("lock_not_acquired", 2000)
    assert refused["error"]["details"]["operation_id"] == "holder"
    assert (released["action"], released["held_ms"]) == ("lock_released", 42000)


def lose_to_the_server(backend: Backend) -> None:
    """The lease ends, on the server's clock, and nobody else comes."""
    backend.put(backend.document() | {"expires_at": datetime.now(UTC) - timedelta(hours=1)})


def test_a_release_after_the_lease_gives_the_lock_back_and_says_that_it_was_lost(backend: Backend) -> None:
    lease = backend.lock().try_acquire(KEY, "overrun").unwrap()
    lose_to_the_server(backend)

    released = [lease.release() for _ in range(2)]

    assert [each.error.exception_class for each in released if each.error] == [LOCK_LOST, LOCK_LOST]
    assert backend.document()["state"] == "released"


def test_a_release_after_the_lease_on_our_clock_is_no_success_either(backend: Backend) -> None:
    clock = MonotonicClock()
    lease = backend.lock(monotonic=clock).try_acquire(KEY, "overrun").unwrap()
    clock.now = 301.0

    released = lease.release()

    assert released.error is not None and released.error.exception_class == LOCK_LOST
    assert backend.document()["state"] == "released"


def test_a_block_that_overran_its_lease_does_not_look_fine(backend: Backend) -> None:
    with pytest.raises(ResultError) as overrun, backend.lock().acquire(KEY, "overrun"):
        lose_to_the_server(backend)

    assert overrun.value.error.exception_class == LOCK_LOST
    assert backend.lock().try_acquire(KEY, "next").unwrap().fence == 2


def test_a_block_that_raises_keeps_its_exception_and_notes_what_became_of_the_lock(backend: Backend) -> None:
    with pytest.raises(LookupError) as raised, backend.lock().acquire(KEY, "overrun"):
        lose_to_the_server(backend)
        raise LookupError("the work went wrong")

    assert any(str(KEY) in note for note in raised.value.__notes__)
    assert backend.document()["state"] == "released"


class Faulty(MemoryLocks):
    """A store that raises what no store should, as often as it is told to."""

    def __init__(self) -> None:
        super().__init__(MemoryDocuments())
        self.reads = 0
        self.faults_left = 0

    def read(self, key: LockKey, *, at_most_seconds: float = math.inf) -> Result[LockSnapshot]:
        self.reads += 1
        if self.faults_left > 0:
            self.faults_left -= 1
            raise RuntimeError("no fault of a store")
        return super().read(key, at_most_seconds=at_most_seconds)


def test_a_heartbeat_outlives_whatever_a_renewal_raises() -> None:
    store = Faulty()
    lock = Lock(store, lease=timedelta(seconds=60), renew_every=timedelta(milliseconds=50))

    with lock.acquire(KEY, "batch", heartbeat=True) as acquired:
        store.faults_left = 3
        eventually(lambda: store.faults_left == 0)
        reads = store.reads
        eventually(lambda: store.reads > reads)
        assert acquired.unwrap().check(ask_store=True).is_success


def test_a_heartbeat_whose_renewals_all_raise_says_that_the_lease_is_lost() -> None:
    store = Faulty()
    lock = Lock(store, lease=timedelta(milliseconds=500), renew_every=timedelta(milliseconds=50))
    losses: list[ErrorInfo] = []

    with (
        pytest.raises(ResultError, match=LOCK_LOST),
        lock.acquire(KEY, "batch", heartbeat=True, on_lost=losses.append),
    ):
        store.faults_left = 10**9
        eventually(lambda: losses)

    assert [loss.exception_class for loss in losses] == [LOCK_LOST]


def test_an_on_lost_that_raises_is_told_and_hides_no_loss(backend: Backend) -> None:
    def fail(_: ErrorInfo) -> None:
        raise LookupError("no such job")

    lock = backend.lock()
    with (
        structlog.testing.capture_logs() as lines,
        pytest.raises(ResultError, match=LOCK_LOST),
        lock.acquire(KEY, "batch", heartbeat=True, on_lost=fail) as acquired,
    ):
        lock.force_release(KEY, "operator", "test").unwrap()
        assert acquired.unwrap().check(ask_store=True).is_failure

    assert "lock_on_lost_failed" in [line.get("action") for line in lines]
