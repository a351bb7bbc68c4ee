"""What `--status` prints, and the status that it exits with: that of the gravest kind of drift, 0 where
there is none."""

import json
from collections.abc import Sequence

from .difference import Difference


def exit_status(found: Sequence[Difference]) -> int:
    """See `Drift`, whose values are in the order of their gravity."""
    # The gravest has the lowest number.
    return min((each.drift.value for each in found), default=0)


def as_text(found: Sequence[Difference]) -> str:
    """A line for each difference, and one below it for the command that mends it."""
    if not found:
        return "what runs is what is here"
    lines = []
    for each in found:
        lines.append(f"{each.drift.name.lower():<13} {each}")
        lines.append(f"              mend it: {each.remedy or './deploy.sh'}")
    return "\n".join(lines)


def as_json(found: Sequence[Difference]) -> str:
    """`{"status": 0, "drift": [{"service", "kind", "what", "runs", "wanted", "remedy"}]}`."""
    rows = [
        {
            "service": each.service,
            "kind": each.drift.name.lower(),
            "what": each.what,
            "runs": each.runs,
            "wanted": each.wanted,
            "remedy": each.remedy or "./deploy.sh",
        }
        for each in found
    ]
    return json.dumps({"status": exit_status(found), "drift": rows}, indent=2)
