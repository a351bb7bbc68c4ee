"""The sabotage as a process of its own, for whoever keeps the system up meanwhile."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Final

from ..judging.own_process import NoAnswer, answer_of
from .outcome import Sabotage, Sabotaged

TIMEOUT_SECONDS: Final = 300
MODULE: Final = "local.sabotage.playing"


def sabotage(today: date, folder: Path, environment: Mapping[str, str], root: Path) -> Sabotage:
    """Break everything, follow it to its end, wait for that. Somebody has to answer requests meanwhile."""
    try:
        # In a process of its own: its clocks and its blind warehouse stay there.
        told = answer_of(
            MODULE,
            [today.isoformat()],
            name="sabotage",
            folder=folder,
            environment=environment,
            root=root,
            timeout_seconds=TIMEOUT_SECONDS,
        )
    except NoAnswer as error:
        return Sabotage(problem=str(error))
    defects = (Sabotaged(**{**each, "ids": tuple(each["ids"])}) for each in told["defects"])
    return Sabotage(defects=tuple(defects), others=tuple(told["others"]))
