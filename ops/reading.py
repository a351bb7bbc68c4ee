"""The commands that read: each is wiring alone; what it does lies in `commands/`."""

from collections.abc import Callable, Mapping
from datetime import UTC, date

from common.result import ResultError

from .answer import Answer, Format
from .commands import batches, explain, locks, phases, status
from .commands import simulate as simulated
from .frame import answer
from .options import (
    Batch,
    FirstDay,
    GameDate,
    GraphFile,
    LastDay,
    Local,
    Moment,
    Output,
    Subject,
    app,
    date_of,
    looks_like_a_date,
)
from .stores import Stores

TEXT = Format.TEXT


@app.command("status", epilog="Example: ./ops/run status")
def status_(local: Local = False, output: Output = TEXT) -> None:
    """Today on one screen: phases, batches, locks, findings, dead letters."""
    answer(_status, local=local, output=output)


@app.command("explain", epilog="Example: ./ops/run explain batch_2026-01-17_1")
def explain_(subject: Subject, at: Moment = None, local: Local = False, output: Output = TEXT) -> None:
    """A verdict in one sentence, the evidence in the order of time, and the next command."""

    def work(stores: Stores) -> Answer:
        if looks_like_a_date(subject):
            return _explain_day(stores, date_of(subject, stores.today()))
        return explain.batch(stores.evidence(), subject, at=None if at is None else at.replace(tzinfo=UTC))

    answer(work, local=local, output=output)


@app.command("phases", epilog="Example: ./ops/run phases today")
def phases_(game_date: GameDate = "today", local: Local = False, output: Output = TEXT) -> None:
    """Where each boundary of a date stands, since when, and what it waits for."""
    answer(
        lambda stores: phases.listed(stores.days(date_of(game_date, stores.today())), stores.now()),
        local=local,
        output=output,
    )


@app.command(epilog="Example: ./ops/run missing batch_2026-01-17_1 -o json")
def missing(batch: Batch, local: Local = False, output: Output = TEXT) -> None:
    """Who of a batch no worker spoke for."""
    answer(lambda stores: batches.missing(stores.batches(), batch), local=local, output=output)


@app.command(epilog="Example: ./ops/run findings")
def findings(local: Local = False, output: Output = TEXT) -> None:
    """What is wrong, since when, who was told, and the command that mends it."""
    answer(_findings, local=local, output=output)


@app.command("locks", epilog="Example: ./ops/run locks")
def locks_(local: Local = False, output: Output = TEXT) -> None:
    """Who holds which lock, and until when."""
    answer(_locks, local=local, output=output)


@app.command(epilog="Example: ./ops/run simulate --from 2026-01-10 --to 2026-01-17 --graph edited.json")
def simulate(
    first: FirstDay, last: LastDay, graph: GraphFile, local: Local = False, output: Output = TEXT
) -> None:
    """Recorded completions through an edited phase graph, beside what was."""

    def work(stores: Stores) -> Answer:
        edited, today = simulated.graph_of(graph), stores.today()
        days = stores.phases().boundaries().days
        return simulated.simulate(days, edited, date_of(first, today), date_of(last, today))

    answer(work, local=local, output=output)


def _status(stores: Stores) -> Answer:
    today = stores.today()
    parts: Mapping[str, Callable[[], Answer]] = {
        "Phases": lambda: phases.listed(stores.days(today), stores.now()),
        "Batches": lambda: status.batches(status.batches_of(stores.batches(), today)),
        "Locks": lambda: _locks(stores),
        "Findings": lambda: _findings(stores),
        "Dead letters": lambda: status.dead_letters(stores.dead_letters()),
    }
    return status.whole(stores.where.name, today, {name: _looked(part) for name, part in parts.items()})


def _looked(part: Callable[[], Answer]) -> Answer | ResultError:
    """What could not be read hides nothing else."""
    try:
        return part()
    except ResultError as exc:
        return exc


def _explain_day(stores: Stores, game_date: date) -> Answer:
    found = status.batches_of(stores.batches(), game_date)
    told = [explain.batch(stores.evidence(), batch_id, at=None) for batch_id in found]
    return explain.day(stores.days(game_date), game_date, told, stores.now())


def _findings(stores: Stores) -> Answer:
    return status.findings(list(stores.findings().unsettled().unwrap().values()))


def _locks(stores: Stores) -> Answer:
    return locks.listed(locks.recent(stores.lock_key, stores.today()), stores.locks().read)
