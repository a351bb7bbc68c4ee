"""Mode `legacy` and the size of one document: long reasons are cut, and what does not fit names its cure."""

import asyncio
from datetime import UTC, datetime

import pytest

from common.batches.batches import Batches
from common.batches.records import Counts
from common.documents.memory_store import AsyncMemoryDocuments, MemoryDocuments
from common.messages import PlayerCompletion, PlayerOutcome
from common.recorder.recorder import Recorder
from common.result import ErrorType
from common.schema_mode import SchemaMode
from tests.support.batch_helpers import completion, names, opened


@pytest.fixture
def mode() -> SchemaMode:
    return SchemaMode.LEGACY


async def test_seven_hundred_failures_with_long_reasons_fit_into_the_array(
    batches: Batches, recorder: Recorder
) -> None:
    opened(batches, 700)
    failures = [
        completion(name, outcome=PlayerOutcome.FAILED).model_copy(update={"reason": "ø" * 2_000})
        for name in names(700)
    ]

    answers = await asyncio.gather(
        *(recorder.record(each, event_id=f"event-{each.player_lookup}") for each in failures)
    )

    assert all(answer.is_success for answer in answers)
    assert batches.get("batch1").unwrap().counts == Counts(failed=700)
    kept = {one.reason for one in batches.completions("batch1").unwrap()}
    assert kept == {"ø" * 150 + " (cut)"}


async def test_array_that_is_full_by_its_bytes_refuses_with_its_cure_and_loses_nobody() -> None:
    documents = MemoryDocuments(lambda: datetime.now(UTC))
    batches = Batches(documents, mode=SchemaMode.LEGACY)
    recorder = Recorder(AsyncMemoryDocuments(documents), batches)
    opened(batches, 1_000)

    def with_long_table(name: str) -> PlayerCompletion:
        return completion(name).model_copy(update={"staging_table": "t" * 1_000, "staged_rows": 5})

    answers = await asyncio.gather(
        *(recorder.record(with_long_table(name), event_id=name) for name in names(1_000))
    )

    errors = [answer.error for answer in answers if answer.error is not None]
    recorded = batches.get("batch1").unwrap().counts.completed
    assert 600 < recorded < 800 and recorded + len(errors) == 1_000
    assert {(error.type, error.exception_class) for error in errors} == {(ErrorType.PERMANENT, "ArrayFull")}
    assert "upgrade the batch to mode 'subcollection'" in errors[0].message
