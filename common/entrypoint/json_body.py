"""What both envelopes are read with: their media type, their JSON, and the fault that names what is wrong."""

import json
from collections.abc import Mapping
from typing import Any


class Unreadable(ValueError):
    """Says which part of an envelope cannot be read."""


def is_structured(headers: Mapping[str, str]) -> bool:
    """Whether the body is the whole event, whatever headers stand beside it. A media type has no case."""
    return headers.get("content-type", "").lower().startswith("application/cloudevents")


def json_object(body: bytes) -> dict[str, Any]:
    """A JSON object, a byte order mark before it or not; raises Unreadable."""
    try:
        payload = json.loads(body)
    except (ValueError, RecursionError) as exc:
        raise Unreadable(f"body: no JSON ({exc})") from exc
    if not isinstance(payload, dict):
        raise Unreadable(f"body: a JSON object was expected, got {kind_of(payload)}")
    return payload


def kind_of(value: Any) -> str:
    """For the sentence of a fault: what was there instead."""
    return "nothing" if value is None else type(value).__name__
