"""What is not of one batch: locks, sweeps, messages that nobody can read, and a store that is away."""

from datetime import timedelta
from typing import Final

from common.audit.report import Asked
from common.audit.run_checks import SWEEPERS
from common.audit.topology_checks import PubSubTopology
from common.entrypoint.dead_letter_box import DeadLetterBox
from common.findings import Finding, FindingClass, operator_command
from common.maintenance.sweep_ticks import COLLECTION as SWEEPS
from common.maintenance.sweep_ticks import SweepTicks
from common.topics import PREDICTION_READY

from ..problem import Problem
from .clocks import HOUR, SABOTEUR
from .defect import ByAudit, ByPerson, Defect, Expected, Otherwise
from .waiting import until
from .world import World

_EXPIRED_LOCK, _HELD_LOCK = -4, -5
"""Days before today on which nobody consolidates."""
_HEARD_WITHIN_SECONDS: Final = 30.0
"""For a function to make a message that it cannot read a dead letter."""


def _die_with_a_lock(world: World) -> Expected:
    """A lease that ended most of an hour ago and was never given back; a repair takes the lock away."""
    # Five minutes of lease, taken an hour ago.
    return _lock(world, _EXPIRED_LOCK, lease=HOUR / 12)


def _hold_a_lock(world: World) -> Expected:
    """A lease that lasts for another hour: a living holder, as far as anybody can tell. A person decides."""
    return _lock(world, _HELD_LOCK, lease=2 * HOUR)


def _lock(world: World, days: int, *, lease: timedelta) -> Expected:
    """A lock taken an hour ago, with a lease of this length from then on."""
    key, ago = world.lock_key(days), world.now() - HOUR
    # Taken as anybody takes it, and then made older: its fence is a real one.
    world.lock.try_acquire(key, SABOTEUR).unwrap()
    times = {"acquired_at": ago, "renewed_at": ago, "expires_at": ago + lease}
    world.db.document(str(key)).update(times)
    return {key.document_id: None}


def _take_the_lock(world: World, finding: Finding) -> list[str]:
    """Look, then take the lock from its holder."""
    return [finding.command, operator_command("force-release", finding.scope.name)]


def _send_what_nobody_can_read(world: World) -> Expected:
    """By the function that hears it: a document, and a message in the dead-letter subscription."""
    sport = world.wiring.settings.sport
    topic, waiting = PREDICTION_READY.name(sport), PREDICTION_READY.dead_letter_subscription_name(sport)
    # Past the models: a publisher of ours would refuse to send it.
    world.wiring.publisher().publish_raw(topic, b"no message of ours", {}).unwrap()
    clients = world.wiring.publisher_client(), world.wiring.subscriber_client()
    topology = PubSubTopology(*clients, world.wiring.settings.gcp_project)
    is_dead = until(
        # Both: the document is written before the message, and an audit looks at both.
        lambda: bool(_letters(world)) and topology.waiting(waiting).unwrap() > 0,
        within_seconds=_HEARD_WITHIN_SECONDS,
    )
    if not is_dead:
        raise Problem(f"a message that nobody can read is no dead letter after {_HEARD_WITHIN_SECONDS:.0f} s")
    return {topic: None, waiting: None}


def _letters(world: World) -> list[str]:
    """Ids of the dead letters that wait for a person."""
    return [
        letter.event_id
        for letter in DeadLetterBox(world.wiring.documents()).newest().unwrap()
        if letter.waits
    ]


def _discard(world: World, finding: Finding) -> list[str]:
    """Look, then discard every letter that waits: none of them deserves another try."""
    letters = _letters(world)
    return [finding.command, *(operator_command("dead-letters", "discard", each) for each in letters)]


def _miss_sweeps(world: World) -> Expected:
    """The last tick of one sweep was an hour ago, and it comes every ten minutes."""
    world.db.collection(SWEEPS).document(SWEEPERS[0]).set({"last_run": world.now() - HOUR})
    return {SWEEPERS[0]: None}


def tick(world: World) -> None:
    """As the schedule does every ten minutes in a deployment."""
    for name in SWEEPERS:
        SweepTicks(world.wiring.documents()).note(name, world.now()).unwrap()


def _be_away(world: World) -> Expected:
    """Its address is one at which nobody listens: the audit itself runs into it."""
    world.blind_auditor().run(Asked()).unwrap()
    return {"bigquery": None}


STORE_DOWN: Final = Defect(
    finding_class=FindingClass.STORE_DOWN,
    how="BigQuery does not answer an audit",
    make=_be_away,
    mended=Otherwise(what="it answers again", undo=lambda world: None),
)

DEFECTS: Final = (
    Defect(
        finding_class=FindingClass.EXPIRED_LOCK,
        how="a holder dies with its lock",
        make=_die_with_a_lock,
        mended=ByAudit(),
    ),
    Defect(
        finding_class=FindingClass.LONG_HELD_LOCK,
        how="a lock is held for an hour",
        make=_hold_a_lock,
        mended=ByPerson(commands=_take_the_lock),
    ),
    Defect(
        finding_class=FindingClass.WAITING_DEAD_LETTERS,
        how="a message that nobody can read",
        make=_send_what_nobody_can_read,
        mended=ByPerson(commands=_discard),
    ),
    Defect(
        finding_class=FindingClass.ABSENT_RUN,
        how="no sweep for an hour",
        make=_miss_sweeps,
        mended=Otherwise(what="the schedule ticks again", undo=tick),
    ),
)
