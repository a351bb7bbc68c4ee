"""`bundle`: all that `explain` knows of a batch, as one HTML file that needs no network."""

import os
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from ..answer import Answer, to_json
from ..explaining.batch_evidence import BatchEvidence, Explained
from ..explaining.batch_verdict import verdict
from ..wording import moment

TEMPLATES: Final = Path(__file__).resolve().parents[1] / "bundling"
"""Beside the commands: the template is no code."""


def bundle(evidence: BatchEvidence, batch_id: str, to: Path) -> Answer:
    """Write it, all at once; a file of that name is replaced.

    Raises ResultError for a batch that cannot be read, OSError for a file that cannot be written.
    """
    found = evidence.of(batch_id)
    said = verdict(found.facts)
    # Written beside and renamed: whoever has the file open sees the old one or the new one, and no half.
    new = to.with_name(f"{to.name}.{os.getpid()}")
    new.write_text(page(found), encoding="utf-8")
    new.replace(to)
    return Answer(
        data={"file": str(to), "state": said.state, "verdict": said.sentence},
        shown=[f"{to}: {batch_id} is {said.state.value}; {len(found.events)} events."],
        status=said.status,
    )


def page(found: Explained) -> str:
    """The file. Whatever comes from the stores is escaped; nothing is fetched and nothing runs."""
    return _template().render(
        batch=found.facts.batch,
        batch_json=to_json({"batch": found.facts.batch, "receipts": found.receipts}),
        events=found.events,
        facts=found.facts,
        receipts=found.receipts,
        said=verdict(found.facts),
    )


def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters["moment"] = moment
    return environment.get_template("bundle.html.j2")
