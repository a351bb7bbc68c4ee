"""Acquiring, being refused, taking over, taking away: one lock document, in either store."""

import time
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

import common.lock.lease
import common.lock.lock
import common.lock.rules
import common.lock.store
from common.lock.lock import LEASE_TOO_SHORT, Lock
from common.lock.rules import LockKey, LockRecord, longest_pause_seconds
from common.result import LOCK_HELD, LOCK_LOST, ErrorType
from tests.support.lock_backends import KEY, Backend
from tests.support.monotonic_clock import MonotonicClock
from tests.support.polling import eventually

SHORT = timedelta(seconds=1)


@pytest.fixture
def lock(backend: Backend) -> Lock:
    return backend.lock()


@pytest.fixture
def short_lock(backend: Backend) -> Lock:
    return backend.lock(lease=SHORT, renew_every=SHORT / 5)


def test_a_free_lock_is_acquired_and_its_document_says_by_whom_and_until_when(
    lock: Lock, backend: Backend
) -> None:
    before = datetime.now(UTC)

    lease = lock.try_acquire(KEY, "batch").unwrap()

    fields = backend.document()
    assert fields["operation_id"] == "batch"
    assert fields["holder_id"] == lease.holder_id
    assert fields["lock_type"] == "consolidation"
    assert fields["lock_key"] == "consolidation_2026-01-17"
    assert (fields["state"], fields["fence"]) == ("held", lease.fence)
    assert fields["expires_at"] - fields["acquired_at"] == timedelta(seconds=300)
    assert abs(fields["renewed_at"] - before) < timedelta(seconds=30)


def test_a_held_lock_is_refused_and_the_refusal_names_holder_and_expiry(lock: Lock, backend: Backend) -> None:
    lease = lock.try_acquire(KEY, "first").unwrap()

    refused = lock.try_acquire(KEY, "second")

    assert refused.error is not None
    assert (refused.error.exception_class, refused.error.type) == (LOCK_HELD, ErrorType.TRANSIENT)
    assert refused.error.is_expected
    assert refused.error.details is not None
    assert refused.error.details["operation_id"] == "first"
    assert refused.error.details["holder_id"] == lease.holder_id
    assert refused.error.details["expires_at"] == backend.document()["expires_at"]
    assert backend.document()["holder_id"] == lease.holder_id


def test_two_acquisitions_for_one_operation_are_two_holders(lock: Lock) -> None:
    first = lock.try_acquire(KEY, "batch").unwrap()
    assert lock.try_acquire(KEY, "batch").is_failure
    first.release()

    second = lock.try_acquire(KEY, "batch").unwrap()

    assert second.holder_id != first.holder_id
    assert first.release().is_success
    assert second.check(ask_store=True).is_success


def test_the_fence_grows_with_every_acquisition_whoever_makes_it(backend: Backend) -> None:
    instances = [backend.lock(), backend.lock()]

    fences = []
    for number in range(6):
        with instances[number % 3 % 2].acquire(KEY, f"batch {number}") as acquired:
            fences.append(acquired.unwrap().fence)

    assert fences == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("raises", [False, True])
def test_leaving_the_block_releases_the_lock_and_keeps_the_document(
    lock: Lock, backend: Backend, raises: bool
) -> None:
    try:
        with lock.acquire(KEY, "batch") as acquired:
            fence = acquired.unwrap().fence
            if raises:
                raise LookupError("the work went wrong")
    except LookupError:
        assert raises

    assert (backend.document()["state"], backend.document()["fence"]) == ("released", fence)
    assert lock.try_acquire(KEY, "next").unwrap().fence == fence + 1


def test_a_block_that_did_not_get_the_lock_learns_why_and_leaves_it_alone(
    lock: Lock, backend: Backend
) -> None:
    holder = lock.try_acquire(KEY, "holder").unwrap()

    with lock.acquire(KEY, "late") as acquired:
        assert acquired.error is not None
        assert acquired.error.exception_class == LOCK_HELD

    assert (backend.document()["state"], backend.document()["holder_id"]) == ("held", holder.holder_id)


def test_an_expired_lock_is_taken_over_and_the_late_holder_harms_nobody(
    short_lock: Lock, backend: Backend
) -> None:
    late = short_lock.try_acquire(KEY, "late").unwrap()
    successor = eventually(lambda: short_lock.try_acquire(KEY, "successor").data)

    renewed, released = late.renew(), late.release()

    assert renewed.error is not None
    assert released.error is not None
    assert (renewed.error.exception_class, released.error.exception_class) == (LOCK_LOST, LOCK_LOST)
    assert (backend.document()["state"], backend.document()["holder_id"]) == ("held", successor.holder_id)
    assert successor.fence == late.fence + 1


def test_keys_of_other_types_sports_and_datasets_are_other_locks(lock: Lock) -> None:
    day = KEY.game_date
    keys = [
        KEY,
        LockKey(lock_type="grading", game_date=day, sport="nba"),
        LockKey(lock_type="consolidation", game_date=day, sport="mlb"),
        LockKey(lock_type="consolidation", game_date=day, dataset_prefix="test1", sport="nba"),
        LockKey(lock_type="consolidation", game_date=day + timedelta(days=1), sport="nba"),
    ]

    leases = [lock.try_acquire(key, "batch").unwrap() for key in keys]

    assert [lease.fence for lease in leases] == [1] * len(keys)


@pytest.mark.parametrize("skew", [timedelta(minutes=-10), timedelta(minutes=10)])
def test_a_client_whose_clock_is_wrong_neither_robs_nor_loses(
    backend: Backend,
    monkeypatch: pytest.MonkeyPatch,
    skew: timedelta,
) -> None:
    skewed_lock = backend.lock(lease=SHORT, renew_every=SHORT / 5)
    true_now = datetime.now(UTC)
    holder = backend.lock().try_acquire(KEY, "holder").unwrap()
    skew_wall_clock(monkeypatch, skew)

    robbed = skewed_lock.try_acquire(KEY, "wrong clock")
    holder.release()
    lease = skewed_lock.try_acquire(KEY, "wrong clock").unwrap()

    assert robbed.is_failure
    assert lease.check(ask_store=True).is_success
    assert abs(backend.document()["expires_at"] - true_now) < timedelta(seconds=60)
    assert eventually(lambda: skewed_lock.try_acquire(KEY, "after the lease").data).fence == lease.fence + 1


def skew_wall_clock(monkeypatch: pytest.MonkeyPatch, skew: timedelta) -> None:
    """Every wall clock that the lock could look at is wrong; the monotonic one and the server's are not.

    Not that of the process: gRPC computes its deadlines from it, against a core that would not know.
    """

    class Skewed(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return datetime.now(tz) + skew

    skewed_time = SimpleNamespace(
        time=lambda: time.time() + skew.total_seconds(), monotonic=time.monotonic, sleep=time.sleep
    )
    for module in (common.lock.lease, common.lock.lock, common.lock.rules, common.lock.store):
        for name, skewed in {"datetime": Skewed, "time": skewed_time}.items():
            if hasattr(module, name):
                monkeypatch.setattr(module, name, skewed)


def test_a_document_of_the_former_lock_is_respected_until_it_expires_and_then_taken_over(
    lock: Lock, backend: Backend
) -> None:
    former = {
        "operation_id": "batch",
        "holder_id": "batch",
        "lock_type": "consolidation",
        "lock_key": KEY.document_id,
        "acquired_at": datetime(2026, 1, 17, tzinfo=UTC),
    }

    backend.put({**former, "expires_at": datetime(2126, 1, 17, tzinfo=UTC)})
    while_valid = lock.try_acquire(KEY, "next")
    backend.put({**former, "expires_at": datetime(2026, 1, 17, 0, 5, tzinfo=UTC)})
    afterwards = lock.try_acquire(KEY, "next")

    assert while_valid.error is not None
    assert while_valid.error.exception_class == LOCK_HELD
    assert afterwards.unwrap().fence == 1


def test_a_document_that_is_no_lock_is_a_permanent_failure_and_not_a_free_lock(
    lock: Lock, backend: Backend
) -> None:
    backend.put({"status": "completed"})

    refused = lock.try_acquire(KEY, "batch")

    assert refused.error is not None
    assert refused.error.type is ErrorType.PERMANENT
    assert "expires_at" in refused.error.message


def test_a_lock_left_free_here_and_held_elsewhere_since_is_refused(
    backend: Backend,
) -> None:
    here, elsewhere = backend.lock(), backend.lock()
    here.try_acquire(KEY, "first").unwrap().release()
    holder = elsewhere.try_acquire(KEY, "second").unwrap()

    refused = here.try_acquire(KEY, "third")

    assert refused.error is not None
    assert refused.error.details is not None
    assert refused.error.details["holder_id"] == holder.holder_id


def test_a_lock_left_free_here_and_used_elsewhere_since_is_acquired(
    backend: Backend,
) -> None:
    here, elsewhere = backend.lock(), backend.lock()
    here.try_acquire(KEY, "first").unwrap().release()
    elsewhere.try_acquire(KEY, "second").unwrap().release()

    assert here.try_acquire(KEY, "third").unwrap().fence == 3


def test_without_a_wait_there_is_one_attempt(backend: Backend) -> None:
    backend.lock().try_acquire(KEY, "holder").unwrap()
    clock = MonotonicClock()
    lock = backend.lock(monotonic=clock, sleep=clock.sleep)

    with lock.acquire(KEY, "late", wait=timedelta(0)) as acquired:
        assert acquired.is_failure

    assert clock.pauses == []


def test_waiting_pauses_at_random_never_past_the_deadline_and_tries_once_more_at_its_end(
    backend: Backend,
) -> None:
    backend.lock().try_acquire(KEY, "holder").unwrap()
    clock = MonotonicClock()
    lock = backend.lock(monotonic=clock, sleep=clock.sleep)

    with lock.acquire(KEY, "late", wait=timedelta(seconds=30)) as acquired:
        assert acquired.is_failure

    assert clock.now == pytest.approx(30)
    assert len(set(clock.pauses)) == len(clock.pauses) > 10
    waited = 0.0
    for pause in clock.pauses:
        assert 0 <= pause <= longest_pause_seconds(waited)
        waited += pause


def test_a_waiter_as_patient_as_the_lease_gets_a_dead_holders_lock(
    backend: Backend,
) -> None:
    lock = backend.lock(lease=SHORT, renew_every=SHORT / 5)
    dead = lock.try_acquire(KEY, "dead").unwrap()

    with lock.acquire(KEY, "patient", wait=SHORT) as acquired:
        assert acquired.unwrap().fence == dead.fence + 1


@pytest.mark.parametrize(("heartbeat", "is_refused"), [(False, True), (True, False)])
def test_work_longer_than_the_lease_needs_a_heartbeat(
    lock: Lock, backend: Backend, heartbeat: bool, is_refused: bool
) -> None:
    with lock.acquire(KEY, "batch", guarded_work=timedelta(seconds=301), heartbeat=heartbeat) as acquired:
        assert acquired.is_failure is is_refused

    if acquired.error is not None:
        assert (acquired.error.exception_class, acquired.error.type) == (LEASE_TOO_SHORT, ErrorType.PERMANENT)
        assert backend.document() == {}


def test_force_release_ends_the_claim_keeps_the_fence_growing_and_says_who_and_why(
    lock: Lock, backend: Backend
) -> None:
    robbed = lock.try_acquire(KEY, "stuck").unwrap()

    ended = lock.force_release(KEY, "operator@example.com", "the worker is gone").unwrap()

    assert ended is not None
    assert (ended.holder_id, ended.fence) == (robbed.holder_id, robbed.fence)
    assert backend.document()["state"] == "released"
    assert backend.document()["fence"] > robbed.fence
    assert robbed.check(ask_store=True).is_failure
    assert robbed.release().is_failure
    assert lock.try_acquire(KEY, "next").unwrap().fence > backend.document()["fence"] - 1
    [entry] = backend.audit()
    assert (entry["who"], entry["why"]) == ("operator@example.com", "the worker is gone")
    assert LockRecord.from_fields(entry["ended"]) == ended


def test_force_release_of_a_free_lock_changes_nothing(lock: Lock, backend: Backend) -> None:
    assert lock.force_release(KEY, "operator", "never held").unwrap() is None
    assert backend.document() == {}

    lock.try_acquire(KEY, "batch").unwrap().release()
    before = backend.document()

    assert lock.force_release(KEY, "operator", "already released").unwrap() is None
    assert backend.document() == before
    assert backend.audit() == []


def test_every_force_release_appends_and_none_overwrites(lock: Lock, backend: Backend) -> None:
    for number in range(3):
        lock.try_acquire(KEY, "stuck").unwrap()
        lock.force_release(KEY, "operator", f"reason {number}").unwrap()

    assert sorted(entry["why"] for entry in backend.audit()) == [
        "reason 0",
        "reason 1",
        "reason 2",
    ]


def test_force_release_from_one_holder_spares_any_other(lock: Lock) -> None:
    first = lock.try_acquire(KEY, "found dead").unwrap()
    first.release()
    second = lock.try_acquire(KEY, "alive").unwrap()

    assert lock.force_release(KEY, "auditor", "dead", holder_id=first.holder_id).unwrap() is None
    assert second.check(ask_store=True).is_success
    assert lock.force_release(KEY, "auditor", "dead", holder_id=second.holder_id).unwrap() is not None


@pytest.mark.parametrize(
    ("who", "why"), [("", "stuck"), ("operator", ""), ("  ", "stuck"), ("operator", "\n")]
)
def test_force_release_without_a_name_or_a_reason_is_refused(lock: Lock, who: str, why: str) -> None:
    lease = lock.try_acquire(KEY, "batch").unwrap()

    refused = lock.force_release(KEY, who, why)

    assert refused.error is not None
    assert refused.error.type is ErrorType.PERMANENT
    assert lease.check(ask_store=True).is_success
