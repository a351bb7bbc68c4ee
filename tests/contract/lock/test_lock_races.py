"""Many contenders at once, in threads and in processes of their own, and a holder that is paused."""

import signal
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta

import pytest
from google.cloud import firestore

from common.lock.lock import Lock
from common.result import LOCK_HELD, LOCK_LOST
from tests.support.lock_process import COUNTER, KEY, RACERS, ROUNDS
from tests.support.polling import eventually
from tests.support.spoken_process import SpokenProcess


@pytest.fixture
def start(firestore_host: str, project_id: str) -> Iterator[Callable[..., SpokenProcess]]:
    with ExitStack() as stack:

        def start_one(role: str, lease_seconds: float = 300.0) -> SpokenProcess:
            process = SpokenProcess("tests.support.lock_process", role, project_id, str(lease_seconds))
            stack.callback(process.end)
            return process

        yield start_one


def test_of_forty_threads_that_try_at_once_one_wins(firestore_client: firestore.Client) -> None:
    locks = [Lock(firestore_client) for _ in range(40)]

    with ThreadPoolExecutor(40) as pool:
        attempts = list(pool.map(lambda lock: lock.try_acquire(KEY, "batch"), locks))

    assert sum(attempt.is_success for attempt in attempts) == 1
    assert {attempt.error.exception_class for attempt in attempts if attempt.error} == {LOCK_HELD}


def test_of_forty_threads_that_find_an_expired_lock_one_takes_it_over(
    firestore_client: firestore.Client,
) -> None:
    short = timedelta(milliseconds=300)
    Lock(firestore_client, lease=short, renew_every=short / 3).try_acquire(KEY, "dead").unwrap()
    locks = [Lock(firestore_client) for _ in range(40)]

    with ThreadPoolExecutor(40) as pool:
        winners = eventually(
            lambda: [a for a in pool.map(lambda lock: lock.try_acquire(KEY, "batch"), locks) if a.is_success]
        )

    assert len(winners) == 1
    assert winners[0].unwrap().fence == 2


def test_of_forty_contenders_in_four_processes_one_wins(start: Callable[..., SpokenProcess]) -> None:
    processes = [start("race") for _ in range(4)]
    for process in processes:
        process.hear()

    for process in processes:
        process.say("")

    outcomes = Counter(outcome for process in processes for outcome in process.hear()["outcomes"])
    assert outcomes == {"success": 1, LOCK_HELD: 4 * RACERS - 1}


def test_what_only_the_lock_protects_is_counted_exactly_and_every_entry_has_its_own_fence(
    start: Callable[..., SpokenProcess], firestore_client: firestore.Client
) -> None:
    processes = [start("count") for _ in range(4)]
    for process in processes:
        process.hear()

    for process in processes:
        process.say("")

    fences = [process.hear()["fences"] for process in processes]
    assert (firestore_client.document(COUNTER).get().to_dict() or {})["value"] == 4 * ROUNDS
    assert sorted(fence for each in fences for fence in each) == list(range(1, 4 * ROUNDS + 1))
    assert all(each == sorted(each) for each in fences)


def test_a_holder_that_was_paused_past_its_lease_wakes_up_to_a_lost_lock_and_harms_nobody(
    start: Callable[..., SpokenProcess], firestore_client: firestore.Client
) -> None:
    lock = Lock(firestore_client)
    paused = start("hold", lease_seconds=1.0)
    fence = paused.hear()["fence"]

    paused.send(signal.SIGSTOP)
    successor = eventually(lambda: lock.try_acquire(KEY, "successor").data)
    paused.send(signal.SIGCONT)
    paused.say("")

    assert paused.hear() == dict.fromkeys(("check", "asked", "renew", "release"), LOCK_LOST)
    assert successor.fence == fence + 1
    assert successor.check(ask_store=True).is_success


def test_a_holder_that_was_paused_within_its_lease_goes_on(start: Callable[..., SpokenProcess]) -> None:
    paused = start("hold", lease_seconds=60.0)
    paused.hear()

    paused.send(signal.SIGSTOP)
    paused.send(signal.SIGCONT)
    paused.say("")

    assert paused.hear() == dict.fromkeys(("check", "asked", "renew", "release"), "success")


def test_the_lock_of_a_killed_holder_comes_free_when_its_lease_ends(
    start: Callable[..., SpokenProcess], firestore_client: firestore.Client
) -> None:
    lock = Lock(firestore_client)
    killed = start("hold", lease_seconds=1.0)
    killed.hear()

    killed.send(signal.SIGKILL)

    assert eventually(lambda: lock.try_acquire(KEY, "successor").data).fence == 2
