"""What a function logged of its deliveries: the only place where redeliveries can be counted."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common.recorder.answers import RecordOutcome

_RECORDED = frozenset(f"completion_{outcome.value}" for outcome in RecordOutcome)


@dataclass(frozen=True, kw_only=True)
class DeliveryLog:
    """The actions that one function logged, in their order, each with the event that it was about."""

    actions: tuple[tuple[str, str], ...]
    """(action, event id)."""

    @classmethod
    def read(cls, log: Path) -> "DeliveryLog":
        """What stands in the file now; a function that still runs may add to it. Raises OSError.

        Lines that are no JSON object (the server's own, or cut off by a SIGKILL) do not count.
        """
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
        return cls(
            actions=tuple(
                (event["action"], event["event_id"])
                for event in _events(lines)
                if "action" in event and "event_id" in event
            )
        )

    @property
    def deliveries(self) -> int:
        """Deliveries of completions that were answered for good."""
        return sum(action in _RECORDED for action, _ in self.actions)

    @property
    def delivered_events(self) -> frozenset[str]:
        """The events that were answered for good at least once."""
        # A dead letter is an end, too: the event does not come again.
        final = _RECORDED | {"dead_lettered"}
        return frozenset(event_id for action, event_id in self.actions if action in final)

    @property
    def retries(self) -> Counter[str]:
        """Deliveries that were sent back to come again: `retry` for a fault, `retry_later` quietly."""
        return Counter(action for action, _ in self.actions if action in ("retry", "retry_later"))


def _events(lines: Iterable[str]) -> Iterable[Mapping[str, Any]]:
    """The JSON objects of these lines. A line that was cut off has lost its event as well."""
    for line in lines:
        if line.startswith("{"):
            try:
                yield json.loads(line)
            except ValueError:
                continue
