"""The commands that show how things stand: each is wiring alone; what it does lies in `commands/`."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Final

import typer

from common.audit.report import Asked
from common.reporting.assembly import status_page
from common.result import ResultError

from .answer import Answer, Format
from .commands import (
    batches,
    bundle,
    day_batches,
    explain,
    locks,
    page,
    phases,
    status,
    watch,
)
from .commands import findings as of_findings
from .explaining import findings_seen
from .explaining.locks_seen import snapshots
from .explaining.past import NOT_KEPT, readable_moment, told_instead
from .frame import answer, console, errors
from .options import (
    Batch,
    File,
    GameDate,
    Local,
    Moment,
    Output,
    Port,
    Serve,
    Subject,
    app,
    date_of,
    looks_like_a_date,
    moment_of,
)
from .refusals import wrong_usage
from .site import site
from .stores import Stores
from .wording import moment

TEXT = Format.TEXT
EXPLAINED: Final = 20
"""Of a date that has more batches, `status` names the others."""


@app.command("status", epilog="Example: ./ops/run status")
def status_(at: Moment = None, local: Local = False, output: Output = TEXT) -> None:
    """Today on one screen: phases, batches, locks, findings, dead letters.

    What cannot be read says so, and hides nothing else: then the exit status is 3.
    """
    answer(lambda stores: _as_it_was(_status(_then(stores, at)), at), local=local, output=output)


@app.command("explain", epilog="Example: ./ops/run explain batch_2026-01-17_1")
def explain_(subject: Subject, at: Moment = None, local: Local = False, output: Output = TEXT) -> None:
    """A verdict in one sentence, the evidence in the order of time, and the next command.

    With --at as it was then; what Firestore keeps no more is told by what was written down with its time.
    """

    def work(stores: Stores) -> Answer:
        then = None if at is None else readable_moment(moment_of(at, "--at"), stores.now())
        return _explain(stores, subject, then)

    answer(work, local=local, output=output)


@app.command("phases", epilog="Example: ./ops/run phases today")
def phases_(game_date: GameDate = "today", local: Local = False, output: Output = TEXT) -> None:
    """Where each boundary of a date stands, since when, and what it waits for.

    Exit status 1 where any is not well: one that is blocked, or that waits for who has failed.
    """
    answer(
        lambda stores: _phases(stores, date_of(game_date, stores.today())),
        local=local,
        output=output,
    )


@app.command(epilog="Example: ./ops/run missing batch_2026-01-17_1 -o json")
def missing(batch: Batch, local: Local = False, output: Output = TEXT) -> None:
    """Who of a batch no worker spoke for.

    Exit status 1 while anybody is. Where the names were never stored, the number alone is told.
    """
    answer(lambda stores: batches.missing(stores.batches(), batch), local=local, output=output)


@app.command(epilog="Example: ./ops/run findings")
def findings(at: Moment = None, local: Local = False, output: Output = TEXT) -> None:
    """What is wrong, since when, who was told, and the command that mends it.

    As the last audits have left it: `audit` looks now. With --at, and where Firestore keeps that moment no
    more, it is told by the times of the findings: of one that came back since, its last episode alone.
    """

    def work(stores: Stores) -> Answer:
        try:
            return _as_it_was(_findings(_then(stores, at)), at)
        except ResultError as exc:
            if at is None or exc.error.exception_class != NOT_KEPT:
                raise
        return _findings_told(stores, moment_of(at, "--at"))

    answer(work, local=local, output=output)


@app.command("locks", epilog="Example: ./ops/run locks")
def locks_(local: Local = False, output: Output = TEXT) -> None:
    """Who holds which lock, and until when.

    Of the game dates of the last week and of tomorrow. Exit status 1 where a lease ran out and nobody
    released it.
    """
    answer(_locks, local=local, output=output)


@app.command(epilog="Example: ./ops/run audit batch_2026-01-17_1")
def audit(
    subject: Annotated[str | None, typer.Argument(metavar="BATCH|DATE")] = None,
    local: Local = False,
    output: Output = TEXT,
) -> None:
    """Look now, as the hourly audit does: everything, one batch or one date. Nothing is repaired.

    What is found is remembered and told, as if the scheduler had asked. Exit status 3 where a check could not
    look: of what it looks at, nothing is known.
    """

    def work(stores: Stores) -> Answer:
        if subject is None:
            asked = Asked()
        elif looks_like_a_date(subject):
            asked = Asked(game_date=date_of(subject, stores.today()))
        else:
            asked = Asked(batch_id=subject)
        return of_findings.audit(stores.audit().auditor(), asked, stores.where.here)

    answer(work, local=local, output=output)


@app.command("watch", epilog="Example: ./ops/run watch batch_2026-01-17_1")
def watch_(batch: Batch, local: Local = False, output: Output = TEXT) -> None:
    """A batch as it moves: counts, rate, expected end, who is missing; ends when the batch does.

    Reads only, once a second. Ends with what `explain` says then; so does Ctrl-C.
    """

    def work(stores: Stores) -> Answer:
        return watch.watch(stores.evidence(), batch, stores.telling(), console=console, form=output)

    answer(work, local=local, output=output)


@app.command("page", epilog="Example: ./ops/run page --to status.html")
def page_(
    to: File = Path("status.html"),
    serve: Serve = False,
    port: Port = 8642,
    at: Moment = None,
    local: Local = False,
    output: Output = TEXT,
) -> None:
    """The status page: written to a file, or served on this machine until Ctrl-C.

    With --at the page of then, which is refused where Firestore keeps that moment no more.
    """

    def work(stores: Stores) -> Answer:
        if not serve:
            then = _then(stores, at)
            return page.written(status_page(then.wiring, then.audit(), str(to)))
        if at is not None:
            raise wrong_usage("--at: a page that is served shows now; leave --serve out")
        with page.server(site(stores), port) as server:
            errors.print(f"http://{page.LOOPBACK}:{server.server_port}/  (Ctrl-C ends it)")
            # Ctrl-C is how a person ends it, and no error.
            with suppress(KeyboardInterrupt):
                server.serve_forever()
        return Answer(data={}, shown=[])

    answer(work, local=local, output=output)


@app.command("bundle", epilog="Example: ./ops/run bundle batch_2026-01-17_1 --to incident.html")
def bundle_(
    batch: Batch, to: File = Path("bundle.html"), local: Local = False, output: Output = TEXT
) -> None:
    """All that is known of a batch as one HTML file, for an incident.

    As of now; a file of that name is replaced. It fetches nothing when it is opened, and runs nothing.
    """
    answer(
        lambda stores: bundle.bundle(stores.evidence(), batch, to, stores.telling()),
        local=local,
        output=output,
    )


def _then(stores: Stores, at: str | None) -> Stores:
    """The stores as they were, where a moment is asked for; raises as `Stores.as_of`."""
    return stores if at is None else stores.as_of(moment_of(at, "--at"))


def _as_it_was(said: Answer, at: str | None) -> Answer:
    """Says of which moment it is: nobody is to take it for now."""
    if at is None:
        return said
    return replace(said, shown=[f"As it was at {moment(moment_of(at, '--at'))} UTC.", *said.shown])


def _status(stores: Stores) -> Answer:
    """Every part of the screen, each read by itself."""
    today = stores.today()
    parts: Mapping[str, Callable[[], Answer]] = {
        "Phases": lambda: _phases(stores, today),
        "Batches": lambda: day_batches.listed(_batches(stores, today), stores.where.here),
        "Locks": lambda: _locks(stores),
        "Findings": lambda: _findings(stores),
        "Dead letters": lambda: status.dead_letters(stores.dead_letters(), stores.where.here),
    }
    return status.whole(stores.where.name, today, {name: _looked(part) for name, part in parts.items()})


def _looked(part: Callable[[], Answer]) -> Answer | ResultError:
    """What could not be read hides nothing else."""
    try:
        return part()
    except ResultError as exc:
        return exc


def _explain(stores: Stores, subject: str, at: datetime | None = None) -> Answer:
    """A batch by its id, or a date with its boundaries and the first of its batches."""
    telling, evidence = stores.telling(), stores.evidence()
    if not looks_like_a_date(subject):
        return explain.batch(evidence.of(subject, as_of=at), telling, at=at)
    game_date = date_of(subject, stores.today())
    found = stores.day_evidence().of(game_date, stores.now(), as_of=at)
    batches = list(_batches(stores, game_date).found)
    told = [one for batch_id in batches[:EXPLAINED] if (one := evidence.if_there(batch_id, as_of=at))]
    return explain.day(found, [explain.batch(each, telling, at=at) for each in told], telling, at=at)


def _findings_told(stores: Stores, at: datetime) -> Answer:
    """From the documents of now, by their times: of a finding that came back, its last episode alone."""
    # A document keeps the last episode of a finding alone: what it was before it came back is not there.
    known = findings_seen.until(findings_seen.found_by(stores.wiring.documents(), at), at)
    said = status.findings(known, stores.where.here)
    return replace(said, shown=[told_instead(at), *said.shown], data={**said.data, "note": told_instead(at)})


def _findings(stores: Stores) -> Answer:
    """What is open, from the store of findings."""
    return status.findings(list(stores.findings().unsettled().unwrap().values()), stores.where.here)


def _batches(stores: Stores, game_date: date) -> day_batches.DayBatches:
    """The batches of a date."""
    return day_batches.of(stores.batches().store.documents, game_date)


def _phases(stores: Stores, game_date: date) -> Answer:
    """The boundaries of a date."""
    return phases.listed(stores.days(game_date), stores.now(), stores.where.here)


def _locks(stores: Stores) -> Answer:
    """The locks of the last week."""
    keys = locks.recent(stores.lock_key, stores.today())
    return locks.listed(snapshots(stores.batches().store.documents, keys), stores.where.here)
