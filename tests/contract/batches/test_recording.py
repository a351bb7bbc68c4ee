"""A group of completions is counted in one commit, whose answer tells the counts after it, in both stores."""

import pytest

from common.batches import recording
from common.batches.batches import Batches
from common.batches.records import batch_path
from common.documents.port import AsyncDocuments, Documents, is_refused
from common.documents.writes import Create
from common.messages import PlayerOutcome
from common.schema_mode import SchemaMode
from tests.support.batch_documents import ended
from tests.support.batch_helpers import names, opened


@pytest.mark.parametrize("mode", [mode for mode in SchemaMode if mode.writes_subcollection])
async def test_recording_tells_the_counts_after_it_and_is_refused_the_second_time(
    batches: Batches, documents: Documents, async_documents: AsyncDocuments
) -> None:
    batch = opened(batches, 4)
    first, second, third, _ = names(4)
    completions = [ended(first), ended(second, PlayerOutcome.FAILED, reason="r")]
    writes = recording.writes(batch, completions)

    committed = recording.committed((await async_documents.commit(writes)).unwrap())
    again = await async_documents.commit(writes)
    blocking = recording.committed(documents.commit(recording.writes(batch, [ended(third)])).unwrap())

    assert (committed.counts.completed, committed.counts.failed, committed.total_predictions) == (1, 1, 10)
    assert is_refused(again)
    assert (blocking.counts.completed, blocking.total_predictions) == (2, 15)
    found = batches.store.completions("batch1").unwrap()
    assert {found[first].completed_at, found[second].completed_at} == {committed.completed_at}
    now = batches.get("batch1").unwrap()
    assert (now.update_time, now.counter, now.total_predictions) == (blocking.written_at, 3, 15)


async def test_recording_in_a_mode_that_the_batch_has_left_writes_nothing(
    batches: Batches, documents: Documents, async_documents: AsyncDocuments
) -> None:
    batch = opened(batches, 1)
    documents.commit([Create(path=f"{batch_path('batch1')}/modes/0", fields={"left": True})]).unwrap()

    refused = await async_documents.commit(recording.writes(batch, [ended("player00000")]))

    assert is_refused(refused)
    assert batches.store.completions("batch1").unwrap() == {}
    assert batches.get("batch1").unwrap().counts.ended == 0
