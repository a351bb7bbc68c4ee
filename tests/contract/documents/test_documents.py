"""Documents by path, in Firestore and in memory: the same writes have the same answers."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from common.documents.port import AsyncDocuments, Documents, Query, is_refused
from common.documents.writes import (
    REMOVED,
    SERVER_TIME,
    Absent,
    Create,
    Delete,
    Difference,
    Increment,
    Set,
    Union,
    Update,
    Write,
)

DOCUMENT = "documents/one"
BELOW = f"{DOCUMENT}/below"


def stored(documents: Documents, path: str = DOCUMENT) -> dict[str, Any] | None:
    found = documents.get([path]).unwrap()
    return dict(found[path].data) if path in found else None


def test_only_what_exists_is_found_and_all_of_it_as_of_one_moment(documents: Documents) -> None:
    documents.commit([Create(path=DOCUMENT, fields={"a": 1})]).unwrap()
    documents.commit([Create(path=f"{BELOW}/ann", fields={"b": [1, {"c": None}]})]).unwrap()

    found = documents.get([DOCUMENT, f"{BELOW}/ann", f"{BELOW}/ben"]).unwrap()

    assert {path: dict(document.data) for path, document in found.items()} == {
        DOCUMENT: {"a": 1},
        f"{BELOW}/ann": {"b": [1, {"c": None}]},
    }
    assert len({document.read_time for document in found.values()}) == 1
    assert found[DOCUMENT].update_time < found[f"{BELOW}/ann"].update_time <= found[DOCUMENT].read_time


def test_every_placeholder_and_transform_does_and_tells_what_it_says(documents: Documents) -> None:
    fields = {"kept": "k", "gone": 1, "number": 1, "names": ["a", "b"], "others": ["a", "b", "a"]}
    documents.commit([Create(path=DOCUMENT, fields=fields)]).unwrap()

    change = {
        "gone": REMOVED,
        "number": Increment(4),
        "new_number": Increment(-2),
        "names": Union(("b", "c", "c")),
        "others": Difference(("a",)),
        "at": SERVER_TIME,
    }
    [written] = documents.commit([Update(path=DOCUMENT, fields=change)]).unwrap()

    now = stored(documents)
    assert now is not None
    at = now.pop("at")
    assert now == {"kept": "k", "number": 5, "new_number": -2, "names": ["a", "b", "c"], "others": ["b"]}
    assert (written.results["number"], written.results["new_number"]) == (5, -2)
    assert written.results["at"] == at
    assert abs(at - datetime.now(UTC)) < timedelta(minutes=1)


@pytest.mark.parametrize(
    "second",
    [
        pytest.param(Create(path=DOCUMENT, fields={"a": 2}), id="created although it exists"),
        pytest.param(Update(path=f"{BELOW}/ben", fields={"a": 2}), id="updated although it does not exist"),
        pytest.param(
            Update(path=DOCUMENT, fields={"a": 2}, unchanged_since=datetime(2026, 1, 1, tzinfo=UTC)),
            id="updated although it was written since",
        ),
        pytest.param(Absent(path=DOCUMENT), id="absent although it exists"),
    ],
)
def test_a_refused_write_takes_its_whole_commit_along(documents: Documents, second: Write) -> None:
    documents.commit([Create(path=DOCUMENT, fields={"a": 1})]).unwrap()

    refused = documents.commit([Set(path=f"{BELOW}/ann", fields={"b": 1}), second])

    assert is_refused(refused) and refused.is_retryable
    assert refused.error is not None and refused.error.details == {"document": BELOW + "/ann"}
    assert stored(documents) == {"a": 1}
    assert stored(documents, f"{BELOW}/ann") is None


def test_each_commit_has_an_update_time_of_its_own_that_its_answer_tells(documents: Documents) -> None:
    [first] = documents.commit([Create(path=DOCUMENT, fields={"a": 1})]).unwrap()
    change = Update(path=DOCUMENT, fields={"a": 2}, unchanged_since=first.update_time)

    [second] = documents.commit([change]).unwrap()
    again = documents.commit([change])

    assert second.update_time > first.update_time
    assert documents.get([DOCUMENT]).unwrap()[DOCUMENT].update_time == second.update_time
    assert is_refused(again)


def test_what_is_deleted_or_required_to_be_absent_leaves_nothing(documents: Documents) -> None:
    documents.commit([Create(path=DOCUMENT, fields={"a": 1})]).unwrap()

    documents.commit([Delete(path=DOCUMENT), Absent(path=f"{BELOW}/ann")]).unwrap()
    documents.commit([Delete(path=DOCUMENT)]).unwrap()

    assert stored(documents) is None and stored(documents, f"{BELOW}/ann") is None


@pytest.mark.parametrize(
    ("query", "found"),
    [
        pytest.param(Query(), ["ann", "ben", "cat"], id="by name"),
        pytest.param(Query(where=("n", (1, 2))), ["ann", "cat"], id="one of several values"),
        pytest.param(Query(order_by="n"), ["cat", "ann"], id="by a field, without those that lack it"),
        pytest.param(Query(order_by="n", descending=True), ["ann", "cat"], id="the other way round"),
        pytest.param(Query(order_by="n", limit=1), ["cat"], id="the first"),
        pytest.param(Query(names_only=True), ["ann", "ben", "cat"], id="names only"),
        pytest.param(Query(where=("n", (7,))), [], id="none"),
    ],
)
def test_documents_are_found_in_the_order_that_is_asked_for(
    documents: Documents, query: Query, found: Sequence[str]
) -> None:
    for name, fields in (("ben", {"m": 1}), ("cat", {"n": 1}), ("ann", {"n": 2})):
        documents.commit([Create(path=f"{BELOW}/{name}", fields=fields)]).unwrap()

    assert [document.id for document in documents.find(BELOW, query).unwrap()] == found


def test_those_that_have_one_time_are_ordered_by_name_in_either_direction(documents: Documents) -> None:
    creates = [Create(path=f"{BELOW}/{name}", fields={"at": SERVER_TIME}) for name in ("b", "c", "a")]
    documents.commit(creates).unwrap()

    first, last = (
        documents.find(BELOW, Query(order_by="at", descending=descending, limit=1)).unwrap()[0].id
        for descending in (False, True)
    )

    assert (first, last) == ("a", "c")


def test_a_moment_that_was_read_can_be_counted_later(documents: Documents) -> None:
    documents.commit([Create(path=f"{BELOW}/ann", fields={"a": 1})]).unwrap()
    moment = documents.get([f"{BELOW}/ann"]).unwrap()[f"{BELOW}/ann"].read_time
    documents.commit([Create(path=f"{BELOW}/ben", fields={"a": 1})]).unwrap()

    then, now = documents.count(BELOW, as_of=moment).unwrap(), documents.count(BELOW).unwrap()
    named = documents.find(BELOW, Query(as_of=moment, names_only=True)).unwrap()

    assert (then, now, [document.id for document in named]) == (1, 2, ["ann"])


async def test_tasks_of_an_event_loop_write_and_read_the_same(
    documents: Documents, async_documents: AsyncDocuments
) -> None:
    nested = {"list": [1, {"a": None}], "at": datetime(2026, 1, 17, tzinfo=UTC), "share": 0.5}
    writes: list[Write] = [
        Create(path=DOCUMENT, fields={"n": 1}),
        Set(path=f"{BELOW}/ann", fields={**nested, "by": SERVER_TIME}),
    ]
    first = (await async_documents.commit(writes)).unwrap()
    change = {"n": Increment(2), "names": Union(("a",)), "x": "y"}
    update = Update(path=DOCUMENT, fields=change, unchanged_since=first[0].update_time)

    [second] = (await async_documents.commit([update])).unwrap()
    refused = await async_documents.commit([Delete(path=f"{BELOW}/ann"), update])

    found = (await async_documents.get([DOCUMENT, f"{BELOW}/ann", f"{BELOW}/ben"])).unwrap()
    assert found.keys() == {DOCUMENT, f"{BELOW}/ann"} == documents.get(list(found)).unwrap().keys()
    assert found[DOCUMENT].data == {"n": 3, "names": ["a"], "x": "y"}
    assert found[f"{BELOW}/ann"].data == {**nested, "by": first[1].results["by"]}
    assert (second.results, second.update_time) == ({"n": 3, "names": None}, found[DOCUMENT].update_time)
    assert is_refused(refused)
