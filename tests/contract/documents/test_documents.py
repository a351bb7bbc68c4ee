"""Documents by path, in Firestore and in memory: the same writes have the same answers."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from common.documents.port import AsyncDocuments, Documents, accepted, is_refused
from common.documents.query import Query, at_least, at_most, below, equal, one_of
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

DOCUMENT = "documents/one"
BELOW = f"{DOCUMENT}/below"
NOON = datetime(2026, 1, 18, 12, tzinfo=UTC)


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
    [masked] = documents.get([f"{BELOW}/ann"], only=("b",)).unwrap().values()
    [without] = documents.get([DOCUMENT], only=("c",)).unwrap().values()
    assert (dict(masked.data), dict(without.data)) == ({"b": [1, {"c": None}]}, {})
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
        pytest.param(Query(where=(one_of("n", (1, 2)),)), ["ann", "cat"], id="one of several values"),
        pytest.param(Query(order_by="n"), ["cat", "ann"], id="by a field, without those that lack it"),
        pytest.param(Query(order_by="n", descending=True), ["ann", "cat"], id="the other way round"),
        pytest.param(Query(order_by="n", limit=1), ["cat"], id="the first"),
        pytest.param(Query(only=()), ["ann", "ben", "cat"], id="names only"),
        pytest.param(Query(where=(equal("n", 7),)), [], id="none"),
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


def test_merged_fields_take_the_place_of_those_before_and_leave_the_others(
    documents: Documents,
) -> None:
    documents.commit([Merge(path=DOCUMENT, fields={"map": {"a": 1, "b": 2}, "kept": 1, "gone": 1})]).unwrap()
    seen = documents.get([DOCUMENT]).unwrap()[DOCUMENT]

    change = {"map": {"c": 3}, "n": Increment(2), "gone": REMOVED}
    [written] = documents.commit([Merge(path=DOCUMENT, fields=change)]).unwrap()

    assert stored(documents) == {"map": {"c": 3}, "kept": 1, "n": 2}
    assert written.results == {"n": 2}
    mine = Update(path=DOCUMENT, fields={"n": 1}, unchanged_since=seen.update_time)
    assert accepted(documents.commit([mine])).unwrap() is False


def test_what_is_due_comes_earliest_first_and_page_by_page(documents: Documents) -> None:
    checks = [NOON - timedelta(minutes=minutes) for minutes in (3, 1, 2, -1, 0, 0)]
    fields: list[dict[str, Any]] = [{"check": check} for check in checks]
    fields += [{"check": None}, {"other": NOON}, {"check": "noon"}]
    documents.commit(
        [Create(path=f"{BELOW}/{number}", fields=each) for number, each in enumerate(fields, start=1)]
    ).unwrap()
    documents.commit([Create(path=f"{DOCUMENT}/others/1", fields={"check": NOON})]).unwrap()

    def pages(query: Query) -> list[list[str]]:
        found = []
        while page := documents.find(BELOW, query).unwrap():
            found.append([document.id for document in page])
            query = replace(query, after=page[-1])
        return found

    due = Query(where=(at_most("check", NOON),), order_by="check", limit=2)
    assert pages(due) == [["1", "3"], ["2", "5"], ["6"]]
    assert pages(replace(due, descending=True)) == [["6", "5"], ["2", "3"], ["1"]]
    assert pages(Query(where=(at_least("check", NOON),), order_by="check", limit=3)) == [["5", "6", "4"]]
    assert pages(Query(limit=4)) == [["1", "2", "3", "4"], ["5", "6", "7", "8"], ["9"]]
    # Also behind one that is gone.
    behind = documents.find(BELOW, Query(after_id="65", limit=2)).unwrap()
    assert [document.id for document in behind] == ["7", "8"]


def test_conditions_hold_all_at_once_and_nothing_is_a_value(documents: Documents) -> None:
    for name, fields in (("ann", {"a": 1, "b": None}), ("ben", {"a": 1, "b": 2}), ("cat", {"a": 1})):
        documents.commit([Create(path=f"{BELOW}/{name}", fields=fields)]).unwrap()

    found = documents.find(BELOW, Query(where=(equal("a", 1), equal("b", None)))).unwrap()

    assert [document.id for document in found] == ["ann"]


def test_of_many_that_create_or_update_at_once_one_wins(documents: Documents) -> None:
    def raced(write: Callable[[int], Write]) -> int:
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda number: documents.commit([write(number)]), range(8)))
        return sum(accepted(each).unwrap() for each in answers)

    created = raced(lambda number: Create(path=DOCUMENT, fields={"by": number}))
    seen = documents.get([DOCUMENT]).unwrap()[DOCUMENT].update_time
    updated = raced(lambda number: Update(path=DOCUMENT, fields={"by": f"{number}"}, unchanged_since=seen))

    assert (created, updated) == (1, 1)


def test_a_moment_that_was_read_can_be_read_again_and_counted_later(documents: Documents) -> None:
    documents.commit([Create(path=f"{BELOW}/ann", fields={"a": 1})]).unwrap()
    moment = documents.get([f"{BELOW}/ann"]).unwrap()[f"{BELOW}/ann"].read_time
    change = Update(path=f"{BELOW}/ann", fields={"a": 2})
    documents.commit([Create(path=f"{BELOW}/ben", fields={"a": 1}), change]).unwrap()

    read = documents.get([f"{BELOW}/ann", f"{BELOW}/ben"], as_of=moment).unwrap()
    then, now = documents.count(BELOW, Query(as_of=moment)).unwrap(), documents.count(BELOW).unwrap()
    named = documents.find(BELOW, Query(as_of=moment, only=())).unwrap()

    assert (then, now, [document.id for document in named]) == (1, 2, ["ann"])
    assert {document.id: document.data for document in read.values()} == {"ann": {"a": 1}}


def test_documents_are_counted_and_summed_without_being_read_and_read_in_part(documents: Documents) -> None:
    for name, fields in (("ann", {"n": 1, "of": "x"}), ("ben", {"n": 2, "of": "x"}), ("cat", {"of": "x"})):
        documents.commit([Create(path=f"{BELOW}/{name}", fields=fields)]).unwrap()
    ones = Query(where=(below("n", 2),), order_by="n")

    assert documents.count_and_sum(BELOW, "n").unwrap() == (2, 3)
    assert documents.count_and_sum(BELOW, "n", Query(where=(equal("n", 2),))).unwrap() == (1, 2)
    assert documents.count(BELOW, Query(where=(equal("of", "x"),))).unwrap() == 3
    assert [each.id for each in documents.find(BELOW, ones).unwrap()] == ["ann"]
    only = documents.find(BELOW, Query(only=("n",))).unwrap()
    assert [each.data for each in only] == [{"n": 1}, {"n": 2}, {}]


def test_what_is_below_a_document_is_found_by_collection_and_goes_only_unchanged(
    documents: Documents,
) -> None:
    documents.commit([Create(path=f"{BELOW}/ann", fields={"n": 1})]).unwrap()
    [written] = documents.commit([Create(path=f"{DOCUMENT}/others/ben", fields={"n": 1})]).unwrap()
    moment = documents.time().unwrap()
    documents.commit([Update(path=f"{BELOW}/ann", fields={"n": 2})]).unwrap()

    changed = documents.commit([Delete(path=f"{BELOW}/ann", unchanged_since=written.update_time)])
    gone = documents.commit([Delete(path=f"{DOCUMENT}/others/ben", unchanged_since=written.update_time)])
    again = documents.commit([Delete(path=f"{DOCUMENT}/others/ben", unchanged_since=written.update_time)])

    assert [accepted(each).unwrap() for each in (changed, gone, again)] == [False, True, False]
    assert documents.collections(DOCUMENT).unwrap() == [BELOW]
    assert written.update_time <= moment <= documents.time().unwrap()


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
