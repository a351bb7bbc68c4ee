"""Redrives at the same time, and one whose answer is lost: each is counted once and told once."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from google.cloud import firestore

from common.batches.batches import Batches
from common.batches.records import Progress
from common.documents.port import Documents
from common.documents.store import FirestoreDocuments
from common.maintenance.redrive import MAX_REDRIVES, Redriven, redrive
from common.result import Result
from tests.support.batch_helpers import Published, alter, names, opened, request_for, timeline
from tests.support.firestore_proxy import FirestoreProxy
from tests.support.firestore_relay import COMMIT
from tests.support.grpc_server import serving

BOTH_STORES = pytest.mark.parametrize("kind", ["in-memory", "emulator"])


class ReadAtOnce(Batches):
    """Whoever has read the progress waits until all others have read it, too."""

    def __init__(self, documents: Documents, readers: int) -> None:
        super().__init__(documents)
        self._all_have_read = Barrier(readers, timeout=20)

    def progress(self, batch_id: str) -> Result[Progress]:
        read = super().progress(batch_id)
        self._all_have_read.wait()
        return read


def redrive_at_once(documents: Documents, published: Published, *players: str) -> list[Result[Redriven]]:
    """One redrive for each of these players, all decided on the same reading."""
    together = ReadAtOnce(documents, len(players))

    def one(player: str) -> Result[Redriven]:
        return redrive(together, published, "batch1", request_for, players=(player,))

    with ThreadPoolExecutor(len(players)) as threads:
        return list(threads.map(one, players))


@BOTH_STORES
def test_of_two_redrives_at_once_only_one_is_the_last(
    batches: Batches, documents: Documents, published: Published
) -> None:
    opened(batches, 2)
    alter(batches, redrives=MAX_REDRIVES - 1)

    answers = redrive_at_once(documents, published, *names(2))

    assert sorted(answer.is_success for answer in answers) == [False, True]
    [refused] = [answer.error for answer in answers if answer.error is not None]
    assert (refused.exception_class, "was redriven 10 times" in refused.message) == ("NotRedriven", True)
    assert batches.get("batch1").unwrap().redrives == MAX_REDRIVES
    assert len(published.requests) == 1


@BOTH_STORES
def test_redrives_at_once_have_an_entry_each_in_the_timeline(
    batches: Batches, documents: Documents, published: Published
) -> None:
    opened(batches, 6)

    answers = redrive_at_once(documents, published, *names(6))

    assert all(answer.is_success for answer in answers)
    assert batches.get("batch1").unwrap().redrives == 6
    told = timeline(batches)
    entries = [told[f"redriven-{number}"]["players"] for number in range(1, 7)]
    assert sorted(entries) == [[name] for name in names(6)]


@pytest.fixture
def through_proxy(
    proxy: FirestoreProxy, project_id: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Batches]:
    with serving(proxy) as address:
        monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", address)
        client = firestore.Client(project=project_id)
        yield Batches(FirestoreDocuments(client))
        client.close()


def test_redrive_whose_answer_is_lost_counts_once(
    through_proxy: Batches, proxy: FirestoreProxy, published: Published
) -> None:
    opened(through_proxy, 2)
    proxy.lose_answers(COMMIT, 1)

    redriven = redrive(through_proxy, published, "batch1", request_for).unwrap()

    assert proxy.calls[COMMIT] >= 3, "opened, counted without an answer, and tried again"
    assert through_proxy.get("batch1").unwrap().redrives == 1
    assert sorted(timeline(through_proxy)) == ["opened", "redriven-1"]
    assert [request.player_lookup for request in published.requests] == list(redriven.players) == names(2)
