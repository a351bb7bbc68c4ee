"""The recording commit that is built by hand is the one that the client library would build."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import firestore
from google.cloud.firestore_v1.types import CommitRequest, CommitResponse, Write

from common.batches.records import Completion, Counts
from common.messages import PlayerOutcome
from common.recorder.commit_request import ARRAY, COUNTER, Committed, build, committed
from common.schema_mode import SchemaMode
from tests.support.batch_documents import batch_of, ended

NOON = datetime(2026, 1, 17, 12, tzinfo=UTC)
COMPLETIONS = [
    ended("ann", staging_table="t", staged_rows=5),
    ended("ben", PlayerOutcome.SKIPPED, reason="injured"),
    ended("cat", PlayerOutcome.FAILED, reason="no features"),
    ended("dan"),
]


@pytest.fixture
def client() -> firestore.Client:
    return firestore.Client(project="p", credentials=AnonymousCredentials())


def by_the_library(client: firestore.Client, mode: SchemaMode, epoch: int) -> list[Write]:
    ref = client.document("prediction_batches/batch1")
    numbers = {name: sum(one.outcome is outcome for one in COMPLETIONS) for outcome, name in COUNTER.items()}
    fields: dict[str, Any] = {name: firestore.Increment(number) for name, number in numbers.items()}
    fields |= {
        "total_predictions_subcoll": firestore.Increment(20),
        "updated_at": firestore.SERVER_TIMESTAMP,
    }
    if mode.writes_array:
        fields["total_predictions"] = firestore.Increment(20)
        for array in set(ARRAY.values()):
            players = [one.player_lookup for one in COMPLETIONS if ARRAY[one.outcome] == array]
            fields[array] = firestore.ArrayUnion(players)
    commit = client.batch()
    commit.update(ref, fields)
    for one in COMPLETIONS:
        marker = ref.collection("completions").document(one.player_lookup)
        commit.create(marker, one.to_document(firestore.SERVER_TIMESTAMP))
    commit.delete(ref.collection("modes").document(str(epoch)), option=client.write_option(exists=False))
    return list(commit._write_pbs)


def plain(write: Write) -> dict[str, Any]:
    """Without the order of the transforms, which is ours to choose."""
    content: dict[str, Any] = Write.to_dict(write)
    content["update_transforms"] = sorted(content["update_transforms"], key=lambda each: each["field_path"])
    return content


@pytest.mark.parametrize("mode", [mode for mode in SchemaMode if mode.writes_subcollection])
def test_built_by_hand_it_says_what_the_library_would_say(client: firestore.Client, mode: SchemaMode) -> None:
    batch = batch_of(schema_mode=mode.value, mode_epoch=3)

    request = CommitRequest(build(client, batch, COMPLETIONS))

    assert request.database == "projects/p/databases/(default)"
    assert [plain(each) for each in request.writes] == [
        plain(each) for each in by_the_library(client, mode, epoch=3)
    ]


def test_every_field_of_a_completion_is_written(client: firestore.Client) -> None:
    one = ended("ann", late=True, generation=2, staging_table="t", staged_rows=0, reason="r")

    request = CommitRequest(build(client, batch_of(schema_mode="subcollection"), [one]))

    assert set(request.writes[1].update.fields) == set(one.plain_fields())
    assert Completion.from_document(one.plain_fields()) == one


def test_counts_are_the_first_transforms_in_the_order_of_the_request(client: firestore.Client) -> None:
    batch = batch_of(schema_mode="dual_write")
    request = CommitRequest(build(client, batch, COMPLETIONS))
    transforms = [each.field_path for each in request.writes[0].update_transforms]

    values = [{"integer_value": number} for number, _ in enumerate(transforms, start=1)]
    of_batch = {"update_time": NOON, "transform_results": values}
    of_completion = {"transform_results": [{"timestamp_value": NOON - timedelta(milliseconds=1)}]}
    answer = CommitResponse.pb(CommitResponse(write_results=[of_batch, of_completion]))

    assert transforms[:5] == [*COUNTER.values(), "total_predictions_subcoll"]
    assert committed(answer) == Committed(
        counts=Counts(completed=1, skipped=2, failed=3, timed_out=4),
        total_predictions=5,
        written_at=NOON,
        completed_at=NOON - timedelta(milliseconds=1),
    )
