"""HTTP requests as Pub/Sub makes them: Eventarc's CloudEvents and the bare push body."""

import base64
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from starlette.requests import Request

Headers = dict[str, str]


def pubsub_message(
    data: bytes = b"",
    *,
    message_id: str = "m-1",
    attributes: Mapping[str, str] | None = None,
    published_at: datetime | None = None,
) -> dict[str, Any]:
    """The `message` of every envelope, as the service writes it."""
    message: dict[str, Any] = {"messageId": message_id, "message_id": message_id}
    if data:
        message["data"] = base64.b64encode(data).decode()
    if attributes:
        message["attributes"] = dict(attributes)
    if published_at is not None:
        message["publishTime"] = message["publish_time"] = published_at.isoformat().replace("+00:00", "Z")
    return message


def push(message: object) -> tuple[Headers, bytes]:
    """As a push subscription posts it, such as the emulator's."""
    body = {"message": message, "subscription": "projects/p/subscriptions/s"}
    return {"content-type": "application/json"}, json.dumps(body).encode()


def binary(
    message: object, *, topic: str = "nba-prediction-ready", event_id: str = "m-1", time: str | None = None
) -> tuple[Headers, bytes]:
    """As Eventarc posts it: attributes of the event in headers, its data as the body."""
    headers, body = push(message)
    return headers | {f"ce-{name}": value for name, value in _event(topic, event_id, time).items()}, body


def structured(
    message: object, *, topic: str = "nba-prediction-ready", event_id: str = "m-1", time: str | None = None
) -> tuple[Headers, bytes]:
    """The whole event as one JSON body."""
    data = {"message": message, "subscription": "projects/p/subscriptions/s"}
    body = _event(topic, event_id, time) | {"datacontenttype": "application/json", "data": data}
    return {"content-type": "application/cloudevents+json"}, json.dumps(body).encode()


def request(headers: Headers, body: bytes, *, path: str = "/", method: str = "POST") -> Request:
    """What a function is called with."""

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "scheme": "http",
        "server": ("localhost", 80),
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
    }
    return Request(scope, receive)


def _event(topic: str, event_id: str, time: str | None) -> dict[str, str]:
    told = {
        "specversion": "1.0",
        "id": event_id,
        "type": "google.cloud.pubsub.topic.v1.messagePublished",
        "source": f"//pubsub.googleapis.com/projects/p/topics/{topic}",
    }
    return told if time is None else told | {"time": time}
