"""The story of a batch: documents `timeline/{id}`, each written in the commit of what it tells.

Their ids are made from what happened, so that telling it again changes nothing.
"""

from typing import Any

from google.cloud import firestore


def entry(
    event: str, message: str, *, generation: int | None = None, **facts: Any
) -> dict[str, dict[str, Any]]:
    """One entry as `{path: document}`: a sentence, and the facts in it for machines."""
    name = event if generation is None else f"{event}-{generation}"
    document = {"event": event, "message": message, "at": firestore.SERVER_TIMESTAMP, **facts}
    return {f"timeline/{name}": document if generation is None else {**document, "generation": generation}}
