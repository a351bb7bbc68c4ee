"""All that `explain` knows as HTML: `bundle` writes it of a batch, one file that needs no network; the status
page that is served links to it."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from ..answer import Answer, to_json
from ..explaining import findings_seen, phase_verdict
from ..explaining.batch_evidence import BatchEvidence, Explained
from ..explaining.batch_verdict import verdict
from ..explaining.day_evidence import ExplainedDay
from ..explaining.evidence import in_order
from ..explaining.verdict import Verdict
from ..wording import moment
from .explain import Telling

TEMPLATES: Final = Path(__file__).resolve().parents[1] / "bundling"
"""Beside the commands: the template is no code."""


def bundle(evidence: BatchEvidence, batch_id: str, to: Path, telling: Telling) -> Answer:
    """Write it, all at once; a file of that name is replaced.

    Raises ResultError for a batch that cannot be read, OSError for a file that cannot be written.

    What the file tells is as of the reading: nothing is read again when it is opened. A second call reads and
    writes anew.
    """
    found = evidence.of(batch_id)
    # The verdict of the very facts that the page is made of: read again, the two might differ.
    said = verdict(found.facts)
    # Written beside and renamed: whoever has the file open sees the old one or the new one, and no half.
    new = to.with_name(f"{to.name}.{os.getpid()}")
    new.write_text(batch_page(found, telling), encoding="utf-8")
    new.replace(to)
    return Answer(
        data={"file": str(to), "state": said.state, "verdict": said.sentence},
        shown=[f"{to}: {batch_id} is {said.state.value}; {len(found.events)} events."],
        status=said.status,
    )


def batch_page(found: Explained, telling: Telling, *, home: str | None = None) -> str:
    """A batch. Whatever comes from the stores is escaped; nothing is fetched and nothing runs.

    `home` is where the page that it was reached from is; None for a file that lies alone.
    """
    batch = found.facts.batch
    return _template("bundle.html.j2").render(
        title=batch.batch_id,
        home=home,
        batch=batch,
        batch_json=to_json({"batch": batch, "receipts": found.receipts}),
        events=found.events,
        facts=found.facts,
        log=telling.log("batch_id", batch.batch_id, found.events[0].at if found.events else None),
        said=_told(verdict(found.facts), telling),
    )


def day_page(
    found: ExplainedDay,
    batches: Sequence[str],
    telling: Telling,
    *,
    home: str,
    address: Callable[[str], str],
) -> str:
    """A date, with links to its batches; escaped like a batch's.

    `batches` are ids, and `address` gives the page of one: of the batches themselves nothing is read here.
    """
    name = found.game_date.isoformat()
    return _template("day.html.j2").render(
        title=name,
        home=home,
        boundaries=[
            (each, _told(phase_verdict.verdict(each.day, found.now), telling)) for each in found.boundaries
        ],
        findings=in_order(findings_seen.told(found.findings)),
        batches=batches,
        address=address,
        log=telling.log("game_date", name, None),
    )


def _told(said: Verdict, telling: Telling) -> Verdict:
    """With a command that is about this system."""
    return said.with_command(telling.here(said.command) if said.command else None)


def _template(name: str) -> Template:
    """A template of Jinja2; a name that it does not know is an error."""
    # Every template is HTML, so escaping is never left to one of them. Undefined names are errors: a misspelt
    # field would leave a blank, and a blank reads as `nothing happened`.
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters["moment"] = moment
    return environment.get_template(name)
