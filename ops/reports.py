"""The commands that report on whole days: each is wiring alone, as in `reading.py`."""

from datetime import timedelta

from common.audit.audit_log import AuditLog
from common.audit.batch_reader import BatchReader

from .answer import Answer, Format
from .commands import cost, coverage, verify
from .commands import simulate as simulated
from .frame import ROOT, answer, errors
from .options import (
    Days,
    FirstDay,
    GameDate,
    GraphFile,
    LastDay,
    Local,
    Moment,
    Output,
    app,
    date_of,
    moment_of,
)
from .stores import Stores

TEXT = Format.TEXT


@app.command("verify", epilog="Example: ./ops/run verify 2026-01-17")
def verify_(game_date: GameDate, at: Moment = None, local: Local = False, output: Output = TEXT) -> None:
    """Coordination against warehouse, key by key, from the receipts.

    Rows are held against receipts and rules, receipts against each other, and all values against those right
    after the consolidation, of which BigQuery keeps seven days. What was not compared is said.

    With --at as of that moment, as far as both stores keep it. Nothing is written or repaired.
    """

    def work(of_now: Stores) -> Answer:
        stores = of_now if at is None else of_now.as_of(moment_of(at, "--at"))
        return verify.verify(
            BatchReader(stores.wiring.documents()),
            stores.batches(),
            stores.warehouse(),
            stores.tables(),
            game_date=date_of(game_date, stores.today()),
            now=stores.now(),
        )

    answer(work, local=local, output=output)


@app.command("coverage", epilog="Example: ./ops/run coverage --from 2026-01-01 --to 2026-01-17")
def coverage_(first: FirstDay, last: LastDay, local: Local = False, output: Output = TEXT) -> None:
    """Which game days have data in which table; cut short, the same command goes on where it stopped.

    Exit status 3 while a table could not be asked, 1 where a game day has no data in one.
    """

    def work(stores: Stores) -> Answer:
        today = stores.today()
        return coverage.coverage(
            stores.coverage(ROOT),
            stores.dated_tables(),
            first=date_of(first, today),
            last=date_of(last, today),
            screen=errors,
        )

    answer(work, local=local, output=output)


@app.command("cost", epilog="Example: ./ops/run cost --days 30")
def cost_(days: Days = 7, local: Local = False, output: Output = TEXT) -> None:
    """What the last days used and cost, and what the same fan-in would cost elsewhere.

    Workers, storage and logs are not in the sum; what is estimated is told with its formula.
    """

    def work(stores: Stores) -> Answer:
        last = stores.today()
        audits = AuditLog(stores.wiring.documents())
        return cost.cost(cost.consumed(stores.batches(), audits, last - timedelta(days=days - 1), last))

    answer(work, local=local, output=output)


@app.command(epilog="Example: ./ops/run simulate --from 2026-01-10 --to 2026-01-17 --graph edited.json")
def simulate(
    first: FirstDay, last: LastDay, graph: GraphFile, local: Local = False, output: Output = TEXT
) -> None:
    """Recorded completions through an edited phase graph, beside what was.

    Nothing is written, and no gate is asked anew: what a gate would have said then, nobody knows.
    """

    def work(stores: Stores) -> Answer:
        edited, today = simulated.graph_of(graph, stores.settings.sport.value), stores.today()
        days = stores.phases().boundaries().days
        return simulated.simulate(days, edited, date_of(first, today), date_of(last, today))

    answer(work, local=local, output=output)
