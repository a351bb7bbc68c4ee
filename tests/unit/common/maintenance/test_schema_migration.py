from typing import Any

import pytest

from common.batches.changes import Change
from common.batches.records import Roster
from common.maintenance.schema_migration import plan
from common.messages import PlayerOutcome
from common.schema_mode import SchemaMode
from tests.support.batch_documents import batch_of, ended

LEGACY, DUAL, READS, SUBCOLLECTION = SchemaMode


def roster(players: set[str] | None = None, **fields: Any) -> Roster:
    return Roster(batch=batch_of(status="open", **fields), players=frozenset(players) if players else None)


def planned(found: Roster, documents: list[Any], to: SchemaMode) -> Change:
    change = plan(found, {one.player_lookup: one for one in documents}, to).unwrap()
    assert change is not None
    return change


def test_missing_documents_are_written_and_those_that_are_right_are_left_alone() -> None:
    found = roster(schema_mode="dual_write", completed_players=["ann", "ben"])

    change = planned(found, [ended("ann")], SUBCOLLECTION)

    assert "completions/ben" in change.sets and "completions/ann" not in change.sets
    assert change.fields["completed_count"] == 2


def test_document_left_from_an_earlier_mode_gives_way_to_the_array() -> None:
    skipped = ended("ann", PlayerOutcome.SKIPPED)
    found = roster(completed_players=["ann"], array_entries=[skipped.to_document(None)])

    change = planned(found, [ended("ann", PlayerOutcome.TIMED_OUT)], DUAL)

    assert change.sets["completions/ann"]["outcome"] == "skipped"
    assert (change.fields["skipped_count"], change.fields["timed_out_count"]) == (1, 0)


def test_array_is_filled_from_the_documents_by_outcome() -> None:
    documents = [
        ended("ann"),
        ended("ben", PlayerOutcome.SKIPPED),
        ended("cat", PlayerOutcome.FAILED),
        ended("dan", PlayerOutcome.TIMED_OUT),
    ]

    change = planned(roster(schema_mode="subcollection"), documents, LEGACY)

    assert change.fields["completed_players"] == ["ann", "ben"]
    assert change.fields["failed_players"] == ["cat", "dan"]
    assert change.fields["total_predictions"] == 20
    assert len(change.fields["array_entries"]) == 4


@pytest.mark.parametrize("to", [LEGACY, DUAL], ids=lambda mode: mode.value)
def test_exactly_as_many_players_as_the_array_holds_may_go_back(to: SchemaMode) -> None:
    documents = [ended(f"player{number:05}") for number in range(1_000)]

    change = planned(roster(schema_mode="subcollection", expected_players=1_000), documents, to)

    assert change.fields["completed_players"] == [one.player_lookup for one in documents]


def test_every_switch_leaves_a_tombstone_of_the_mode_before() -> None:
    change = planned(roster(schema_mode="dual_write", mode_epoch=4), [], READS)

    assert list(change.creates) == ["modes/4"]
    assert (change.fields["schema_mode"], change.fields["mode_epoch"]) == ("subcollection_reads", 5)


@pytest.mark.parametrize(
    ("found", "documents", "to", "why"),
    [
        pytest.param(
            roster(schema_mode="dual_write", failed_players=["ann"]),
            [ended("ann")],
            READS,
            "disagree about ['ann']",
            id="array and document disagree",
        ),
        pytest.param(
            roster({"ben"}, schema_mode="subcollection"),
            [ended("ann")],
            READS,
            "not in the manifest: ['ann']",
            id="somebody whom nobody expects",
        ),
        pytest.param(
            roster(schema_mode="subcollection", expected_players=1_001),
            [],
            DUAL,
            "do not fit",
            id="too many for the array",
        ),
        pytest.param(
            roster(completed_players=["../"]), [], SUBCOLLECTION, "'../' cannot be", id="no document id"
        ),
    ],
)
def test_contradiction_is_named_and_nothing_is_planned(
    found: Roster, documents: list[Any], to: SchemaMode, why: str
) -> None:
    error = plan(found, {one.player_lookup: one for one in documents}, to).error

    assert error is not None and why in error.message
