"""A store that is away, refuses, or loses its answers: told apart, and nobody enters by mistake."""

import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import Any

import grpc
import pytest
from google.cloud import firestore

from common.lock.lease import Lease
from common.lock.lock import Lock
from common.lock.rules import LockKey
from common.result import LOCK_HELD, LOCK_LOST, ErrorInfo, ErrorType, ResultError
from tests.support.firestore_proxy import FirestoreProxy
from tests.support.firestore_relay import COMMIT, READ
from tests.support.grpc_server import serving
from tests.support.monotonic_clock import MonotonicClock
from tests.support.polling import eventually

KEY = LockKey(lock_type="consolidation", game_date=date(2026, 1, 17), sport="nba")
PATIENCE = timedelta(seconds=1.5)


@pytest.fixture
def proxied_client(
    proxy: FirestoreProxy, project_id: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[firestore.Client]:
    with serving(proxy) as address:
        yield client_at(address, project_id, monkeypatch)


@pytest.fixture
def lock(proxied_client: firestore.Client) -> Lock:
    """Through the proxy."""
    return Lock(proxied_client)


@pytest.fixture
def hasty_lock(proxied_client: firestore.Client, lock: Lock) -> Lock:
    """Through the proxy, and soon tired of calling; after a first call, which may take its time."""
    lock.try_acquire(LockKey(lock_type="warm_up", game_date=KEY.game_date, sport="nba"), "warm-up").unwrap()
    return Lock(proxied_client, call_timeout=PATIENCE)


@pytest.fixture
def other_lock(firestore_client: firestore.Client) -> Lock:
    """Past the proxy."""
    return Lock(firestore_client)


def client_at(address: str, project_id: str, monkeypatch: pytest.MonkeyPatch) -> firestore.Client:
    with monkeypatch.context() as meanwhile:
        meanwhile.setenv("FIRESTORE_EMULATOR_HOST", address)
        return firestore.Client(project=project_id)


def lock_document(db: firestore.Client) -> dict[str, Any]:
    return db.document(str(KEY)).get().to_dict() or {}


@pytest.mark.parametrize("lost", [1, 1000], ids=["one answer lost", "every answer lost"])
def test_an_acquisition_whose_answer_was_lost_is_recognised_as_ours(
    hasty_lock: Lock, other_lock: Lock, proxy: FirestoreProxy, lost: int
) -> None:
    proxy.lose_answers(COMMIT, lost)

    lease = hasty_lock.try_acquire(KEY, "batch").unwrap()
    proxy.lose_answers(COMMIT, 0)

    assert lease.fence == 1
    assert lease.check(ask_store=True).is_success
    assert other_lock.try_acquire(KEY, "rival").is_failure
    assert lease.release().is_success


def test_a_takeover_whose_answer_was_lost_is_recognised_as_ours(
    lock: Lock, other_lock: Lock, proxy: FirestoreProxy
) -> None:
    other_lock.try_acquire(KEY, "first").unwrap().release()
    proxy.lose_answers(COMMIT, 1)

    lease = lock.try_acquire(KEY, "batch").unwrap()

    assert lease.fence == 2
    assert lease.check(ask_store=True).is_success


def test_a_renewal_whose_answer_was_lost_keeps_the_lease(lock: Lock, proxy: FirestoreProxy) -> None:
    lease = lock.try_acquire(KEY, "batch").unwrap()
    proxy.lose_answers(COMMIT, 1)

    assert lease.renew().is_success
    assert lease.check(ask_store=True).is_success
    assert lease.release().is_success


@pytest.mark.parametrize("lost", [1, 1000], ids=["one answer lost", "every answer lost"])
def test_a_release_whose_answer_was_lost_is_a_release(
    hasty_lock: Lock, other_lock: Lock, proxy: FirestoreProxy, lost: int
) -> None:
    lease = hasty_lock.try_acquire(KEY, "batch").unwrap()
    proxy.lose_answers(COMMIT, lost)

    assert lease.release().is_success
    assert other_lock.try_acquire(KEY, "next").unwrap().fence == 2


def test_a_lost_renewal_that_nobody_could_read_back_does_not_prevent_the_release(
    hasty_lock: Lock, other_lock: Lock, proxy: FirestoreProxy
) -> None:
    lease = hasty_lock.try_acquire(KEY, "batch").unwrap()
    proxy.lose_answers(COMMIT, 1000)
    proxy.once_before(COMMIT, lambda: proxy.refuse(READ, grpc.StatusCode.UNAVAILABLE))

    renewed = lease.renew()
    proxy.lose_answers(COMMIT, 0)
    proxy.accept(READ)

    assert renewed.error is not None
    assert renewed.error.exception_class != LOCK_LOST
    assert lease.check().is_success
    assert lease.release().is_success
    assert other_lock.try_acquire(KEY, "next").is_success


def test_a_force_release_whose_answer_was_lost_appends_one_audit_entry(
    lock: Lock, firestore_client: firestore.Client, proxy: FirestoreProxy
) -> None:
    lock.try_acquire(KEY, "stuck").unwrap()
    proxy.lose_answers(COMMIT, 1)

    assert lock.force_release(KEY, "operator", "stuck").unwrap() is not None
    assert len(list(firestore_client.document(str(KEY)).collection("audit").stream())) == 1


def test_a_force_release_that_a_renewal_overtakes_ends_the_claim_all_the_same(
    lock: Lock, other_lock: Lock, proxy: FirestoreProxy
) -> None:
    stuck = other_lock.try_acquire(KEY, "stuck").unwrap()
    proxy.once_before(COMMIT, lambda: stuck.renew().unwrap())

    assert lock.force_release(KEY, "operator", "stuck").unwrap() is not None
    assert stuck.check(ask_store=True).is_failure


def test_a_force_release_that_a_successor_overtakes_leaves_the_successor_alone(
    lock: Lock, other_lock: Lock, proxy: FirestoreProxy
) -> None:
    successors: list[Lease] = []

    def succeed() -> None:
        stuck.release().unwrap()
        successors.append(other_lock.try_acquire(KEY, "successor").unwrap())

    stuck = other_lock.try_acquire(KEY, "stuck").unwrap()
    proxy.once_before(COMMIT, succeed)

    assert lock.force_release(KEY, "operator", "stuck").unwrap() is None
    assert successors[0].check(ask_store=True).is_success


def test_a_rival_who_is_faster_between_read_and_write_wins(
    lock: Lock, other_lock: Lock, proxy: FirestoreProxy
) -> None:
    proxy.once_before(COMMIT, lambda: other_lock.try_acquire(KEY, "faster").unwrap())

    slower = lock.try_acquire(KEY, "slower")

    assert slower.error is not None
    assert slower.error.exception_class == LOCK_HELD
    assert slower.error.details is not None
    assert slower.error.details["operation_id"] == "faster"


def test_a_rival_who_came_and_went_between_read_and_write_is_no_obstacle(
    lock: Lock, other_lock: Lock, proxy: FirestoreProxy
) -> None:
    proxy.once_before(COMMIT, lambda: other_lock.try_acquire(KEY, "faster").unwrap().release())

    assert lock.try_acquire(KEY, "slower").unwrap().fence == 2


def test_a_renewal_overtaken_between_read_and_write_leaves_the_successor_alone(
    lock: Lock, other_lock: Lock, proxy: FirestoreProxy
) -> None:
    def rob() -> None:
        other_lock.force_release(KEY, "operator", "test").unwrap()
        other_lock.try_acquire(KEY, "successor").unwrap()

    late = lock.try_acquire(KEY, "late").unwrap()
    proxy.once_before(COMMIT, rob)

    renewed = late.renew()

    assert renewed.error is not None
    assert renewed.error.exception_class == LOCK_LOST
    held = other_lock.try_acquire(KEY, "third")
    assert held.error is not None
    assert held.error.details is not None
    assert held.error.details["operation_id"] == "successor"


def test_contention_reported_by_the_store_is_transient_and_no_held_lock(
    lock: Lock, proxy: FirestoreProxy
) -> None:
    proxy.refuse(COMMIT, grpc.StatusCode.ABORTED)

    refused = lock.try_acquire(KEY, "batch")

    assert refused.error is not None
    assert (refused.error.exception_class, refused.error.type) == ("Aborted", ErrorType.TRANSIENT)


@pytest.mark.parametrize("method", [READ, COMMIT])
@pytest.mark.parametrize(
    "status",
    [grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.INVALID_ARGUMENT],
)
def test_a_refusal_for_good_is_permanent_at_once_however_long_one_would_wait(
    lock: Lock, proxy: FirestoreProxy, method: str, status: grpc.StatusCode
) -> None:
    proxy.refuse(method, status)
    started = time.monotonic()

    with lock.acquire(KEY, "batch", wait=timedelta(minutes=5)) as acquired:
        assert acquired.error is not None
        assert acquired.error.type is ErrorType.PERMANENT
        assert not acquired.error.is_expected

    assert proxy.calls[method] == 1
    assert time.monotonic() - started < 10


@pytest.mark.parametrize("listens", [False, True], ids=["nobody listens", "nobody answers"])
def test_an_unreachable_store_is_transient_within_the_time_allowed(
    project_id: str, monkeypatch: pytest.MonkeyPatch, listens: bool
) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        if listens:
            silent.listen()
        host, port = silent.getsockname()
        lock = Lock(client_at(f"{host}:{port}", project_id, monkeypatch), call_timeout=PATIENCE)
        started = time.monotonic()

        refused = lock.try_acquire(KEY, "batch")

        took = time.monotonic() - started
    assert refused.error is not None
    assert refused.error.type is ErrorType.TRANSIENT
    assert not refused.error.is_expected
    assert took < 10  # the client alone would try for minutes


def test_a_store_that_comes_back_in_time_is_not_noticed(lock: Lock, proxy: FirestoreProxy) -> None:
    proxy.refuse(READ, grpc.StatusCode.UNAVAILABLE)
    with ThreadPoolExecutor(1) as pool:
        attempt = pool.submit(lock.try_acquire, KEY, "batch")
        eventually(lambda: proxy.calls[READ] >= 2)
        proxy.accept(READ)

        assert attempt.result().is_success


def test_a_check_that_cannot_ask_the_store_is_no_loss(hasty_lock: Lock, proxy: FirestoreProxy) -> None:
    lease = hasty_lock.try_acquire(KEY, "batch").unwrap()
    proxy.refuse(READ, grpc.StatusCode.UNAVAILABLE)

    asked = lease.check(ask_store=True)

    assert asked.error is not None
    assert asked.error.exception_class != LOCK_LOST
    assert asked.error.type is ErrorType.TRANSIENT
    assert lease.check().is_success


def test_a_heartbeat_that_cannot_reach_the_store_until_the_lease_ends_says_that_it_is_lost(
    proxied_client: firestore.Client, proxy: FirestoreProxy
) -> None:
    lock = Lock(proxied_client, lease=timedelta(seconds=1), renew_every=timedelta(seconds=0.2))
    losses: list[ErrorInfo] = []

    with (
        pytest.raises(ResultError, match=LOCK_LOST),
        lock.acquire(KEY, "batch", heartbeat=True, on_lost=losses.append) as acquired,
    ):
        proxy.refuse(READ, grpc.StatusCode.UNAVAILABLE)
        eventually(lambda: losses)
        assert acquired.unwrap().check().is_failure

    assert [loss.exception_class for loss in losses] == [LOCK_LOST]


def test_a_heartbeat_outlives_a_short_absence_of_the_store(
    proxied_client: firestore.Client, proxy: FirestoreProxy
) -> None:
    lock = Lock(
        proxied_client,
        lease=timedelta(seconds=60),
        renew_every=timedelta(milliseconds=500),
        call_timeout=PATIENCE,
    )

    with lock.acquire(KEY, "batch", heartbeat=True) as acquired:
        proxy.refuse(READ, grpc.StatusCode.UNAVAILABLE)
        eventually(lambda: proxy.calls[READ] >= 4)
        proxy.accept(READ)
        before = proxy.calls[COMMIT]
        eventually(lambda: proxy.calls[COMMIT] > before)

        assert acquired.unwrap().check(ask_store=True).is_success


def test_a_renewal_that_failed_is_tried_again_sooner_than_the_next_would_be_due(
    proxied_client: firestore.Client, proxy: FirestoreProxy
) -> None:
    lock = Lock(
        proxied_client,
        lease=timedelta(seconds=120),
        renew_every=timedelta(seconds=10),
        call_timeout=PATIENCE,
    )
    lease = lock.try_acquire(KEY, "batch").unwrap()
    proxy.refuse(READ, grpc.StatusCode.UNAVAILABLE)
    assert lease.renew().is_failure
    proxy.accept(READ)
    before = proxy.calls[COMMIT]

    with lease.heartbeat():
        eventually(lambda: proxy.calls[COMMIT] > before, within=timedelta(seconds=8))


def test_taking_up_a_lock_that_was_just_left_free_here_costs_one_write(
    lock: Lock, proxy: FirestoreProxy
) -> None:
    lock.try_acquire(KEY, "first").unwrap().release().unwrap()
    proxy.calls.clear()

    lock.try_acquire(KEY, "second").unwrap().release().unwrap()

    assert proxy.calls == {COMMIT: 2}


@pytest.mark.parametrize("is_lost", [False, True], ids=["claimed", "read back as ours"])
def test_an_answer_that_took_its_time_does_not_make_the_lease_longer(
    proxied_client: firestore.Client, proxy: FirestoreProxy, is_lost: bool
) -> None:
    """The server's lease runs from when it answered: ours counts from before the question, to be safe."""
    clock = MonotonicClock()
    lock = Lock(proxied_client, monotonic=clock)
    if is_lost:
        proxy.lose_answers(COMMIT, 1)
        proxy.once_before(COMMIT, lambda: proxy.once_before(READ, lambda: clock.sleep(50)))
    else:
        proxy.once_before(COMMIT, lambda: clock.sleep(50))

    lease = lock.try_acquire(KEY, "batch").unwrap()
    clock.now = 296.0
    before = lease.check()
    clock.now = 298.0

    assert before.is_success
    assert lease.check().is_failure


def test_a_lock_that_was_left_free_a_while_ago_is_taken_up_with_a_full_lease(
    proxied_client: firestore.Client, proxy: FirestoreProxy
) -> None:
    clock = MonotonicClock()
    lock = Lock(proxied_client, monotonic=clock)
    lock.try_acquire(KEY, "first").unwrap().release().unwrap()
    first = lock_document(proxied_client)
    proxy.calls.clear()

    clock.sleep(50)
    lock.try_acquire(KEY, "second").unwrap()

    assert proxy.calls[READ] == 0, "the second claim rests on what the first has left"
    second = lock_document(proxied_client)
    assert second["expires_at"] - first["expires_at"] >= timedelta(seconds=50)


def test_a_release_that_failed_may_be_repeated(
    hasty_lock: Lock, other_lock: Lock, proxy: FirestoreProxy
) -> None:
    lease = hasty_lock.try_acquire(KEY, "batch").unwrap()
    proxy.refuse(COMMIT, grpc.StatusCode.UNAVAILABLE)
    failed = lease.release()
    proxy.accept(COMMIT)

    assert failed.error is not None
    assert failed.error.type is ErrorType.TRANSIENT
    assert lease.check().is_failure
    assert other_lock.try_acquire(KEY, "early").is_failure
    assert lease.release().is_success
    assert other_lock.try_acquire(KEY, "next").is_success
