"""The commit that is built by hand is the one that the client would build of the same writes."""

from datetime import UTC, datetime
from typing import Any

import pytest
from google.api_core.datetime_helpers import DatetimeWithNanoseconds
from google.auth.credentials import AnonymousCredentials
from google.cloud import firestore
from google.cloud.firestore_v1.types import CommitRequest, CommitResponse
from google.cloud.firestore_v1.types import Write as Message

from common.documents.port import Written
from common.documents.translation import add
from common.documents.wire_messages import Answers, build
from common.documents.writes import (
    REMOVED,
    SERVER_TIME,
    Absent,
    Create,
    Delete,
    Difference,
    Increment,
    Merge,
    Set,
    Union,
    Update,
    Write,
)

DATABASE = "projects/p/databases/(default)"
NOON = datetime(2026, 1, 17, 12, tzinfo=UTC)
EXACT = DatetimeWithNanoseconds(2026, 1, 17, 12, nanosecond=123_456_789, tzinfo=UTC)
VALUES = {
    "text": "žluť",
    "nothing": None,
    "yes": True,
    "number": -3,
    "fraction": 0.5,
    "time": NOON,
    "exact": EXACT,
    "list": [1, "a", None, {"deep": [False]}],
    "map": {"a": {"b": 1}, "0": 2},
    "empty_list": [],
    "empty_map": {},
}
TRANSFORMS = {"at": SERVER_TIME, "n": Increment(0), "in": Union(("a", 2)), "out": Difference(("b",))}


def by_the_client(write: Write) -> Message:
    client = firestore.Client(project="p", credentials=AnonymousCredentials())
    commit = client.batch()
    add(client, commit, write)
    [message] = commit._write_pbs
    return message


def plain(message: Message) -> dict[str, Any]:
    """Without the order of transforms and of masks, which is ours to choose."""
    content: dict[str, Any] = Message.to_dict(message)
    content["update_transforms"] = sorted(content["update_transforms"], key=lambda each: each["field_path"])
    if content.get("update_mask"):
        content["update_mask"]["field_paths"].sort()
    return content


@pytest.mark.parametrize(
    "write",
    [
        Create(path="days/a", fields=VALUES),
        Create(path="days/a/below/b", fields={**TRANSFORMS, "x": 1}),
        Set(path="days/a", fields={"x": 1, **TRANSFORMS}),
        Set(path="days/a", fields={}),
        Merge(path="days/a", fields={**VALUES, **TRANSFORMS}),
        Update(path="days/a", fields={**VALUES, **TRANSFORMS, "gone": REMOVED}),
        Update(path="days/a", fields=TRANSFORMS),
        Update(path="days/a", fields={"x": 1}, unchanged_since=NOON),
        Update(path="days/a", fields={"x": 1}, unchanged_since=EXACT),
        Delete(path="days/a"),
        Delete(path="days/a", unchanged_since=NOON),
        Absent(path="days/a"),
    ],
    ids=lambda write: type(write).__name__,
)
def test_built_by_hand_it_says_what_the_client_would_say(write: Write) -> None:
    request = CommitRequest(build(DATABASE, [write]))

    assert request.database == DATABASE
    assert [plain(each) for each in request.writes] == [plain(by_the_client(write))]


def test_what_no_store_can_keep_is_refused_before_anything_is_sent() -> None:
    with pytest.raises(TypeError, match="cannot be stored"):
        build(DATABASE, [Create(path="days/a", fields={"x": object()})])


def test_answers_name_what_the_store_computed_in_the_order_of_the_fields() -> None:
    update = Update(path="days/a", fields={"first": Increment(1), "x": 1, **TRANSFORMS})
    writes: list[Write] = [update, Absent(path="days/b")]
    transforms = [each.field_path for each in build(DATABASE, writes).writes[0].update_transforms]
    values: list[dict[str, Any]] = [
        {"integer_value": 7},
        {"timestamp_value": NOON},
        {"integer_value": 8},
        {"null_value": 0},
        {"null_value": 0},
    ]
    of_update = {"update_time": NOON, "transform_results": values}

    answers = Answers(writes, CommitResponse.pb(CommitResponse(write_results=[of_update, {}])))

    assert transforms == ["first", "at", "n", "in", "out"]
    results = {"first": 7, "at": NOON, "n": 8, "in": None, "out": None}
    assert answers[0] == Written(update_time=NOON, results=results)
    assert (len(answers), answers[1].results, answers[:1]) == (2, {}, [answers[0]])
