"""What a recount writes, as a table: nothing where all agrees, else what the documents say."""

from collections.abc import Collection
from dataclasses import replace
from typing import Any

import pytest

from common.batches.completion import Completion
from common.batches.records import BatchStatus, Counts
from common.maintenance.recount import plan
from common.messages import PlayerOutcome
from common.schema_mode import SchemaMode
from tests.support.batch_documents import batch_of, ended

PLAYERS = ("ann", "ben", "cat")
SOUND = replace(
    batch_of(),
    expected_players=3,
    schema_mode=SchemaMode.SUBCOLLECTION,
    status=BatchStatus.COMPLETE,
    counts=Counts(completed=3),
    counter=3,
    total_predictions=15,
    in_array={},
    manifest_digest="digest",
)


def documents(*names: str) -> dict[str, Completion]:
    return {name: replace(ended(name), predictions_count=5, event_id=f"event-{name}") for name in names}


def test_where_all_agrees_nothing_is_written() -> None:
    assert plan(SOUND, documents(*PLAYERS), PLAYERS) is None


@pytest.mark.parametrize(
    ("there", "lost", "fields", "deletes", "sets"),
    [
        pytest.param(
            PLAYERS,
            (),
            {"completed_count": 3, "total_predictions_subcoll": 15},
            (),
            set(),
            id="counters that differ",
        ),
        pytest.param(
            (*PLAYERS, "zoe"),
            (),
            {"completed_count": 3, "total_predictions_subcoll": 15},
            ("completions/zoe",),
            {"unexpected/zoe"},
            id="a player whom nobody expects",
        ),
        pytest.param(
            ("ann", "cat"),
            ("ben",),
            {"completed_count": 2, "timed_out_count": 1, "total_predictions_subcoll": 10},
            (),
            {"completions/ben"},
            id="a lost document",
        ),
        pytest.param(
            PLAYERS,
            ("ben",),
            {"completed_count": 2, "timed_out_count": 1, "total_predictions_subcoll": 10},
            (),
            {"completions/ben"},
            id="lost rows",
        ),
    ],
)
def test_counters_follow_the_documents_that_there_should_be(
    there: Collection[str],
    lost: Collection[str],
    fields: dict[str, Any],
    deletes: tuple[str, ...],
    sets: set[str],
) -> None:
    broken = replace(SOUND, counts=Counts(completed=7), counter=7)

    change = plan(broken, documents(*there), PLAYERS, lost)

    assert change is not None
    assert {name: change.fields[name] for name in fields} == fields
    assert change.deletes == deletes
    assert {path for path in change.sets if not path.startswith("timeline/")} == sets


def test_player_of_an_open_batch_who_has_no_document_is_left_to_come() -> None:
    an_open_one = replace(SOUND, status=BatchStatus.OPEN, counts=Counts(completed=3))

    change = plan(an_open_one, documents("ann", "cat"), PLAYERS, ("ben",))

    assert change is not None
    assert change.fields["completed_count"] == 2 and change.fields["timed_out_count"] == 0


def test_arrays_are_written_anew_where_the_batch_has_them() -> None:
    both = replace(SOUND, schema_mode=SchemaMode.DUAL_WRITE, in_array=documents("ann"))
    failed = {"cat": replace(documents("cat")["cat"], outcome=PlayerOutcome.FAILED)}

    change = plan(both, {**documents("ann", "ben"), **failed}, PLAYERS)

    assert change is not None
    assert change.fields["completed_players"] == ["ann", "ben"]
    assert change.fields["failed_players"] == ["cat"]
