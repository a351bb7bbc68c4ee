"""What the arrays of a batch document say. When the last batch has left its array, this module goes.

The legacy system kept players by name in `completed_players` and `failed_players`, and did not pin the form
of its names: "john-doe" is johndoe. Mode `legacy` of this system adds `array_entries` with the details.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from ..messages import PlayerOutcome
from ..player_names import InvalidName, normalize
from ..schema_mode import SchemaMode
from .completion import Completion
from .records import Counts


def in_array(data: Mapping[str, Any]) -> dict[str, Completion]:
    """How each player ended, by lookup key; raises what a document raises that makes no sense.

    `completed_players` has completed and skipped players, `failed_players` failed and timed-out ones; who is
    in both has completed.
    """
    predictions = data.get("predictions_by_player") or {}
    found: dict[str, Completion] = {}
    for field_name, outcome in (
        # In this order: who is in both has completed.
        ("failed_players", PlayerOutcome.FAILED),
        ("completed_players", PlayerOutcome.COMPLETED),
    ):
        for name in data.get(field_name) or ():
            key = _key(name)
            found[key] = Completion(
                player_lookup=key,
                outcome=outcome,
                predictions_count=predictions.get(name, 0),
                event_id="",
            )
    # After the names: what has details says more than a name.
    details = map(Completion.from_document, data.get("array_entries") or ())
    return found | {entry.player_lookup: entry for entry in details}


def counted(mode: SchemaMode, players: Mapping[str, Completion], counters: Counts) -> Counts:
    """The counts in a mode that counts its array."""
    by_array = Counts(**Counter(one.outcome.value for one in players.values()))
    if mode is SchemaMode.LEGACY:
        return by_array
    # The arrays tell how many ended; which of them skipped or timed out, only the counters know.
    skipped, timed_out = counters.skipped, counters.timed_out
    return Counts(
        completed=by_array.completed - skipped,
        skipped=skipped,
        failed=by_array.failed - timed_out,
        timed_out=timed_out,
    )


def _key(name: str) -> str:
    """The lookup key of a name in the array; the name itself where it has none."""
    try:
        return normalize(name)
    except InvalidName:
        # Kept as it is: one odd name must not make the whole batch unreadable.
        return name
