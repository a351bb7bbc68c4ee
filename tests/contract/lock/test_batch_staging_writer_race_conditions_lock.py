"""The scenarios of the former lock by their names, against the emulator.

Where a scenario enshrined a defect, its docstring says what is asserted instead.
"""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import Any

import pytest
from google.cloud import firestore

from common.lock.lock import Lock
from common.lock.rules import LockKey, longest_pause_seconds
from common.result import LOCK_HELD, LOCK_LOST
from tests.support.monotonic_clock import MonotonicClock
from tests.support.polling import eventually

DAY = date(2026, 1, 17)
CONSOLIDATION = LockKey(lock_type="consolidation", game_date=DAY, sport="nba")
GRADING = LockKey(lock_type="grading", game_date=DAY, sport="nba")
SHORT = timedelta(milliseconds=400)


@pytest.fixture
def lock(firestore_client: firestore.Client) -> Lock:
    return Lock(firestore_client)


@pytest.fixture
def short_lock(firestore_client: firestore.Client) -> Lock:
    return Lock(firestore_client, lease=SHORT, renew_every=SHORT / 4)


def document(db: firestore.Client, key: LockKey = CONSOLIDATION) -> dict[str, Any]:
    return db.document(str(key)).get().to_dict() or {}


class TestDistributedLock:
    def test_lock_key_generation_consolidation(self, lock: Lock, firestore_client: firestore.Client) -> None:
        """As before for production nba; formerly without sport and prefix, so that tests blocked it."""
        lock.try_acquire(CONSOLIDATION, "batch").unwrap()

        path = "consolidation_locks/consolidation_2026-01-17"
        assert (firestore_client.document(path).get().to_dict() or {})[
            "lock_key"
        ] == "consolidation_2026-01-17"

    def test_lock_key_generation_grading(self, lock: Lock, firestore_client: firestore.Client) -> None:
        lock.try_acquire(GRADING, "batch").unwrap()

        assert firestore_client.document("grading_locks/grading_2026-01-17").get().exists

    def test_lock_acquisition_success(self, lock: Lock, firestore_client: firestore.Client) -> None:
        """The holder is new for every acquisition; formerly it was the batch, the same for two deliveries."""
        lease = lock.try_acquire(CONSOLIDATION, "batch").unwrap()

        fields = document(firestore_client)
        assert (fields["operation_id"], fields["lock_type"]) == ("batch", "consolidation")
        assert fields["holder_id"] == lease.holder_id != "batch"

    def test_lock_acquisition_already_held(self, lock: Lock) -> None:
        """Refused with holder and expiry; formerly a bare False, which a fault of the store also gave."""
        holder = lock.try_acquire(CONSOLIDATION, "first").unwrap()

        refused = lock.try_acquire(CONSOLIDATION, "second")

        assert refused.error is not None
        assert refused.error.exception_class == LOCK_HELD
        assert refused.error.details is not None
        assert refused.error.details["holder_id"] == holder.holder_id

    def test_lock_acquisition_timeout_raises(self, lock: Lock) -> None:
        """A Result says so, and nothing is raised: giving up is an expected outcome. The budget is kept."""
        lock.try_acquire(CONSOLIDATION, "first").unwrap()

        with lock.acquire(CONSOLIDATION, "second", wait=timedelta(milliseconds=200)) as acquired:
            assert acquired.error is not None
            assert acquired.error.exception_class == LOCK_HELD
            assert acquired.is_retryable

    def test_lock_expired_takeover(self, lock: Lock, short_lock: Lock) -> None:
        """The successor's fence is higher; the late holder does not release its lock, as it formerly did."""
        late = short_lock.try_acquire(CONSOLIDATION, "late").unwrap()

        successor = eventually(lambda: lock.try_acquire(CONSOLIDATION, "successor").data)

        assert successor.fence == late.fence + 1
        assert late.release().is_failure
        assert successor.check(ask_store=True).is_success

    def test_context_manager_releases_on_success(
        self, lock: Lock, firestore_client: firestore.Client
    ) -> None:
        with lock.acquire(CONSOLIDATION, "batch") as acquired:
            assert acquired.is_success

        assert document(firestore_client)["state"] == "released"

    def test_context_manager_releases_on_exception(
        self, lock: Lock, firestore_client: firestore.Client
    ) -> None:
        with pytest.raises(LookupError), lock.acquire(CONSOLIDATION, "batch"):
            raise LookupError("the work went wrong")

        assert document(firestore_client)["state"] == "released"

    def test_lock_retry_logic(self, lock: Lock) -> None:
        """The waiter gets in soon after the release; formerly it noticed up to 5 s later."""
        holder = lock.try_acquire(CONSOLIDATION, "first").unwrap()

        def wait_for_it() -> int:
            with lock.acquire(CONSOLIDATION, "second", wait=timedelta(seconds=30)) as acquired:
                return acquired.unwrap().fence

        with ThreadPoolExecutor(1) as pool:
            waiter = pool.submit(wait_for_it)
            holder.release()
            assert waiter.result(timeout=5) == 2

    def test_concurrent_lock_types_independent(self, lock: Lock) -> None:
        consolidation = lock.try_acquire(CONSOLIDATION, "batch").unwrap()
        grading = lock.try_acquire(GRADING, "batch").unwrap()

        consolidation.release()

        assert grading.check(ask_store=True).is_success

    def test_force_release_deletes_lock(self, lock: Lock, firestore_client: firestore.Client) -> None:
        """The document stays, for the fence must go on growing; who did it, and why, is kept beside it."""
        robbed = lock.try_acquire(CONSOLIDATION, "stuck").unwrap()

        lock.force_release(CONSOLIDATION, "operator", "worker gone").unwrap()

        assert document(firestore_client)["state"] == "released"
        assert lock.try_acquire(CONSOLIDATION, "next").unwrap().fence > robbed.fence
        audit = firestore_client.document(str(CONSOLIDATION)).collection("audit").get()
        assert [entry.get("who") for entry in audit] == ["operator"]


class TestLockEdgeCases:
    def test_lock_firestore_transaction_isolation(self, firestore_client: firestore.Client) -> None:
        """One of many wins by preconditions; the former transactions stall and fail under contention."""
        locks = [Lock(firestore_client) for _ in range(16)]

        with ThreadPoolExecutor(16) as pool:
            attempts = list(pool.map(lambda each: each.try_acquire(CONSOLIDATION, "batch"), locks))

        assert sum(attempt.is_success for attempt in attempts) == 1
        assert {attempt.error.exception_class for attempt in attempts if attempt.error} == {LOCK_HELD}

    def test_lock_timeout_config(self, firestore_client: firestore.Client) -> None:
        """300 s by default, as before; a wait of zero is one attempt, where it formerly meant 300 s."""
        clock = MonotonicClock()
        lock = Lock(firestore_client, monotonic=clock, sleep=clock.sleep)
        lock.try_acquire(CONSOLIDATION, "first").unwrap()

        with lock.acquire(CONSOLIDATION, "second", wait=timedelta(0)) as acquired:
            assert acquired.is_failure

        fields = document(firestore_client)
        assert fields["expires_at"] - fields["acquired_at"] == timedelta(seconds=300)
        assert clock.pauses == []

    def test_retry_delay_between_attempts(self, firestore_client: firestore.Client) -> None:
        """Random below a growing ceiling and within the budget; formerly 5 s each, beyond the budget too."""
        clock = MonotonicClock()
        lock = Lock(firestore_client, monotonic=clock, sleep=clock.sleep)
        lock.try_acquire(CONSOLIDATION, "first").unwrap()

        with lock.acquire(CONSOLIDATION, "second", wait=timedelta(seconds=7)):
            pass

        assert sum(clock.pauses) == pytest.approx(7)
        assert len(set(clock.pauses)) == len(clock.pauses)
        assert max(clock.pauses) <= longest_pause_seconds(7)

    def test_lock_expires_at_calculation(self, lock: Lock, firestore_client: firestore.Client) -> None:
        """From the server's clock; formerly from the client's, without a zone."""
        lock.try_acquire(CONSOLIDATION, "batch").unwrap()

        snapshot = firestore_client.document(str(CONSOLIDATION)).get()
        left = snapshot.get("expires_at") - snapshot.read_time
        assert timedelta(seconds=270) < left <= timedelta(seconds=300)

    def test_lock_already_deleted_graceful_release(
        self, lock: Lock, firestore_client: firestore.Client
    ) -> None:
        """Nothing breaks, and it is said: the lock was lost. Formerly every failed release was silent."""
        lease = lock.try_acquire(CONSOLIDATION, "batch").unwrap()
        firestore_client.document(str(CONSOLIDATION)).delete()

        released = lease.release()

        assert released.error is not None
        assert released.error.exception_class == LOCK_LOST
        assert document(firestore_client) == {}

    def test_missing_lock_doc_ref_on_release(self, lock: Lock) -> None:
        """Each lease knows what to release; formerly the lock did, and a second acquisition overwrote it."""
        first = lock.try_acquire(CONSOLIDATION, "batch").unwrap()
        second = lock.try_acquire(GRADING, "batch").unwrap()

        assert first.release().is_success
        assert second.check(ask_store=True).is_success
        assert second.release().is_success
