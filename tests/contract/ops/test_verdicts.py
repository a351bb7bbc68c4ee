"""Every state that can be explained, produced on the emulators: the verdict's words, and that the command it
proposes is one, does what it says, and changes the verdict."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from common.batches import recording
from common.batches.completion import Completion
from common.messages import MessageStatus, PlayerOutcome
from common.predictions.table import COLUMNS
from common.staging.table_names import staging_table
from ops.explaining.verdict import State
from tests.support.consolidation_stack import TABLES
from tests.support.phase_world import PRECOMPUTE
from tests.support.source_tree import ROOT
from tests.support.verdict_world import HOUR, PLAYERS, VerdictWorld

BOUNDARY = "phase4_to_phase5"


@dataclass(frozen=True, kw_only=True)
class Produced:
    """A state, how it comes about, what is said of it, and what comes of the proposed command."""

    name: str
    """Also the batch's id."""
    make: Callable[[VerdictWorld, str], None]
    state: State
    sentence: str
    """With CLOCK, TIME and SPAN for times, and DAY for the date."""
    command: str | None
    then: Callable[[VerdictWorld, str], None] = lambda *_: None
    """What functions and workers do with what the command has published."""
    afterwards: State | None = None
    """None: the command only looks."""
    afterwards_says: str = ""
    """Where the state stays what it was."""


class Away:
    """A warehouse that dies in the middle of a consolidation."""

    def __getattr__(self, name: str) -> Callable[..., object]:
        raise RuntimeError("told to die")


def three_have_ended(world: VerdictWorld, name: str) -> None:
    world.open(name)
    world.end(name, *PLAYERS[:3])


def stalled(world: VerdictWorld, name: str) -> None:
    three_have_ended(world, name)
    world.age(name)


def overdue(world: VerdictWorld, name: str) -> None:
    world.open(name, deadline=-HOUR / 2)
    world.end(name, *PLAYERS[:3])


def due(world: VerdictWorld, name: str) -> None:
    """Whoever recorded the last one died right after its commit."""
    world.open(name)
    batch = world.batches.get(name).unwrap()
    ended = [
        Completion(
            player_lookup=each, outcome=PlayerOutcome.SKIPPED, predictions_count=0, event_id=f"e-{each}"
        )
        for each in PLAYERS
    ]
    world.batches.store.documents.commit(recording.writes(batch, ended)).unwrap()


def closed_without_trigger(world: VerdictWorld, name: str) -> None:
    """Whoever closed it died before it published."""
    world.open(name)
    world.end(name, *PLAYERS)
    world.age(name)


def triggered(world: VerdictWorld, name: str) -> None:
    world.close(name)
    world.age(name)


def behind_another(world: VerdictWorld, name: str) -> None:
    triggered(world, name)
    world.stack.lock.try_acquire(world.lock_key(name), "running").unwrap()


def consolidating(world: VerdictWorld, name: str) -> None:
    world.close(name)
    world.stack.lock.try_acquire(world.lock_key(name), name).unwrap()
    world.batches.start_consolidation(name, 1).unwrap()


def interrupted(world: VerdictWorld, name: str) -> None:
    world.close(name)
    with pytest.raises(RuntimeError, match="told to die"):
        world.stack.make_consolidator(warehouse=Away()).consolidate(name, 1)


def cut_short_behind_another(world: VerdictWorld, name: str) -> None:
    interrupted(world, name)
    world.stack.lock.try_acquire(world.lock_key(name), "running").unwrap()


def rows_differ(world: VerdictWorld, name: str) -> None:
    """One of them says that there are two rows of his."""
    world.open(name)
    world.end(name, *PLAYERS[:3])
    world.end(name, PLAYERS[3], claims=2)
    world.trigger(name)
    world.consolidate(name)


def schema_differs(world: VerdictWorld, name: str) -> None:
    """A worker of another release made the table."""
    world.open(name)
    world.stack.warehouse.create_table(TABLES.path(staging_table(name, "w1")), COLUMNS[:-1]).unwrap()
    world.say(name, PLAYERS, table=staging_table(name, "w1"))
    world.trigger(name)
    world.consolidate(name)


def mend_the_schema(world: VerdictWorld, name: str) -> None:
    world.stack.client.delete_table(TABLES.path(staging_table(name, "w1")))
    world.stage(name, PLAYERS, worker="w1")
    world.deliver_trigger(name)


def refused(world: VerdictWorld, name: str) -> None:
    """It was opened for other datasets."""
    world.open(name, dataset_prefix="test")
    world.end(name, *PLAYERS)
    world.trigger(name)
    world.consolidate(name)


def consolidated(world: VerdictWorld, name: str) -> None:
    world.close(name)
    world.consolidate(name)


def partial(world: VerdictWorld, name: str) -> None:
    world.open(name, deadline=-HOUR / 2, min_completion_pct=50)
    world.end(name, *PLAYERS[:3])
    world.time_out()
    world.consolidate(name)


def unannounced(world: VerdictWorld, name: str) -> None:
    world.close(name)
    world.stack.consolidate(name)


def late_generation(world: VerdictWorld, name: str) -> None:
    partial(world, name)
    world.end(name, PLAYERS[3])
    world.trigger(name)
    world.age(name)


def failed(world: VerdictWorld, name: str) -> None:
    world.open(name, deadline=-HOUR / 2)
    world.end(name, PLAYERS[0])
    world.time_out()


def abandoned(world: VerdictWorld, name: str) -> None:
    world.open(name)
    world.batches.abandon(name, who="ann", why="wrong slate").unwrap()


def nothing(world: VerdictWorld, name: str) -> None:
    """Nothing has happened."""


def waiting(world: VerdictWorld, name: str) -> None:
    world.report(name, PRECOMPUTE[:2])


def waiting_for_one_that_failed(world: VerdictWorld, name: str) -> None:
    world.report(name, PRECOMPUTE[:4])
    world.report(name, PRECOMPUTE[4:], status=MessageStatus.FAILED)


def ready(world: VerdictWorld, name: str) -> None:
    world.phases.warehouse.is_down = True
    world.report(name, PRECOMPUTE)
    world.phases.warehouse.is_down = False


def blocked(world: VerdictWorld, name: str) -> None:
    world.phases.warehouse.rows = {"ml_feature_store_v2": 0}
    world.report(name, PRECOMPUTE)
    world.phases.warehouse.rows = {}


def held(world: VerdictWorld, name: str) -> None:
    waiting(world, name)
    world.phases.operations.hold(
        world.phases.boundary(), world.day(name), who="ann", why="odds are late"
    ).unwrap()


def dispatching(world: VerdictWorld, name: str) -> None:
    world.phases.published.is_down = True
    world.report(name, PRECOMPUTE)
    world.phases.published.is_down = False


def dispatched(world: VerdictWorld, name: str) -> None:
    world.report(name, PRECOMPUTE)


def given_up(world: VerdictWorld, name: str) -> None:
    waiting(world, name)
    world.phases.operations.abandon(
        world.phases.boundary(), world.day(name), who="ann", why="no games"
    ).unwrap()


def deliver(world: VerdictWorld, name: str) -> None:
    world.deliver_trigger(name)


def work(world: VerdictWorld, name: str) -> None:
    world.work(name)


LOCK = "consolidation_locks/consolidation_DAY"
BATCHES = (
    Produced(
        name="running",
        make=three_have_ended,
        state=State.RUNNING,
        sentence="3 of 4 players have ended. The last is expected at CLOCK (between CLOCK and CLOCK).",
        command="./ops/run watch running",
    ),
    Produced(
        name="stalled",
        make=stalled,
        state=State.STALLED,
        sentence="3 of 4 players have ended; nothing came for SPAN. Missing: dee.",
        command="./ops/run redrive stalled --missing",
        afterwards=State.RUNNING,
    ),
    Produced(
        name="overdue",
        make=overdue,
        state=State.OVERDUE,
        sentence="3 of 4 players have ended; the deadline passed SPAN ago, and no sweep has closed it. "
        "Missing: dee.",
        command="./ops/run close overdue",
        afterwards=State.FAILED,
    ),
    Produced(
        name="due",
        make=due,
        state=State.UNTRIGGERED,
        sentence="all players have ended (4), and nobody has closed the batch.",
        command="./ops/run close due",
        afterwards=State.TRIGGERED,
    ),
    Produced(
        name="untriggered",
        make=closed_without_trigger,
        state=State.UNTRIGGERED,
        sentence="closed as complete SPAN ago, and its trigger was not published.",
        command="./ops/run close untriggered",
        then=deliver,
        afterwards=State.CONSOLIDATED,
    ),
    Produced(
        name="triggered",
        make=triggered,
        state=State.TRIGGERED,
        sentence="closed as complete; triggered SPAN ago, and its consolidation has not begun.",
        command="./ops/run close triggered",
        then=deliver,
        afterwards=State.CONSOLIDATED,
    ),
    Produced(
        name="behind-another",
        make=behind_another,
        state=State.WAITING_FOR_LOCK,
        sentence=f"closed as complete; its consolidation waits for {LOCK}, held for running until CLOCK.",
        command="./ops/run explain running",
    ),
    Produced(
        name="cut-short-behind-another",
        make=cut_short_behind_another,
        state=State.WAITING_FOR_LOCK,
        sentence=f"its consolidation was cut short; {LOCK} is held for running now.",
        command="./ops/run explain running",
    ),
    Produced(
        name="consolidating",
        make=consolidating,
        state=State.CONSOLIDATING,
        sentence="its rows are being merged under fence 1.",
        command="./ops/run watch consolidating",
    ),
    Produced(
        name="interrupted",
        make=interrupted,
        state=State.INTERRUPTED,
        sentence="its consolidation began SPAN ago, and nobody holds the lock: it was cut short.",
        command="./ops/run close interrupted",
        then=deliver,
        afterwards=State.CONSOLIDATED,
    ),
    Produced(
        name="rowsdiffer",
        make=rows_differ,
        state=State.STAGED_ROWS_DIFFER,
        sentence="its consolidation was refused at TIME (StagedRowsDiffer): _staging_rowsdiffer_w2: dee: "
        "2 rows claimed, 1 found",
        command="./ops/run redrive rowsdiffer --refused",
        then=work,
        afterwards=State.CONSOLIDATED,
    ),
    Produced(
        name="schemadiffers",
        make=schema_differs,
        state=State.SCHEMA_DIFFERS,
        sentence="its consolidation was refused at TIME (SchemaDiffers): "
        "_staging_schemadiffers_w1.updated_at: missing",
        command="./ops/run dead-letters replay event-schemadiffers",
        then=mend_the_schema,
        afterwards=State.CONSOLIDATED,
    ),
    Produced(
        name="refused",
        make=refused,
        state=State.REFUSED,
        sentence="its consolidation was refused at TIME (WrongPrefix): dataset_prefix: batch 'refused' has "
        "'test', we serve ''",
        command="./ops/run dead-letters replay event-refused",
        afterwards=State.TRIGGERED,
    ),
    Produced(
        name="consolidated",
        make=consolidated,
        state=State.CONSOLIDATED,
        sentence="4 predictions are merged and announced.",
        command="./ops/run verify DAY",
    ),
    Produced(
        name="partial",
        make=partial,
        state=State.PARTIAL,
        sentence="3 predictions are merged and announced, without 1 player (dee).",
        command="./ops/run redrive partial --missing",
        then=work,
        afterwards=State.CONSOLIDATED,
    ),
    Produced(
        name="unannounced",
        make=unannounced,
        state=State.UNANNOUNCED,
        sentence="4 predictions are merged, and the next phase was not told.",
        command="./ops/run close unannounced",
        then=deliver,
        afterwards=State.CONSOLIDATED,
    ),
    Produced(
        name="late",
        make=late_generation,
        state=State.LATE_GENERATION,
        sentence="generation 1 is merged; closed as complete, generation 2, for who came late; triggered "
        "SPAN ago, and its consolidation has not begun.",
        command="./ops/run close late",
        then=deliver,
        afterwards=State.CONSOLIDATED,
    ),
    Produced(
        name="failed",
        make=failed,
        state=State.FAILED,
        sentence="closed at its deadline with 25.0 % of the players heard of, below 95 %: not consolidated. "
        "Missing: bob, cas, dee.",
        command="./ops/run redrive failed --missing",
        then=work,
        afterwards=State.CONSOLIDATED,
    ),
    Produced(
        name="abandoned",
        make=abandoned,
        state=State.ABANDONED,
        sentence="given up by a person: it is never merged.",
        command=None,
    ),
)
BOUNDARIES = (
    Produced(
        name="silent",
        make=nothing,
        state=State.SILENT,
        sentence="no event of phase 4 was seen for DAY so far.",
        command="./ops/run phases DAY",
    ),
    Produced(
        name="waiting",
        make=waiting,
        state=State.WAITING,
        sentence="2 of 5 processors done; missing: player_composite_factors, player_daily_cache, "
        "ml_feature_store. Looked at again at CLOCK.",
        command="./ops/run phases DAY",
    ),
    Produced(
        name="one failed",
        make=waiting_for_one_that_failed,
        state=State.WAITING,
        sentence="4 of 5 processors done; missing: ml_feature_store; failed: ml_feature_store. "
        "Looked at again at CLOCK.",
        command="./ops/run replay DAY --from 4",
        afterwards=State.WAITING,
        afterwards_says="not decided yet",
    ),
    Produced(
        name="ready",
        make=ready,
        state=State.READY,
        sentence="enough processors are done (all_complete, but a gate could not be evaluated: gates of DAY "
        "could not be evaluated: NotFound: dataset is away). Looked at again at CLOCK.",
        command="./ops/run dispatch 4 DAY",
        afterwards=State.DISPATCHED,
    ),
    Produced(
        name="blocked",
        make=blocked,
        state=State.BLOCKED,
        sentence="blocked for SPAN: games_covered: ml_feature_store_v2 knows 0 of the 100 in nbac_schedule, "
        "value 0, limit 60; precompute_rows: ml_feature_store_v2 without enough rows (4 of 5 tables filled), "
        "value 4, limit 3. Looked at again at CLOCK.",
        command="./ops/run dispatch 4 DAY",
        afterwards=State.DISPATCHED,
    ),
    Produced(
        name="held",
        make=held,
        state=State.HELD,
        sentence="held by ann since TIME (odds are late); what arrives is recorded.",
        command="./ops/run release 4 DAY",
        afterwards=State.WAITING,
    ),
    Produced(
        name="dispatching",
        make=dispatching,
        state=State.DISPATCHING,
        sentence="its trigger has been on its way for SPAN.",
        command="./ops/run dispatch 4 DAY",
        afterwards=State.DISPATCHED,
    ),
    Produced(
        name="dispatched",
        make=dispatched,
        state=State.DISPATCHED,
        sentence="dispatched at TIME (all_complete) as message message-N.",
        command=None,
    ),
    Produced(
        name="given up",
        make=given_up,
        state=State.ABANDONED,
        sentence="given up by ann since TIME (no games): it is never dispatched.",
        command="./ops/run replay DAY --from 5",
        afterwards=State.DISPATCHED,
    ),
)


def plain(text: str, day: str) -> str:
    """Without what is never the same."""
    text = text.replace(day, "DAY")
    text = re.sub(r"(\d{4}-\d\d-\d\d|DAY) \d\d:\d\d:\d\d", "TIME", text)
    text = re.sub(r"\b\d\d:\d\d:\d\d", "CLOCK", text)
    text = re.sub(r"message-\d+", "message-N", text)
    return re.sub(r"\b\d+ (s|min|h \d\d min|d \d+ h)\b", "SPAN", text)


def explained(world: VerdictWorld, subject: str) -> Any:
    return world.ops("explain", subject, "-o", "json").data


@pytest.mark.parametrize("one", BATCHES, ids=lambda one: one.name)
def test_state_of_a_batch_is_said_and_its_command_goes_on(one: Produced, world: VerdictWorld) -> None:
    day = world.day(one.name).isoformat()

    check(one, world, day, lambda: explained(world, one.name))


@pytest.mark.parametrize("one", BOUNDARIES, ids=lambda one: one.name)
def test_state_of_a_boundary_is_said_and_its_command_goes_on(one: Produced, world: VerdictWorld) -> None:
    day = world.day(one.name).isoformat()

    check(one, world, day, lambda: explained(world, day)["boundaries"][BOUNDARY])


def check(one: Produced, world: VerdictWorld, day: str, explain: Callable[[], Any]) -> None:
    """The words; and that the command can be pasted, and where it mends, that the verdict is another one."""
    one.make(world, one.name)
    found = explain()
    assert plain(found["verdict"], day) == one.sentence
    assert (found["state"], found["next"] and plain(found["next"], day)) == (one.state.value, one.command)

    if one.command is None or " watch " in one.command:
        return
    said = world.paste(found["next"])
    assert said.status in ((0, 1) if one.afterwards is None else (0,)), said.problem + said.output

    if one.afterwards is None:
        return
    one.then(world, one.name)
    after = explain()
    assert after["state"] == one.afterwards.value, after["verdict"]
    assert one.afterwards is not one.state or one.afterwards_says in after["verdict"]


def test_every_state_that_can_be_explained_is_produced_here() -> None:
    assert {one.state for one in (*BATCHES, *BOUNDARIES)} == set(State)


@pytest.mark.parametrize("one", (*BATCHES, *BOUNDARIES), ids=lambda one: one.name)
def test_runbook_has_the_command_that_a_verdict_proposes(one: Produced) -> None:
    runbook = (ROOT / "ops" / "README.md").read_text(encoding="utf-8")
    [row, *_] = [line for line in runbook.splitlines() if line.startswith(f"| {one.state.value} |")]
    typed = re.sub(rf"\bevent-{one.name}\b", "EVENT", one.command or "none")
    typed = re.sub(rf"\b(?<!-)({one.name}|running)\b", "BATCH", typed).replace("DAY", "DATE")
    typed = re.sub(r"\b\d\b", "PHASE", typed)

    assert typed in row or one.state is State.ABANDONED
