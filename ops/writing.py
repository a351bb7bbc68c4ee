"""The commands that write: each makes a plan, which is shown, and done with `--yes`."""

from datetime import UTC, datetime

import typer

from common.maintenance.deadlines import OverdueBatches
from common.maintenance.requests import Requests
from common.phases.records import PhaseState

from .answer import Format
from .commands import batches, dead_letters, findings, locks, phases
from .frame import answer, carry_out, who
from .operations import Plan
from .options import (
    Batch,
    Conditions,
    EventId,
    Failed,
    FindingId,
    FromPhase,
    GameDate,
    Handled,
    Local,
    LockName,
    MissingOnly,
    ModeOption,
    Output,
    Phase,
    Until,
    Why,
    Yes,
    app,
    date_of,
)
from .selection import Where
from .stores import Stores

TEXT = Format.TEXT

dead_letter_app = typer.Typer(help="What could not be handled: list it, publish it again, discard it.")
app.add_typer(dead_letter_app, name="dead-letters")


@app.command(epilog='Example: ./ops/run redrive batch_2026-01-17_1 --missing --why "worker crash" --yes')
def redrive(
    batch: Batch,
    missing: MissingOnly = False,
    failed: Failed = False,
    why: Why = "",
    yes: Yes = False,
    local: Local = False,
    output: Output = TEXT,
) -> None:
    """Ask again for the players that no worker spoke for, or for those that failed."""

    def plan(stores: Stores) -> Plan:
        requests = Requests(stores.warehouse(), stores.names)
        return batches.plan_redrive(stores.batches(), requests, stores.publisher(), batch, failed=failed)

    carry_out(plan, local=local, output=output, yes=yes, why=why)


@app.command(epilog='Example: ./ops/run close batch_2026-01-17_1 --why "game postponed" --yes')
def close(batch: Batch, why: Why = "", yes: Yes = False, local: Local = False, output: Output = TEXT) -> None:
    """Take the step that is due: time out the missing and close, or publish the trigger again."""

    def plan(stores: Stores) -> Plan:
        overdue = OverdueBatches(stores.batches(), stores.outbox())
        return batches.plan_close(stores.batches(), overdue, stores.outbox(), batch)

    carry_out(plan, local=local, output=output, yes=yes, why=why)


@app.command(epilog='Example: ./ops/run abandon batch_2026-01-17_1 --why "wrong slate" --yes')
def abandon(
    batch: Batch, why: Why = "", yes: Yes = False, local: Local = False, output: Output = TEXT
) -> None:
    """Give a batch up: it is never merged. What still arrives for it is recorded."""
    carry_out(
        lambda stores: batches.plan_abandon(stores.batches(), batch, who=who(), why=why),
        local=local,
        output=output,
        yes=yes,
        why=why,
    )


@app.command(epilog='Example: ./ops/run migrate batch_2026-01-17_1 --to dual_write --why "step 1" --yes')
def migrate(
    batch: Batch,
    to: ModeOption,
    why: Why = "",
    yes: Yes = False,
    local: Local = False,
    output: Output = TEXT,
) -> None:
    """Move an open batch to another schema mode, forward or back."""
    carry_out(
        lambda stores: batches.plan_migrate(stores.batches(), batch, to),
        local=local,
        output=output,
        yes=yes,
        why=why,
    )


def _act(verb: str, stores: Stores, phase: int, game_date: str, why: str, done_in: PhaseState) -> Plan:
    transitions = stores.phases()
    boundary = phases.boundary_of(transitions.graph, phase)
    day = transitions.boundaries().days.read(boundary, date_of(game_date, stores.today())).unwrap()
    act = getattr(transitions.operations(), verb)
    return phases.plan_act(verb, act, boundary, day, done_in=done_in, who=who(), why=why)


def _register(verb: str, said: str, done_in: PhaseState, reason: str) -> None:
    """The three acts differ in what they do alone, not in how they are asked for."""

    @app.command(verb, help=said, epilog=f'Example: ./ops/run {verb} 4 today --why "{reason}" --yes')
    def act(
        phase: Phase,
        game_date: GameDate,
        why: Why = "",
        yes: Yes = False,
        local: Local = False,
        output: Output = TEXT,
    ) -> None:
        carry_out(
            lambda stores: _act(verb, stores, phase, game_date, why, done_in),
            local=local,
            output=output,
            yes=yes,
            why=why,
        )


_register(
    "hold",
    "Dispatch nothing from this boundary until it is released; what arrives is recorded.",
    PhaseState.HELD,
    "odds are late",
)
_register(
    "release", "Go on from what has arrived: at once, if that is enough.", PhaseState.WAITING, "odds are in"
)
_register(
    "dispatch",
    "Start the next phase, whatever is missing and whatever gates say.",
    PhaseState.DISPATCHED,
    "the gate is wrong",
)


@app.command(epilog='Example: ./ops/run replay 2026-01-17 --from 4 --why "late box scores" --yes')
def replay(
    game_date: GameDate,
    phase: FromPhase,
    why: Why = "",
    yes: Yes = False,
    local: Local = False,
    output: Output = TEXT,
) -> None:
    """Start a phase again, in a new generation, and what has begun behind it anew."""
    carry_out(
        lambda stores: phases.plan_replay(
            stores.phases().operations(), date_of(game_date, stores.today()), phase, who=who(), why=why
        ),
        local=local,
        output=output,
        yes=yes,
        why=why,
    )


@app.command(
    "force-release", epilog='Example: ./ops/run force-release 2026-01-17 --why "holder is gone" --yes'
)
def force_release(
    lock: LockName, why: Why = "", yes: Yes = False, local: Local = False, output: Output = TEXT
) -> None:
    """Take the lock of a date from its holder, whose fence is stale from then on."""

    def plan(stores: Stores) -> Plan:
        key = stores.lock_key(locks.date_in(lock))
        return locks.plan_force_release(stores.lock(), key, stores.locks().read, who=who(), why=why)

    carry_out(plan, local=local, output=output, yes=yes, why=why)


@app.command("repair", epilog='Example: ./ops/run repair unsent_trigger-0f3a --why "page" --yes')
def repair(
    finding: FindingId, why: Why = "", yes: Yes = False, local: Local = False, output: Output = TEXT
) -> None:
    """Let the auditor's repair mend one finding; before and after are kept."""
    carry_out(
        lambda stores: findings.plan_repair(stores.findings(), stores.audit().auditor().repairs, finding),
        local=local,
        output=output,
        yes=yes,
        why=why,
    )


@app.command(
    epilog='Example: ./ops/run silence long_held_lock-0f3a --until 2026-01-18T09:00:00 --why "backfill" --yes'
)
def silence(
    finding: FindingId,
    until: Until,
    why: Why = "",
    yes: Yes = False,
    local: Local = False,
    output: Output = TEXT,
) -> None:
    """Tell nobody of a finding until then; it is looked for and recorded all the same."""
    carry_out(
        lambda stores: findings.plan_silence(
            stores.findings(),
            finding,
            until.replace(tzinfo=UTC),
            who=who(),
            why=why,
            now=datetime.now(UTC),
        ),
        local=local,
        output=output,
        yes=yes,
        why=why,
    )


@dead_letter_app.callback(invoke_without_command=True, epilog="Example: ./ops/run dead-letters")
def dead_letters_(
    context: typer.Context,
    where: Conditions = None,
    handled: Handled = False,
    local: Local = False,
    output: Output = TEXT,
) -> None:
    """Those that wait, newest first."""
    if context.invoked_subcommand is None:
        conditions = [Where.parse(each) for each in where or ()]
        answer(
            lambda stores: dead_letters.listed(stores.dead_letters(), conditions, handled=handled),
            local=local,
            output=output,
        )


@dead_letter_app.command("replay", epilog='Example: ./ops/run dead-letters replay 123 --why "mended" --yes')
def replay_dead_letters(
    event: EventId = None,
    where: Conditions = None,
    why: Why = "",
    yes: Yes = False,
    local: Local = False,
    output: Output = TEXT,
) -> None:
    """Publish them again as the events that they were; those that would fail again are left out and named."""

    def plan(stores: Stores) -> Plan:
        return dead_letters.plan_replay(
            stores.dead_letters(),
            stores.publisher(),
            event,
            [Where.parse(each) for each in where or ()],
            who=who(),
            why=why,
            now=datetime.now(UTC),
        )

    carry_out(plan, local=local, output=output, yes=yes, why=why)


@dead_letter_app.command("discard", epilog='Example: ./ops/run dead-letters discard 123 --why "old" --yes')
def discard_dead_letters(
    event: EventId = None,
    where: Conditions = None,
    why: Why = "",
    yes: Yes = False,
    local: Local = False,
    output: Output = TEXT,
) -> None:
    """Note that nobody needs them any more; their documents stay."""

    def plan(stores: Stores) -> Plan:
        conditions = [Where.parse(each) for each in where or ()]
        return dead_letters.plan_discard(
            stores.dead_letters(), event, conditions, who=who(), why=why, now=datetime.now(UTC)
        )

    carry_out(plan, local=local, output=output, yes=yes, why=why)
