"""`verify` names the key that was changed in the warehouse, and the receipt that is not as it was written."""

from datetime import UTC, datetime

import pytest

from common.audit.row_rules import Day
from common.batches.records import batch_path
from ops.verifying.keys import CLOCKS_DIFFER, keys_of, merged, told
from tests.support.consolidation_stack import TABLES
from tests.support.ops_cli import Said
from tests.support.verdict_world import PLAYERS, VerdictWorld

LINE = "24.5"


@pytest.fixture(autouse=True)
def surrounded(world: VerdictWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in world.environment.items():
        monkeypatch.setenv(name, value)


def verified(world: VerdictWorld, name: str) -> Said:
    return world.ops("verify", world.day(name).isoformat())


def twice_consolidated(world: VerdictWorld, name: str) -> None:
    """One player came late: two receipts."""
    world.open(name, min_completion_pct=50)
    world.end(name, *PLAYERS[:3])
    world.ops("close", name, "--why", "late", "--yes")
    world.consolidate(name)
    world.end(name, PLAYERS[3])
    world.consolidate(name)


def test_key_that_was_changed_or_is_there_twice_is_named(world: VerdictWorld) -> None:
    world.close("keys")
    world.consolidate("keys")
    sound = verified(world, "keys")
    of_day = f"WHERE game_date = DATE '{world.day('keys')}' AND player_lookup"

    for statement in (
        f"UPDATE `{TABLES.main}` SET predicted_points = 99, updated_at = TIMESTAMP '2099-01-01 00:00:00' "
        f"{of_day} = 'amy'",
        f"INSERT INTO `{TABLES.main}` SELECT * FROM `{TABLES.main}` {of_day} = 'bob'",
    ):
        world.stack.warehouse.execute(statement).unwrap()
    said = verified(world, "keys")

    assert sound.status == 0 and "4 keys by 1 receipt" in sound.output
    # Nobody is told that values were compared where they were not.
    assert "Values were not compared: " in sound.output
    assert said.status == 1
    lines = [line.strip() for line in said.output.splitlines() if line.startswith("  ")]
    assert len(lines) == 2
    assert "amy" in lines[0] and "was changed at 2099-01-01 00:00:00" in lines[0] and LINE in lines[0]
    assert "bob" in lines[1] and "is there 2 times" in lines[1]


def test_values_changed_without_a_mark_are_seen_by_the_past_of_the_table(
    world: VerdictWorld,
) -> None:
    world.close("values")
    world.consolidate("values")
    day, tables = world.day("values"), world.stack.warehouse
    of_day = f"WHERE game_date = DATE '{day}' AND player_lookup"
    # The emulator keeps a table as it was after each statement of DML, though not after a script.
    tables.execute(f"UPDATE `{TABLES.main}` SET is_active = is_active {of_day} = 'bob'").unwrap()
    merged_at = datetime.now(UTC)
    tables.execute(f"UPDATE `{TABLES.main}` SET predicted_points = 99 {of_day} = 'amy'").unwrap()
    tables.execute(f"DELETE FROM `{TABLES.main}` {of_day} = 'dee'").unwrap()

    merged_day = Day(
        game_date=day, batch_ids=("values",), key_count=4, consolidated_at=merged_at - CLOCKS_DIFFER
    )
    found = merged(tables, TABLES, merged_day, now=datetime.now(UTC))
    keys = keys_of(tables, TABLES, day, sorted(found.differing))
    said = {key[1]: why for key, why in told(keys, found, merged_at)}

    assert found.differing == {"amy", "dee"}
    assert said["amy"] == "has other values than were merged, and bears no mark of a change"
    assert said["dee"] == "is gone since its consolidation"


def test_receipt_that_is_not_as_it_was_written_is_named(world: VerdictWorld) -> None:
    twice_consolidated(world, "receipts")
    assert verified(world, "receipts").status == 0
    receipts = world.db.document(batch_path("receipts")).collection("receipts")
    first, second = sorted(receipts.get(), key=lambda each: int(each.id))
    written = {each.reference: each.to_dict() or {} for each in (first, second)}

    first.reference.update({"keys_in_main": 1})
    changed = verified(world, "receipts")
    first.reference.delete()
    removed = verified(world, "receipts")
    first.reference.set(written[second.reference])
    second.reference.set(written[first.reference])
    misplaced = verified(world, "receipts")
    for reference, fields in written.items():
        reference.set(fields)
    again = verified(world, "receipts")

    path = f"{batch_path('receipts')}/receipts/{first.id}"
    for said, what in ((changed, "changed"), (removed, "removed"), (misplaced, "misplaced")):
        assert said.status == 1
        assert f"{what} receipt: {path}: " in said.output
    assert again.status == 0
