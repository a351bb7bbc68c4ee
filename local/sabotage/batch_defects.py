"""Batches that do not say what their documents say, or that stand still: each in a small batch of its own."""

from datetime import timedelta
from typing import Final

from google.cloud import firestore

from common.batches.records import Batch
from common.findings import Finding, FindingClass, operator_command
from common.maintenance.deadlines import OverdueBatches
from common.schema_mode import SchemaMode

from .clocks import HOUR, SABOTEUR, STUCK
from .defect import ByAudit, ByPerson, Defect, Expected, Otherwise
from .world import NOBODY, World

FAILED: Final = "sabotage_failed_batch"
"""The batch that fails at its deadline."""
SLOW: Final = "sabotage_slow_batch"
"""The batch that misses its deadline."""
UNTRIGGERED: Final = "sabotage_unsent_trigger"
"""The batch whose trigger was never sent."""
_ARRAY_PLAYERS: Final = 950
"""More than the warning, and fewer than the array takes."""


def _half_done(world: World, batch_id: str) -> Batch:
    """An open batch of four players, of whom two have ended: nothing of it is due while an audit looks."""
    players = world.players[:4]
    batch = world.open(batch_id, players)
    world.skip(batch, players[:2])
    return batch


def _lose_an_increment(world: World) -> Expected:
    """The counter says one player less than there are documents; named is the batch, as nobody is lost."""
    batch = _half_done(world, "sabotage_lost_increment")
    # Past the recorder: by way of it no increment can be lost.
    world.batch(batch.batch_id).update({"skipped_count": firestore.Increment(-1)})
    return {batch.batch_id: None}


def _count_twice(world: World) -> Expected:
    """The counter says one player more than there are documents."""
    batch = _half_done(world, "sabotage_double_increment")
    world.batch(batch.batch_id).update({"skipped_count": firestore.Increment(1)})
    return {batch.batch_id: None}


def _record_a_stranger(world: World) -> Expected:
    """A completion document of somebody who is not in the manifest; the finding has to name them."""
    batch = _half_done(world, "sabotage_ghost_marker")
    stranger = {"player_lookup": NOBODY, "outcome": "skipped", "predictions_count": 0, "event_id": SABOTEUR}
    # Past the recorder, which would keep it apart from the completions.
    world.completion(batch.batch_id, NOBODY).set(stranger)
    return {batch.batch_id: (NOBODY,)}


def _count_as_another_outcome(world: World) -> Expected:
    """Two counters that differ from the documents, while their sum agrees with them."""
    batch = _half_done(world, "sabotage_contradicting_outcomes")
    # Their sum stays: else it would be a lost increment.
    one_less, one_more = firestore.Increment(-1), firestore.Increment(1)
    world.batch(batch.batch_id).update({"skipped_count": one_less, "completed_count": one_more})
    return {batch.batch_id: None}


def _leave_untriggered(world: World) -> Expected:
    """Closed an hour ago, by an instance that then died. A batch without players is complete at once."""
    batch = world.open(UNTRIGGERED, ())
    ago = world.now() - HOUR
    world.batch(batch.batch_id).update({"closed_at": ago, "trigger_claimed_at": ago})
    return {batch.batch_id: None}


def _hang_in_consolidation(world: World) -> Expected:
    """A batch in `consolidating` for which nobody holds the lock: whoever began it is dead."""
    world.open(STUCK, ())
    # How old this is, the auditor's reader makes up (`clocks`): no client sets when a document was written.
    world.batches.start_consolidation(STUCK, 1).unwrap()
    return {STUCK: None}


def _pass_a_deadline(world: World) -> Expected:
    """Open past its deadline, and good enough without the player who never reports: it closes as partial."""
    batch = world.open("sabotage_overdue_batch", world.players[:1], deadline=-HOUR, min_completion_pct=0)
    return {batch.batch_id: None}


def _fail_at_the_deadline(world: World) -> Expected:
    """Closed at its deadline with nobody heard of; the repair asks for its players again."""
    slate = world.slate(world.day_of(FAILED), world.players[:2])
    world.make_known(slate)
    batch = world.open(FAILED, slate.players, deadline=-HOUR)
    # Closed as the sweep closes it, so that the failure is a real one.
    OverdueBatches(world.batches, world.wiring.outbox()).resume(batch, world.now()).unwrap()
    return {batch.batch_id: None}


def _be_too_slow(world: World) -> Expected:
    """Half of the players in fifty minutes, and ten minutes for the others: even the earliest end is too
    late.
    """
    # A redrive asks for the players with their games, so these have to be known.
    slate = world.slate(world.day_of(SLOW), world.players[:6])
    world.make_known(slate)
    batch = world.open(SLOW, slate.players, deadline=HOUR / 6)
    done = slate.players[:3]
    world.skip(batch, done)
    now, step = world.now(), timedelta(minutes=15)
    world.batch(batch.batch_id).update({"start_time": now - HOUR * 5 / 6})
    for number, player in enumerate(done):
        world.completion(batch.batch_id, player).update({"completed_at": now - step * (number + 1)})
    return {batch.batch_id: None}


def _ask_the_missing(world: World, finding: Finding) -> list[str]:
    """Watched at the end: that ends with the batch."""
    return [operator_command("redrive", finding.scope.name, "--missing"), finding.command]


def _fill_an_array(world: World) -> Expected:
    """More players in the legacy array than may stand there without a warning; a migration mends it."""
    players = [f"{SABOTEUR}{number:04}" for number in range(_ARRAY_PLAYERS + 1)]
    batch = world.open("sabotage_array_nearly_full", players, mode=SchemaMode.LEGACY)
    # All but one: a batch whose players have all ended would be closed, and told as another defect.
    world.batch(batch.batch_id).update({"completed_players": players[:-1]})
    return {batch.batch_id: None}


def _write_nonsense(world: World) -> Expected:
    """A document that is no batch: found, told, and never taken for an empty one."""
    batch_id = "sabotage_unreadable"
    # Enough to be found by its date, and too little for a batch.
    world.batch(batch_id).set({"game_date": world.today.isoformat()})
    return {batch_id: None}


def _delete_nonsense(world: World) -> None:
    """What a person does about a document that nobody can read."""
    world.batch("sabotage_unreadable").delete()


DEFECTS: Final = (
    Defect(
        finding_class=FindingClass.LOST_INCREMENT,
        how="a counter is set back by one",
        make=_lose_an_increment,
        mended=ByAudit(),
    ),
    Defect(
        finding_class=FindingClass.DOUBLE_INCREMENT,
        how="a player is counted twice",
        make=_count_twice,
        mended=ByAudit(),
    ),
    Defect(
        finding_class=FindingClass.GHOST_MARKER,
        how="a stranger has a completion document",
        make=_record_a_stranger,
        mended=ByAudit(),
    ),
    Defect(
        finding_class=FindingClass.CONTRADICTING_OUTCOMES,
        how="a skipped player is counted as completed",
        make=_count_as_another_outcome,
        mended=ByAudit(),
    ),
    Defect(
        finding_class=FindingClass.UNSENT_TRIGGER,
        how="closed an hour ago, trigger never sent",
        make=_leave_untriggered,
        mended=ByAudit(),
    ),
    Defect(
        finding_class=FindingClass.STUCK_CONSOLIDATION,
        how="a consolidation was begun and left",
        make=_hang_in_consolidation,
        mended=ByAudit(),
    ),
    Defect(
        finding_class=FindingClass.OVERDUE_BATCH,
        how="open an hour after its deadline",
        make=_pass_a_deadline,
        mended=ByAudit(),
    ),
    Defect(
        finding_class=FindingClass.FAILED_BATCH,
        how="nobody reports until its deadline",
        make=_fail_at_the_deadline,
        mended=ByAudit(),
    ),
    Defect(
        finding_class=FindingClass.SLOW_BATCH,
        how="half done, ten minutes left",
        make=_be_too_slow,
        mended=ByPerson(commands=_ask_the_missing),
    ),
    Defect(
        finding_class=FindingClass.ARRAY_NEARLY_FULL,
        how=f"{_ARRAY_PLAYERS} players in the legacy array",
        make=_fill_an_array,
        mended=ByPerson(commands=lambda world, finding: [finding.command]),
    ),
    Defect(
        finding_class=FindingClass.UNREADABLE_DOCUMENT,
        how="a batch document that is none",
        make=_write_nonsense,
        mended=Otherwise(what="its document is deleted by hand", undo=_delete_nonsense, worst_status=3),
    ),
)
