import pytest

from common.consolidation.receipt import Receipt
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
        pytest.param({"total_predictions": 0, "failed_players": 3}, MessageStatus.NO_DATA, id="all failed"),
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
