"""The defects of `--sabotage`, each as a function that makes it on the stores of a finished day.

What no repair mends is undone by the run itself, as a person would. Defects of one round do not disturb each
other; those of a later one build on a day that is sound again.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from google.cloud import firestore

from common.audit.run_checks import SWEEPERS
from common.batches.records import COMPLETIONS
from common.entrypoint.dead_letters import COLLECTION as DEAD_LETTERS
from common.findings import FindingClass
from common.maintenance.sweep_ticks import COLLECTION as SWEEPS
from common.maintenance.sweep_ticks import SweepTicks
from common.predictions.table import REQUESTED_FROM
from common.sport import DatasetRole
from common.staging.table_names import staging_table
from common.topics import PREDICTION_READY

from .sabotage_world import HOUR, SABOTEUR, STUCK, World

NOBODY: Final = "sabotage_nobody"
SAVED: Final = "sabotage_saved_rows"

Change = Callable[[World], Any]


@dataclass(frozen=True, kw_only=True)
class Defect:
    """One class of finding, and how it comes about."""

    finding_class: FindingClass
    make: Change
    undo: Change | None = None
    """For what no repair mends; safe to call again. None: there is a repair."""


def prepare(world: World) -> None:
    """What the day of a deployment has and the played one has not: ticks of the sweeps, who plays in which
    game, and for the undoing the rows of the day."""
    for name in SWEEPERS:
        SweepTicks(world.wiring.documents()).note(name, world.now()).unwrap()
    games = f"`{world.wiring.settings.names.dataset(DatasetRole.ANALYTICS)}.{REQUESTED_FROM.table}`"
    world.execute(f"DROP TABLE IF EXISTS {games}")
    world.execute(
        f"CREATE TABLE {games} (game_date DATE, game_id STRING, player_lookup STRING, processed_at TIMESTAMP)"
    )
    world.execute(
        f"INSERT INTO {games} (game_date, game_id, player_lookup, processed_at) "
        "SELECT DISTINCT game_date, game_id, player_lookup, CURRENT_TIMESTAMP() FROM {main} WHERE {of_day}"
    )
    world.execute(f"CREATE TABLE `{world.tables.path(SAVED)}` AS SELECT * FROM {{main}} WHERE {{of_day}}")


def _restore_rows(world: World) -> None:
    world.execute("DELETE FROM {main} WHERE {of_day}")
    world.execute(f"INSERT INTO {{main}} SELECT * FROM `{world.tables.path(SAVED)}`")


def _lose_an_increment(world: World) -> None:
    world.batch(world.batch_id).update({"completed_count": firestore.Increment(-1)})


def _count_twice(world: World) -> None:
    world.batch(world.batch_id).update({"completed_count": firestore.Increment(1)})


def _record_a_stranger(world: World) -> None:
    stranger = {"player_lookup": NOBODY, "outcome": "completed", "predictions_count": 0, "event_id": SABOTEUR}
    world.batch(world.batch_id).collection(COMPLETIONS).document(NOBODY).set(stranger)


def _lose_a_document(world: World) -> None:
    """With his rows, so that they come again with the player, and not beside him."""
    world.batch(world.batch_id).collection(COMPLETIONS).document(world.player(0)).delete()
    _delete_rows(world, world.player(0))


def _delete_rows(world: World, player: str) -> None:
    world.execute("DELETE FROM {main} WHERE {of_day} AND player_lookup = @player", player=player)


def _insert_twice(world: World) -> None:
    world.execute(
        "INSERT INTO {main} SELECT * FROM {main} WHERE {of_day} AND player_lookup = @player",
        player=world.player(0),
    )


def _modify_rows(world: World) -> None:
    world.execute(
        "UPDATE {main} SET predicted_points = 99, updated_at = TIMESTAMP '2099-01-01 00:00:00' "
        "WHERE {of_day} AND player_lookup = @player",
        player=world.player(1),
    )


def _break_a_rule(world: World) -> None:
    world.execute(
        "UPDATE {main} SET confidence_score = 150 WHERE {of_day} AND player_lookup = @player",
        player=world.player(2),
    )


def _die_with_the_lock(world: World) -> None:
    """A day without work: whoever consolidates the game date may go on."""
    key, ago = world.lock_key(days_later=1), world.now() - HOUR
    world.lock.try_acquire(key, SABOTEUR).unwrap()
    expired = {"acquired_at": ago, "renewed_at": ago, "expires_at": ago + HOUR / 12}
    world.db.document(str(key)).update(expired)


def _hold_a_lock(world: World) -> None:
    key = world.lock_key(days_later=2)
    world.lock.try_acquire(key, SABOTEUR).unwrap()
    later = world.now() + HOUR
    world.db.document(str(key)).update({"acquired_at": world.now() - HOUR, "expires_at": later})


def _give_the_lock_back(world: World) -> None:
    world.lock.force_release(world.lock_key(days_later=2), SABOTEUR, "undone").unwrap()


def _leave_a_staging_table(world: World) -> None:
    table = world.tables.path(staging_table(world.batch_id, SABOTEUR))
    world.execute(f"CREATE TABLE `{table}` (player_lookup STRING)")


def _write_a_dead_letter(world: World) -> None:
    topic = PREDICTION_READY.name(world.wiring.settings.sport)
    letter = {"topic": topic, "error_class": "InvalidMessage", "dead_lettered_at": world.now()}
    world.db.collection(DEAD_LETTERS).document(SABOTEUR).set(letter)


def _discard_it(world: World) -> None:
    world.db.collection(DEAD_LETTERS).document(SABOTEUR).update({"discarded_at": world.now()})


def _miss_a_sweep(world: World) -> None:
    world.db.collection(SWEEPS).document(SWEEPERS[0]).set({"last_run": world.now() - HOUR})


def _sweep(world: World) -> None:
    SweepTicks(world.wiring.documents()).note(SWEEPERS[0], world.now()).unwrap()


def _write_nonsense(world: World) -> None:
    world.batch("sabotage_nonsense").set({"game_date": world.game_date.isoformat()})


def _delete_it(world: World) -> None:
    world.batch("sabotage_nonsense").delete()


def _leave_untriggered(world: World) -> None:
    """Closed an hour ago, by an instance that then died."""
    _open_empty(world, "sabotage_untriggered")


def _hang_in_consolidation(world: World) -> None:
    _open_empty(world, STUCK)
    world.batches.start_consolidation(STUCK, 1).unwrap()


def _open_empty(world: World, batch_id: str) -> None:
    """A batch without players is complete at once."""
    ago = world.now() - HOUR
    prefix = world.wiring.settings.dataset_prefix
    world.batches.open(
        batch_id, world.game_date, [], deadline=world.now() + HOUR, dataset_prefix=prefix
    ).unwrap()
    world.batch(batch_id).update({"closed_at": ago, "trigger_claimed_at": ago})


def _pass_a_deadline(world: World) -> None:
    """A batch that is good enough without the player who never reports."""
    world.batches.open(
        "sabotage_overdue",
        world.game_date,
        [NOBODY],
        deadline=world.now() - HOUR,
        min_completion_pct=0,
        dataset_prefix=world.wiring.settings.dataset_prefix,
    ).unwrap()


ROUNDS: Final[tuple[tuple[Defect, ...], ...]] = (
    (
        Defect(finding_class=FindingClass.LOST_INCREMENT, make=_lose_an_increment),
        Defect(finding_class=FindingClass.GHOST_MARKER, make=_record_a_stranger),
        Defect(finding_class=FindingClass.DUPLICATE_ROW, make=_insert_twice, undo=_restore_rows),
        Defect(finding_class=FindingClass.MODIFIED_ROW, make=_modify_rows, undo=_restore_rows),
        Defect(finding_class=FindingClass.BROKEN_ROW_RULE, make=_break_a_rule, undo=_restore_rows),
        Defect(finding_class=FindingClass.EXPIRED_LOCK, make=_die_with_the_lock),
        Defect(finding_class=FindingClass.LONG_HELD_LOCK, make=_hold_a_lock, undo=_give_the_lock_back),
        Defect(finding_class=FindingClass.ORPHANED_STAGING, make=_leave_a_staging_table),
        Defect(finding_class=FindingClass.WAITING_DEAD_LETTERS, make=_write_a_dead_letter, undo=_discard_it),
        Defect(finding_class=FindingClass.ABSENT_RUN, make=_miss_a_sweep, undo=_sweep),
        Defect(finding_class=FindingClass.UNREADABLE_DOCUMENT, make=_write_nonsense, undo=_delete_it),
    ),
    # Alone: whatever else asked for players again would ask for this one twice.
    (Defect(finding_class=FindingClass.MISSING_MARKER, make=_lose_a_document),),
    (
        Defect(finding_class=FindingClass.DOUBLE_INCREMENT, make=_count_twice),
        Defect(finding_class=FindingClass.UNSENT_TRIGGER, make=_leave_untriggered),
        Defect(finding_class=FindingClass.STUCK_CONSOLIDATION, make=_hang_in_consolidation),
        Defect(finding_class=FindingClass.OVERDUE_BATCH, make=_pass_a_deadline),
    ),
)
"""In their order: the batches of the last round would make the rows of the day those of several."""

CLASSES: Final = tuple(defect.finding_class.value for each in ROUNDS for defect in each)
