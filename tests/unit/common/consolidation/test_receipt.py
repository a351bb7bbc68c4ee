from dataclasses import MISSING, fields
from datetime import datetime, timedelta, timezone

import pytest

from common.consolidation.receipt import MergedTable, Receipt
from common.messages import MessageStatus
from tests.support.receipts import receipt


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        pytest.param({}, MessageStatus.SUCCESS, id="everybody completed"),
        pytest.param({"completed_players": 2, "skipped_players": 1}, MessageStatus.SUCCESS, id="one skipped"),
        pytest.param({"failed_players": 1}, MessageStatus.PARTIAL, id="one failed"),
        pytest.param({"timed_out_players": 1}, MessageStatus.PARTIAL, id="one timed out"),
        pytest.param({"unstaged_players": 1}, MessageStatus.PARTIAL, id="rows of one are nowhere"),
        pytest.param({"total_predictions": 0, "skipped_players": 3}, MessageStatus.NO_DATA, id="all skipped"),
        pytest.param({"total_predictions": 0, "failed_players": 3}, MessageStatus.FAILED, id="all failed"),
        pytest.param(
            {"total_predictions": 0, "failed_players": 2, "timed_out_players": 1},
            MessageStatus.FAILED,
            id="all failed or timed out",
        ),
        pytest.param(
            {"total_predictions": 0, "failed_players": 2, "skipped_players": 1},
            MessageStatus.PARTIAL,
            id="some failed, and the others had nothing to do",
        ),
        pytest.param(
            {"total_predictions": 0, "unstaged_players": 3},
            MessageStatus.PARTIAL,
            id="rows of all are nowhere, which is not to have none",
        ),
        pytest.param({"contradicting_rows": 1}, MessageStatus.PARTIAL, id="a row was dropped for another"),
        pytest.param(
            {"total_predictions": 0, "expected_players": 0}, MessageStatus.NO_DATA, id="nobody expected"
        ),
        pytest.param(
            {"keys_in_main": 0, "generation": 2}, MessageStatus.SUCCESS, id="rows of earlier generations"
        ),
    ],
)
def test_the_status_tells_what_the_batch_came_to(fields: dict[str, int], status: MessageStatus) -> None:
    assert receipt(**fields).status is status


def test_a_receipt_is_read_back_from_its_document() -> None:
    assert Receipt.from_document(receipt().to_document()) == receipt()


def test_what_the_store_adds_to_the_document_is_ignored() -> None:
    assert Receipt.from_document({**receipt().to_document(), "added": 1}) == receipt()


def test_a_receipt_of_an_earlier_release_is_read_and_lets_nothing_be_dropped() -> None:
    """It counted the rows of its tables, and did not note which tables they were."""
    document = receipt().to_document() | {"tables": {"_staging_batch1_w1": 15}}
    for later in ("correlation_id", "unstaged_names", "contradicting_rows"):
        del document[later]

    read = Receipt.from_document(document)

    assert read.tables == {"_staging_batch1_w1": MergedTable(rows=15, created_at=None)}
    assert (read.correlation_id, read.unstaged_names, read.contradicting_rows) == (None, (), 0)


@pytest.mark.parametrize("name", [field.name for field in fields(Receipt) if field.default is MISSING])
def test_what_is_no_receipt_is_told_by_the_field_that_it_lacks(name: str) -> None:
    document = receipt().to_document()
    del document[name]

    with pytest.raises(KeyError, match=name):
        Receipt.from_document(document)


def test_receipt_read_back_has_the_digest_that_it_was_written_with() -> None:
    written = receipt(correlation_id="c", unstaged_names=("amy",))
    in_new_york = {
        name: value.astimezone(timezone(timedelta(hours=-5))) if isinstance(value, datetime) else value
        for name, value in written.to_document().items()
    }

    assert Receipt.from_document(in_new_york).digest == written.digest
