from common.batches.dual_write_check import Mismatch, slack_message

MISMATCH = Mismatch(
    batch_id="batch1",
    array_count=3,
    document_count=5,
    counter=4,
    only_in_array=(),
    only_in_documents=("ann", "ben"),
)


def test_alert_says_what_the_alert_before_said_and_names_the_players() -> None:
    message = slack_message(MISMATCH)

    assert message["username"] == "Prediction Coordinator"
    assert message["icon_emoji"] == ":rotating_light:"
    assert "Dual-Write Consistency Mismatch" in message["text"]
    for fact in (
        "*Batch:* batch1",
        "*Array count:* 3",
        "*Subcollection count:* 5",
        "*Difference:* 2",
        "*Only in array:* nobody",
        "*Only in subcollection:* ann, ben",
    ):
        assert fact in message["text"]
