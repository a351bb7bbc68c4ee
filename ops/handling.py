"""The commands for what waits for a person: locks, findings, dead letters. Wiring alone, as `writing.py`."""

from datetime import date

import typer

from .answer import Format
from .bulk import refuse_unless_one_is_named
from .commands import dead_letters, findings, locks
from .frame import Asked, answer
from .options import (
    Conditions,
    EventId,
    FindingId,
    Handled,
    Local,
    LockName,
    Output,
    Until,
    app,
    moment_of,
)
from .plan import Plan
from .selection import selection
from .write_command import epilog, writes

dead_letter_app = typer.Typer(help="What could not be handled: list it, publish it again, discard it.")
app.add_typer(dead_letter_app, name="dead-letters")


@writes(
    "force-release",
    'force-release 2026-01-17 --why "holder is gone" --yes',
    'force-release --where expired=yes --why "holders are gone" --yes',
    fields=locks.FIELDS,
    searched=locks.SEARCHED,
)
def force_release(asked: Asked, lock: LockName = None, where: Conditions = None) -> Plan:
    """Take the lock of a date from its holder, whose fence is stale from then on.

    Whatever the old holder still sends is refused by the fence, and merges nothing: a consolidation that was
    at work begins anew. Nothing for a lock that is free.
    """
    stores, chosen = asked.stores, selection(where, locks.FIELDS)
    read = stores.locks().read

    def plan(game_date: date) -> Plan:
        key = stores.lock_key(game_date)
        return locks.plan_force_release(stores.lock(), key, read, who=asked.who, why=asked.why)

    # Before the locks of a week are read: a forgotten argument needs no store to be told.
    refuse_unless_one_is_named("a lock", lock, chosen)
    if lock is not None:
        return plan(locks.date_in(lock))
    keys = locks.recent(stores.lock_key, stores.today())
    return locks.plan_for_locks(keys, read, chosen, lambda key: plan(key.game_date))


@writes(
    "repair",
    'repair unsent_trigger-0f3a --why "page" --yes',
    'repair --where class=orphaned_staging --why "disk" --yes',
    fields=findings.FIELDS,
    searched=findings.SEARCHED,
)
def repair(asked: Asked, finding: FindingId = None, where: Conditions = None) -> Plan:
    """Let the auditor's repair mend a finding; before and after are kept.

    Each repair reads first and does what is due by then: nothing where somebody has mended it since. One that
    asks workers again leaves the finding `repairing` until they have answered.
    """
    # The auditor's own repairs: what a person asks for is the very act that an audit would carry out.
    store, repairs = asked.stores.findings(), asked.stores.audit().auditor().repairs
    chosen = selection(where, findings.FIELDS)
    return findings.plan_for_findings(
        "repair",
        store,
        finding,
        where=chosen,
        plan_of=lambda each: findings.plan_repair(store, repairs, each),
    )


@writes(
    "silence",
    'silence long_held_lock-0f3a --until 2026-01-18T09:00:00Z --why "backfill" --yes',
    'silence --where "scope=batch_2026-01-17_*" --until 2026-01-18T09:00:00Z --why "backfill" --yes',
    fields=findings.FIELDS,
    searched=findings.SEARCHED,
)
def silence(asked: Asked, until: Until, finding: FindingId = None, where: Conditions = None) -> Plan:
    """Tell nobody of a finding until then; it is looked for and recorded all the same.

    The silence ends by itself: what is still there is told again. A second one takes the place of the first.
    """
    # The end is part of the command's name below: a silence that was cut short is taken up by the same
    # command alone, and not by one that is about the same finding until another time.
    store, end = asked.stores.findings(), moment_of(until, "--until")

    def plan(finding_id: str) -> Plan:
        return findings.plan_silence(store, finding_id, end, who=asked.who, why=asked.why, now=asked.now)

    chosen = selection(where, findings.FIELDS)
    return findings.plan_for_findings(
        f"silence --until {end:%Y-%m-%dT%H:%M:%SZ}", store, finding, where=chosen, plan_of=plan
    )


@dead_letter_app.callback(
    invoke_without_command=True,
    epilog=epilog(
        ["dead-letters", 'dead-letters --where "error_class=Staged*"'],
        dead_letters.FIELDS,
        dead_letters.SEARCHED,
    ),
)
def dead_letters_(
    context: typer.Context,
    where: Conditions = None,
    handled: Handled = False,
    local: Local = False,
    output: Output = Format.TEXT,
) -> None:
    """Those that wait, newest first; with --handled the others, too. Exit status 1 where any waits."""
    # Typer comes here for `replay` and `discard`, too, which give an answer of their own.
    if context.invoked_subcommand is None:
        answer(
            lambda stores: dead_letters.listed(
                stores.dead_letters(), selection(where, dead_letters.FIELDS), handled=handled
            ),
            local=local,
            output=output,
        )


@writes(
    "replay",
    'dead-letters replay 123 --why "mended" --yes',
    'dead-letters replay --where "error_class=Staged*" --why "mended" --yes',
    to=dead_letter_app,
    fields=dead_letters.FIELDS,
    searched=dead_letters.SEARCHED,
)
def replay_dead_letters(asked: Asked, event: EventId = None, where: Conditions = None) -> Plan:
    """Publish them again as the events that they were; those that would fail again are left out and named.

    Under the event id that each had: what was recorded of it before stays recorded once. One that fails again
    waits again, with its new reason.
    """
    stores, chosen = asked.stores, selection(where, dead_letters.FIELDS)
    return dead_letters.plan_replay(
        stores.dead_letters(),
        stores.dead_letter_queue(),
        stores.publisher(),
        event,
        where=chosen,
        by=_by(asked),
    )


@writes(
    "discard",
    'dead-letters discard 123 --why "old" --yes',
    'dead-letters discard --where "dead_lettered_at<2026-01-01" --why "old" --yes',
    to=dead_letter_app,
    fields=dead_letters.FIELDS,
    searched=dead_letters.SEARCHED,
)
def discard_dead_letters(asked: Asked, event: EventId = None, where: Conditions = None) -> Plan:
    """Note that nobody needs them any more; their documents stay.

    Who and why is noted before the message behind a letter is taken out. Cut short, the letter waits still.
    """
    chosen = selection(where, dead_letters.FIELDS)
    stores = asked.stores
    return dead_letters.plan_discard(
        stores.dead_letters(), stores.dead_letter_queue(), event, where=chosen, by=_by(asked)
    )


def _by(asked: Asked) -> dead_letters.By:
    """Who handles the letters, as it is noted with each."""
    return dead_letters.By(who=asked.who, why=asked.why, at=asked.now)
