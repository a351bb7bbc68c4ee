"""The commit that records completions, and what its answer says."""

from datetime import UTC, datetime

import pytest

from common.batches import recording
from common.batches.completion import COUNTER, Completion
from common.batches.records import Counts
from common.documents.port import Written
from common.documents.wire_messages import build
from common.documents.writes import SERVER_TIME, Absent, Create, Increment, Union, Update
from common.messages import PlayerOutcome
from common.schema_mode import SchemaMode
from tests.support.batch_documents import batch_of, ended

NOON = datetime(2026, 1, 17, 12, tzinfo=UTC)
WITH_DOCUMENTS = [mode for mode in SchemaMode if mode.writes_subcollection]
COMPLETIONS = [ended("ann"), ended("ben", PlayerOutcome.SKIPPED, reason="injured"), ended("cat")]


def test_one_commit_counts_and_creates_and_is_refused_in_a_mode_that_was_left() -> None:
    batch = batch_of(schema_mode="dual_write", mode_epoch=3)

    counted, *created, tombstone = recording.writes(batch, COMPLETIONS)

    assert isinstance(counted, Update) and counted.unchanged_since is None
    assert counted.fields == {
        "completed_count": Increment(2),
        "skipped_count": Increment(1),
        "failed_count": Increment(0),
        "timed_out_count": Increment(0),
        "total_predictions_subcoll": Increment(15),
        "updated_at": SERVER_TIME,
        "total_predictions": Increment(15),
        "completed_players": Union(("ann", "ben", "cat")),
    }
    assert all(isinstance(each, Create) for each in created)
    assert tombstone == Absent(path=f"prediction_batches/{batch.batch_id}/modes/3")


@pytest.mark.parametrize("mode", WITH_DOCUMENTS)
def test_size_of_a_group_is_never_underrated(mode: SchemaMode) -> None:
    many = [
        ended(f"player{n:05}", PlayerOutcome.FAILED, reason="žluť" * n, staging_table="t" * n)
        for n in range(200)
    ]
    batch = batch_of(schema_mode=mode.value)

    request = build("projects/p/databases/(default)", recording.writes(batch, many))

    assert request.ByteSize() <= sum(one.stored_bytes() for one in many) <= 2 * request.ByteSize()


def test_every_field_of_a_completion_is_written() -> None:
    one = ended("ann", late=True, generation=2, staging_table="t", staged_rows=0, reason="r")

    _, created, _ = recording.writes(batch_of(schema_mode="subcollection"), [one])

    assert isinstance(created, Create)
    assert created.fields == {**one.plain_fields(), "completed_at": SERVER_TIME}
    assert Completion.from_document(one.plain_fields()) == one


def test_answer_tells_the_counts_by_outcome_and_the_times() -> None:
    counts = {name: number for number, name in enumerate(COUNTER.values(), start=1)}
    of_batch = Written(update_time=NOON, results={**counts, "total_predictions_subcoll": 5})
    of_completion = Written(update_time=NOON, results={"completed_at": NOON})

    assert recording.committed([of_batch, of_completion]) == recording.Committed(
        counts=Counts(completed=1, skipped=2, failed=3, timed_out=4),
        total_predictions=5,
        written_at=NOON,
        completed_at=NOON,
    )
