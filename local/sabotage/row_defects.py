"""Rows of the main table that are not as they were merged, each of another player of one batch."""

from typing import Final

from common.batches.records import Batch, BatchStatus
from common.findings import Finding, FindingClass
from common.staging.table_names import staging_table

from .clocks import SABOTEUR
from .defect import ByAudit, ByPerson, Defect, Expected
from .waiting import until
from .world import NOBODY, World

BATCH: Final = "sabotage_rows"
"""The batch whose rows are broken."""
PLAYERS: Final = 7
"""One for each defect, and two whose rows nobody touches."""
_OF_PLAYER: Final = "game_date = @game_date AND player_lookup = @player"


def game_day(world: World) -> dict[str, object]:
    """The parameter `game_date` of the statements here."""
    return {"game_date": world.day(-1)}


def player(world: World, number: int) -> str:
    """Another one for each number."""
    return world.players[:PLAYERS][number]


def _insert_twice(world: World) -> Expected:
    """Every row of the player once more: what an insert-only MERGE of a second writer would leave."""
    world.execute(
        f"INSERT INTO {{main}} SELECT * FROM {{main}} WHERE {_OF_PLAYER}",
        player=player(world, 0),
        **game_day(world),
    )
    return {BATCH: (player(world, 0),)}


def _modify(world: World) -> Expected:
    """Another value and a later time of change: told by the time, which the receipt has, too."""
    world.execute(
        # Later than any consolidation, as another writer would leave it: by the time such a row is told.
        "UPDATE {main} SET predicted_points = 99, updated_at = TIMESTAMP '2099-01-01 00:00:00' "
        f"WHERE {_OF_PLAYER}",
        player=player(world, 1),
        **game_day(world),
    )
    return {BATCH: (player(world, 1),)}


def _break_a_rule(world: World) -> Expected:
    """A value that no worker could have staged; told by date, as rules know no batches."""
    world.execute(
        # The time of change stays: one defect is to make one finding.
        f"UPDATE {{main}} SET confidence_score = 150 WHERE {_OF_PLAYER}",
        player=player(world, 2),
        **game_day(world),
    )
    return {world.day(-1).isoformat(): (player(world, 2),)}


def _lose_rows(world: World) -> Expected:
    """Rows that the receipt counts and the table has no more; the repair asks for the player again."""
    _delete(world, player(world, 3))
    return {BATCH: (player(world, 3),)}


def _lose_a_document(world: World) -> Expected:
    """With the rows, so that they come again with the player, and not beside him."""
    world.completion(BATCH, player(world, 4)).delete()
    _delete(world, player(world, 4))
    return {BATCH: (player(world, 4),)}


def _add_rows_of_nobody(world: World) -> Expected:
    """Rows of somebody whom no batch of the day expects, otherwise as good as any."""
    world.execute(
        f"INSERT INTO {{main}} SELECT * REPLACE (@nobody AS player_lookup) FROM {{main}} WHERE {_OF_PLAYER}",
        player=player(world, 5),
        nobody=NOBODY,
        **game_day(world),
    )
    return {BATCH: (NOBODY,)}


def _delete(world: World, name: str) -> None:
    """Every row of the player on that day."""
    world.execute(f"DELETE FROM {{main}} WHERE {_OF_PLAYER}", player=name, **game_day(world))


def _leave_a_staging_table(world: World) -> Expected:
    """A staging table of a batch that was given up: nobody will ever merge it."""
    # Opened and given up: a batch that is over, and none that nobody knows.
    batch = world.open("sabotage_orphaned_staging", world.players[:1])
    world.batches.abandon(batch.batch_id, who=SABOTEUR, why=SABOTEUR).unwrap()
    name = staging_table(batch.batch_id, SABOTEUR)
    world.execute(f"CREATE TABLE `{world.tables.path(name)}` (player_lookup STRING)")
    return {"staging tables": (name,)}


def _replace(_: World, finding: Finding) -> list[str]:
    """Look closer, then let the repair remove the rows, under the fence of their day, and ask for them again.
    Workers of this system predict the same whenever they are asked.
    """
    return [finding.look, finding.command]


_REPLACED: Final = ByPerson(commands=_replace)


def ask_for_rows(world: World) -> None:
    """Open the batch, and ask the workers for its players."""
    slate = world.slate(world.day(-1), world.players[:PLAYERS])
    world.make_known(slate)
    world.open(BATCH, slate.players, on=slate.game_date)
    world.ask(slate, BATCH)


def has_rows(world: World, *, within_seconds: float) -> bool:
    """Whether the workers have answered in time, and their rows are merged."""
    return until(lambda: is_over(world.batches.get(BATCH).unwrap()), within_seconds=within_seconds)


def is_over(batch: Batch) -> bool:
    """Whether all of it is merged and told, and nobody is missing."""
    is_announced = batch.phase_generation >= batch.generation
    return batch.status is BatchStatus.CONSOLIDATED and is_announced and not batch.counts.timed_out


DEFECTS: Final = (
    Defect(
        finding_class=FindingClass.DUPLICATE_ROW,
        how="a player's rows are inserted again",
        make=_insert_twice,
        mended=_REPLACED,
    ),
    Defect(
        finding_class=FindingClass.MODIFIED_ROW,
        how="a player's rows are changed later",
        make=_modify,
        mended=_REPLACED,
    ),
    Defect(
        finding_class=FindingClass.BROKEN_ROW_RULE,
        how="a confidence of 150",
        make=_break_a_rule,
        mended=_REPLACED,
    ),
    Defect(
        finding_class=FindingClass.MISSING_ROW,
        how="a player's rows are deleted",
        make=_lose_rows,
        mended=ByAudit(),
    ),
    Defect(
        finding_class=FindingClass.MISSING_MARKER,
        how="a player's document and rows are deleted",
        make=_lose_a_document,
        mended=ByAudit(),
    ),
    Defect(
        finding_class=FindingClass.GHOST_ROW,
        how="rows of a player whom nobody expects",
        make=_add_rows_of_nobody,
        mended=_REPLACED,
    ),
    Defect(
        finding_class=FindingClass.ORPHANED_STAGING,
        how="a staging table is left for a day",
        make=_leave_a_staging_table,
        mended=ByAudit(),
    ),
)
