"""CloudEvents, binary or structured, as their SDK reads them.

Eventarc sends the binary form; our own push subscriptions send none, see `envelope.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from cloudevents.abstract import CloudEvent
from cloudevents.conversion import from_http
from cloudevents.exceptions import GenericException

from .json_body import Unreadable, is_structured, json_object

STRUCTURED: Final = {"content-type": "application/cloudevents+json"}
"""All that the SDK may see of the headers then: beside `ce-` headers it would take the body for the data."""
ATTRIBUTES: Final = {"ce-specversion": "1.0", "ce-id": "", "ce-source": "", "ce-type": ""}
"""Without one of these the SDK refuses an event; the message inside may tell enough."""

# Beside its own exceptions the SDK raises whatever an attribute of an unexpected type leads to.
FAULTS: Final = (GenericException, ValueError, TypeError, AttributeError, LookupError, RecursionError)


@dataclass(frozen=True, kw_only=True)
class Event:
    """What Pub/Sub's event tells. None: not told."""

    event_id: str | None
    source: str | None
    time: str | None
    data: Mapping[str, Any]
    """The body of a push delivery: `message` and `subscription`."""


class _Told(CloudEvent):
    """Holds what an event says and no more: the SDK's own class makes up an id and a time."""

    def __init__(self, attributes: Mapping[str, Any], data: Any) -> None:
        self.attributes, self.data = dict(attributes), data

    def _get_attributes(self) -> dict[str, Any]:
        return self.attributes

    def get_data(self) -> Any:
        return self.data

    @classmethod
    def create(cls, attributes: Mapping[str, Any], data: Any) -> "_Told":
        return cls(attributes, data)


def read_cloud_event(headers: Mapping[str, str], body: bytes) -> Event:
    """Read an event; raises Unreadable, naming what is wrong.

    Attributes that are missing are None, not made up.
    """
    known = STRUCTURED if is_structured(headers) else ATTRIBUTES | dict(headers)
    try:
        event = from_http(_Told, known, body, json_object)
    except FAULTS as exc:
        # The SDK tells only in words what our reading of the data has found.
        raise (
            exc.__context__ if isinstance(exc.__context__, Unreadable) else Unreadable(f"body: {exc}")
        ) from exc
    if not isinstance(event.data, Mapping):
        raise Unreadable(f"data: a JSON object was expected, got {type(event.data).__name__}")
    # Attributes of another type are as good as absent.
    told = {name: value for name, value in event.attributes.items() if isinstance(value, str) and value}
    return Event(event_id=told.get("id"), source=told.get("source"), time=told.get("time"), data=event.data)
