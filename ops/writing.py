"""The commands that act on batches and boundaries: each makes a plan, which is done with `--yes`."""

from collections.abc import Callable

from common.maintenance.deadlines import OverdueBatches
from common.maintenance.requests import Requests
from common.phases.records import Day
from common.phases.shape import Boundary

from .bulk import refuse_unless_one_is_named
from .commands import batch_choice, batches, phases
from .commands import redrive as redriving
from .frame import Asked
from .options import (
    AnyBatch,
    AnyDate,
    AnyPhase,
    Conditions,
    Failed,
    FromPhase,
    GameDate,
    MissingOnly,
    ModeOption,
    Refused,
    date_of,
)
from .plan import Plan
from .refusals import wrong_usage
from .selection import selection
from .write_command import writes


@writes(
    "redrive",
    'redrive batch_2026-01-17_1 --missing --why "worker crash" --yes',
    'redrive --where status=failed --where "missing>0" --why "worker crash" --yes',
    fields=batch_choice.FIELDS,
    searched=batch_choice.SEARCHED,
)
def redrive(
    asked: Asked,
    batch: AnyBatch = None,
    where: Conditions = None,
    missing: MissingOnly = False,
    failed: Failed = False,
    refused: Refused = False,
) -> Plan:
    """Ask again for the players that no worker spoke for, for those that failed, or whose rows were lost.

    Publishes one request for each; workers endure to be asked twice. With --refused their claims are given up
    first, so that what they answer is merged as a new generation. Cut short, the same command goes on.
    """
    if missing + failed + refused > 1:
        raise wrong_usage("--missing, --failed and --refused: one of them")
    stores = asked.stores
    requests = Requests(stores.warehouse(), stores.names)
    # Not asked yet: only `--refused` has to look into the warehouse, which takes seconds.
    refusals = redriving.Refusals(
        unmergeable=lambda batch: stores.unmergeable(batch).unwrap(),
        unfinished=lambda record_id: stores.ledger().unfinished(record_id).unwrap(),
    )
    whom = redriving.Whom.FAILED if failed else redriving.Whom.REFUSED if refused else redriving.Whom.MISSING

    def plan(batch_id: str) -> Plan:
        return redriving.plan_redrive(
            stores.batches(),
            requests,
            stores.publisher(),
            batch_id,
            whom=whom,
            refusals=refusals,
        )

    return _of_batches(f"redrive --{whom.value}", asked, batch=batch, where=where, plan=plan)


@writes(
    "close",
    'close batch_2026-01-17_1 --why "game postponed" --yes',
    'close --where status=open --where game_date=2026-01-17 --why "game postponed" --yes',
    fields=batch_choice.FIELDS,
    searched=batch_choice.SEARCHED,
)
def close(asked: Asked, batch: AnyBatch = None, where: Conditions = None) -> Plan:
    """Take the step that is due: time out the missing and close, or publish the trigger again.

    A trigger that is published twice merges nothing twice. Nothing for a batch from which nothing follows.
    """
    stores = asked.stores
    # The sweep's own act: a batch is closed in one way, whether the clock or a person asks for it.
    overdue = OverdueBatches(stores.batches(), stores.outbox())

    def plan(batch_id: str) -> Plan:
        return batches.plan_close(stores.batches(), overdue, stores.outbox(), batch_id)

    return _of_batches("close", asked, batch=batch, where=where, plan=plan)


@writes(
    "abandon",
    'abandon batch_2026-01-17_1 --why "wrong slate" --yes',
    'abandon --where "batch_id=batch_2026-01-17_*" --where ended=0 --why "wrong slate" --yes',
    fields=batch_choice.FIELDS,
    searched=batch_choice.SEARCHED,
)
def abandon(asked: Asked, batch: AnyBatch = None, where: Conditions = None) -> Plan:
    """Give a batch up: it is never merged. What still arrives for it is recorded.

    There is no way back. Refused once its consolidation has begun: its rows may be in the main table.
    """

    def plan(batch_id: str) -> Plan:
        return batches.plan_abandon(asked.stores.batches(), batch_id, who=asked.who, why=asked.why)

    return _of_batches("abandon", asked, batch=batch, where=where, plan=plan)


@writes(
    "migrate",
    'migrate batch_2026-01-17_1 --to dual_write --why "step 1" --yes',
    'migrate --where status=open --where schema_mode=legacy --to dual_write --why "step 1" --yes',
    fields=batch_choice.FIELDS,
    searched=batch_choice.SEARCHED,
)
def migrate(asked: Asked, to: ModeOption, batch: AnyBatch = None, where: Conditions = None) -> Plan:
    """Move an open batch to another schema mode, forward or back.

    Backfills, compares, and switches only where both say the same; what is recorded meanwhile is in both.
    """

    def plan(batch_id: str) -> Plan:
        return batches.plan_migrate(asked.stores.batches(), batch_id, to)

    return _of_batches(f"migrate --to {to.value}", asked, batch=batch, where=where, plan=plan)


def _of_batches(
    verb: str, asked: Asked, *, batch: str | None, where: list[str] | None, plan: Callable[[str], Plan]
) -> Plan:
    """The plan of the one batch that is named, or of all that the conditions choose."""
    stores, chosen = asked.stores, selection(where, batch_choice.FIELDS)
    return batch_choice.plan(verb, stores.batches(), batch, where=chosen, today=stores.today(), plan_of=plan)


def _register(verb: str, reason: str, said: str) -> None:
    """The three acts differ in what they do alone, not in how they are asked for."""
    # By its name: the act is the method of that name among the phases' acts by hand.
    reasoned = f'--why "{reason}" --yes'

    def plan(
        asked: Asked, phase: AnyPhase = None, game_date: AnyDate = None, where: Conditions = None
    ) -> Plan:
        transitions, today = asked.stores.phases(), asked.stores.today()
        act, days = getattr(transitions.operations(), verb), transitions.boundaries().days
        chosen = selection(where, phases.FIELDS)

        def plan_of(standing: tuple[Boundary, Day]) -> Plan:
            boundary, day = standing
            return phases.plan_act(verb, act, boundary, day, who=asked.who, why=asked.why)

        # A phase without a date is refused below, by its own words; a date alone names no boundary.
        refuse_unless_one_is_named("a phase and a date", None if phase is None else str(phase), chosen)
        if phase is None:
            return phases.plan_for_boundaries(
                verb, days, transitions.graph, where=chosen, today=today, plan_of=plan_of
            )
        if game_date is None:
            raise wrong_usage("DATE: missing behind the phase")
        boundary = phases.boundary_of(transitions.graph, phase)
        return plan_of((boundary, days.read(boundary, date_of(game_date, today)).unwrap()))

    # The help of a command is its docstring, and the three share one function.
    plan.__doc__ = said
    examples = (f"{verb} 4 today {reasoned}", f"{verb} --where game_date=2026-01-17 {reasoned}")
    writes(verb, *examples, fields=phases.FIELDS, searched=phases.SEARCHED)(plan)


_register(
    "hold",
    "odds are late",
    "Dispatch nothing from this boundary until it is released; what arrives is recorded.",
)
_register(
    "release",
    "odds are in",
    "Go on from what has arrived: at once, if that is enough.",
)
_register(
    "dispatch",
    "the gate is wrong",
    "Start the next phase, whatever is missing and whatever gates say.",
)


@writes("replay", 'replay 2026-01-17 --from 4 --why "late box scores" --yes')
def replay(asked: Asked, game_date: GameDate, phase: FromPhase) -> Plan:
    """Start a phase again, in a new generation, and what has begun behind it anew.

    The boundaries behind it are reopened first: what was reported before the replay counts for none of them.
    Cut short, the same command goes on with the generation that it has begun.
    """
    stores = asked.stores
    return phases.plan_replay(
        stores.phases().operations(),
        date_of(game_date, stores.today()),
        phase,
        cut_short=lambda command: stores.ledger().cut_short(command).unwrap(),
        who=asked.who,
        why=asked.why,
    )
