"""The timeline of a batch: documents `timeline/{id}`, each written in the commit of what it tells.

Their ids are made from what happened, so that telling it again changes nothing.
"""

import hashlib
from typing import Any

from ..documents.writes import SERVER_TIME
from .completion import Completion


def entry(
    event: str, message: str, *, generation: int | None = None, **facts: Any
) -> dict[str, dict[str, Any]]:
    """One entry as `{path: document}`: a sentence, and the facts in it for machines.

    The same event (of the same generation) has the same path, so a repeated commit writes it again, with a
    new time, and adds none.
    """
    # A generation is closed, merged and announced once, so its number tells its events apart.
    name = event if generation is None else f"{event}-{generation}"
    document = {"event": event, "message": message, "at": SERVER_TIME, **facts}
    return {f"timeline/{name}": document if generation is None else {**document, "generation": generation}}


def contradiction(lesser: Completion) -> dict[str, dict[str, Any]]:
    """That an event said of a player what does not stand: the same entry, whichever event came first."""
    event = hashlib.sha256(lesser.event_id.encode()).hexdigest()[:16]  # an event id may hold a slash
    return entry(
        f"contradiction-{lesser.player_lookup}-{event}",
        f"{lesser.player_lookup}: {lesser.outcome.value} was said too, and does not stand",
        outcome=lesser.outcome.value,
        event_id=lesser.event_id,
        reason=lesser.reason,
    )
