"""What the pictures of the README show, before they become pictures: the same whenever it is drawn."""

import hashlib
import io

from rich.console import Console

from common.reporting.page import render
from ops.commands import explain
from tests.support.explained import BATCH, TELLING, refused
from tests.support.statuses import one_day

COLUMNS = 120


def explain_svg() -> str:
    """The screen of `./ops/run explain`."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    for each in explain.batch(refused(), TELLING).shown:
        console.print(each)
    return console.export_svg(title=f"./ops/run explain {BATCH}", unique_id="explain")


def status_html() -> str:
    """The page of the auditor, on a day with one batch running."""
    return render(one_day())


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
