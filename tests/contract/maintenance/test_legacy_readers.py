"""What a reader of the system before sees of a batch in each mode, and after each switch."""

from pathlib import Path
from typing import Any

import pytest

from common.batches.batches import Batches
from common.batches.records import batch_path
from common.maintenance.schema_migration import ORDER, Migration
from common.messages import PlayerOutcome
from common.recorder.recorder import Recorder
from common.schema_mode import SchemaMode
from tests.support.batch_helpers import EVERY_MODE, completion, names, opened

README = Path(__file__).parents[3] / "common" / "README.md"
IN_ARRAY = ("completed_players", "failed_players", "total_predictions")
"""What is kept where a mode writes the array; the rest, where it writes the subcollection."""

LEGACY, DUAL, READS, SUBCOLLECTION = ORDER
DOCUMENTED: dict[SchemaMode, dict[str, Any]] = {
    mode: {
        "completed_players": 18 if mode.writes_array else 0,
        "failed_players": 2 if mode.writes_array else 0,
        "completed_count": 16 if mode.writes_subcollection else 0,
        "completions/": 20 if mode.writes_subcollection else 0,
        "total_predictions": 80 if mode.writes_array else 0,
        "total_predictions_subcoll": 80 if mode.writes_subcollection else 0,
        "is_complete": True,
    }
    for mode in ORDER
}
"""Of 20 players 16 have completed, 2 were skipped and 2 have failed."""


def seen(batches: Batches) -> dict[str, Any]:
    """What that system knows of a batch: lengths of arrays, counter, documents, totals, and its end."""
    path = batch_path("batch1")
    data = batches.store.documents.get([path]).unwrap()[path].data
    documents = batches.store.below("batch1", "completions").unwrap()
    shown = {field: data.get(field, len(documents)) for field in DOCUMENTED[LEGACY]}
    return {field: len(value) if isinstance(value, list) else value for field, value in shown.items()}


async def end(recorder: Recorder, players: list[str]) -> None:
    """Let these of the twenty players end, each in its way."""
    outcomes = [PlayerOutcome.COMPLETED] * 16 + [PlayerOutcome.SKIPPED] * 2 + [PlayerOutcome.FAILED] * 2
    for player, outcome in zip(names(20), outcomes, strict=True):
        if player in players:
            (await recorder.record(completion(player, outcome=outcome), event_id=player)).unwrap()


@EVERY_MODE
async def test_reader_of_the_system_before_sees_these_figures_in_each_mode(
    batches: Batches, recorder: Recorder, mode: SchemaMode
) -> None:
    opened(batches, 20)

    await end(recorder, names(20))

    figures = seen(batches)
    assert figures == DOCUMENTED[mode]
    cells = [mode.value, *(str(figure).lower() for figure in figures.values())]
    lines = README.read_text(encoding="utf-8").splitlines()
    assert f"| mode | {' | '.join(f'`{field}`' for field in figures)} |" in lines
    assert f"| {' | '.join(cells)} |" in lines


@pytest.mark.parametrize(
    ("mode", "to"),
    [(mode, to) for mode in ORDER for to in ORDER if mode is not to],
    ids=lambda mode: mode.value,
)
async def test_what_a_mode_does_not_write_keeps_what_it_said_before_the_switch(
    batches: Batches, recorder: Recorder, mode: SchemaMode, to: SchemaMode
) -> None:
    opened(batches, 20)
    await end(recorder, names(20)[8:])
    before = seen(batches)

    migration = Migration(batches)
    move = migration.upgrade if ORDER.index(to) > ORDER.index(mode) else migration.rollback
    move("batch1", to=to).unwrap()
    await end(recorder, names(8))

    after = seen(batches)
    assert after.pop("is_complete")
    for field, figure in after.items():
        is_written = to.writes_array if field in IN_ARRAY else to.writes_subcollection
        assert figure == (DOCUMENTED[to] if is_written else before)[field], field
