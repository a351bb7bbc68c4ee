"""The recording commit that is built by hand is the one that the client would build of the same writes."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import firestore
from google.cloud.firestore_v1.types import CommitRequest, CommitResponse, Write

from common.batches import recording
from common.batches.port import Committed
from common.batches.records import COUNTER, Completion, Counts
from common.batches.store import add
from common.batches.wire_commit import LOOKED_AT_RELEASE, build, committed
from common.messages import PlayerOutcome
from common.schema_mode import SchemaMode
from tests.support.batch_documents import batch_of, ended

DATABASE = "projects/p/databases/(default)"
NOON = datetime(2026, 1, 17, 12, tzinfo=UTC)
COMPLETIONS = [
    ended("ann", staging_table="t", staged_rows=5),
    ended("ben", PlayerOutcome.SKIPPED, reason="injured"),
    ended("cat", PlayerOutcome.FAILED, reason="no features"),
    ended("dan"),
]


def by_the_client(mode: SchemaMode, epoch: int) -> list[Write]:
    client = firestore.Client(project="p", credentials=AnonymousCredentials())
    commit = client.batch()
    batch = batch_of(schema_mode=mode.value, mode_epoch=epoch)
    for write in recording.writes(batch, COMPLETIONS):
        add(client, commit, write)
    return list(commit._write_pbs)


def plain(write: Write) -> dict[str, Any]:
    """Without the order of the transforms, which is ours to choose."""
    content: dict[str, Any] = Write.to_dict(write)
    content["update_transforms"] = sorted(content["update_transforms"], key=lambda each: each["field_path"])
    return content


@pytest.mark.parametrize("mode", [mode for mode in SchemaMode if mode.writes_subcollection])
def test_built_by_hand_it_says_what_the_client_would_say(mode: SchemaMode) -> None:
    batch = batch_of(schema_mode=mode.value, mode_epoch=3)

    request = CommitRequest(build(DATABASE, batch, COMPLETIONS))

    assert request.database == DATABASE
    assert [plain(each) for each in request.writes] == [plain(each) for each in by_the_client(mode, epoch=3)]


@pytest.mark.parametrize("mode", [mode for mode in SchemaMode if mode.writes_subcollection])
def test_size_of_a_group_is_never_underrated(mode: SchemaMode) -> None:
    many = [
        ended(f"player{n:05}", PlayerOutcome.FAILED, reason="žluť" * n, staging_table="t" * n)
        for n in range(200)
    ]
    batch = batch_of(schema_mode=mode.value)

    request = build(DATABASE, batch, many)

    assert request.ByteSize() <= sum(one.stored_bytes() for one in many) <= 2 * request.ByteSize()


def test_every_field_of_a_completion_is_written() -> None:
    one = ended("ann", late=True, generation=2, staging_table="t", staged_rows=0, reason="r")

    request = CommitRequest(build(DATABASE, batch_of(schema_mode="subcollection"), [one]))

    assert set(request.writes[1].update.fields) == set(one.plain_fields())
    assert Completion.from_document(one.plain_fields()) == one


def test_counts_are_the_first_transforms_in_the_order_of_the_request() -> None:
    batch = batch_of(schema_mode="dual_write")
    request = CommitRequest(build(DATABASE, batch, COMPLETIONS))
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


def test_the_pinned_client_is_the_one_whose_inside_was_looked_at() -> None:
    """When this fails: compare what the module names with the new release, then state the release there."""
    pins = (Path(__file__).parents[4] / "requirements.txt").read_text(encoding="utf-8").splitlines()

    assert f"google-cloud-firestore=={LOOKED_AT_RELEASE}" in pins
