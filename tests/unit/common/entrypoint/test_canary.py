"""A canary is recognised by its topic and its attribute, and its answer says which store is not well."""

from datetime import UTC, datetime
from typing import Any

import pytest
from google.api_core.exceptions import PermissionDenied, ServiceUnavailable

from common.entrypoint.canary import Canary, asked
from common.entrypoint.envelope import Delivery
from common.result import ErrorInfo, ErrorType, Result

NOW = datetime(2026, 11, 26, 14, 0, tzinfo=UTC)


class Database:
    """Keeps what is set, or refuses."""

    def __init__(self, refusal: Exception | None = None) -> None:
        self.documents: dict[str, dict[str, Any]] = {}
        self._refusal = refusal
        self._path = ""

    def collection(self, name: str) -> "Database":
        self._path = name
        return self

    def document(self, name: str) -> "Database":
        self._path += f"/{name}"
        return self

    def set(self, fields: dict[str, Any], **_: Any) -> None:
        if self._refusal:
            raise self._refusal
        self.documents[self._path] = fields


def breaks() -> Result[Any]:
    raise PermissionDenied("no")


def canary(database: Any, **probes: Any) -> Canary:
    environment = {"K_SERVICE": "nba-x", "K_REVISION": "nba-x-d1"}
    return Canary(database, probes, environment=environment, now=lambda: NOW)


@pytest.mark.parametrize(
    ("topic", "attributes", "found"),
    [
        ("canary-nba-x-d1", {"canary": "nba-x-d1"}, "nba-x-d1"),
        ("nba-prediction-ready", {"canary": "nba-x-d1"}, None),
        (None, {"canary": "nba-x-d1"}, None),
        ("canary-nba-x-d1", {}, None),
        ("canary-nba-x-d1", {"canary": "../batches"}, None),
        ("canary-nba-x-d1", {"canary": ""}, None),
    ],
)
def test_only_a_message_of_a_canary_topic_with_a_sound_id_is_a_canary(
    topic: str | None, attributes: dict[str, str], found: str | None
) -> None:
    assert asked(Delivery(event_id="1", topic=topic, attributes=attributes)) == found


def test_answer_names_the_revision_and_what_each_store_said() -> None:
    database = Database()
    refused: Result[Any] = Result.failure(ErrorInfo.permanent("NotFound", "no such table"))

    answered = canary(
        database, firestore=lambda: Result.success(True), bigquery=lambda: refused, other=breaks
    ).answer("nba-x-d1")

    assert answered == Result.success("nba-x-d1")
    assert database.documents == {
        "canaries/nba-x-d1": {
            "service": "nba-x",
            "revision": "nba-x-d1",
            "checks": {
                "firestore": "ok",
                "bigquery": "NotFound: no such table",
                "other": "PermissionDenied: 403 no",
            },
            "answered_at": NOW,
        }
    }


@pytest.mark.parametrize("refusal", [PermissionDenied("no"), ServiceUnavailable("later")])
def test_answer_that_cannot_be_written_is_retried_and_never_dead_lettered(refusal: Exception) -> None:
    answered = canary(Database(refusal)).answer("nba-x-d1")

    assert answered.error is not None
    assert answered.error.type is ErrorType.TRANSIENT
