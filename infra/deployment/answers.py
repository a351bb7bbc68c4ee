"""The answer of a function to a canary: a document, which the deployment waits for and takes away.

`common/entrypoint/canary.py` is the other side.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, Protocol

from common.entrypoint.canary import COLLECTION

from . import commands
from .gcloud import Gcloud
from .target import Target

if TYPE_CHECKING:
    from google.cloud.firestore import Client

WITHIN: Final = timedelta(minutes=3)
"""A cold start, a push that is refused while a binding spreads, and its back-off."""
# A read a second costs next to nothing, and an answer is seen at once.
_EVERY_SECONDS: Final = 1.0
_CALL_SECONDS: Final = 15.0


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a function has found of itself."""

    service: str
    revision: str
    checks: Mapping[str, str]
    """Store → `ok`, or what was wrong with it."""


class Answers(Protocol):
    """Where answers are found."""

    def wait(self, canary_id: str) -> Answer | None:
        """The answer, or None if there is none in time. Blocks; raises what the client raises."""

    def forget(self, canary_id: str) -> None:
        """Remove it. Safe to call twice, or for one that never came."""


class FirestoreAnswers:
    """In the project's own database, asked once a second."""

    def __init__(
        self,
        database: "Client",
        *,
        within: timedelta = WITHIN,
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._collection = database.collection(COLLECTION)
        self._within = within
        self._sleep = sleep
        self._monotonic = monotonic

    def wait(self, canary_id: str) -> Answer | None:
        """As `Answers.wait`."""
        deadline = self._monotonic() + self._within.total_seconds()
        while True:
            # Asked at least once, also where no time is left: an answer may lie there.
            found = self._collection.document(canary_id).get(timeout=_CALL_SECONDS)
            if found.exists:
                return _answer(found.to_dict() or {})
            if self._monotonic() > deadline:
                return None
            self._sleep(_EVERY_SECONDS)

    def forget(self, canary_id: str) -> None:
        """As `Answers.forget`."""
        self._collection.document(canary_id).delete(timeout=_CALL_SECONDS)


def answers(gcloud: Gcloud, target: Target) -> FirestoreAnswers:
    """With the credentials of whoever gcloud is logged in as: a deployment needs no key of its own."""
    from google.cloud import firestore
    from google.oauth2.credentials import Credentials

    # Application default credentials may be somebody else's than gcloud's, or none.
    token = gcloud.read(commands.access_token())["token"]
    credentials = Credentials(token)  # type: ignore[no-untyped-call]
    return FirestoreAnswers(firestore.Client(project=target.project, credentials=credentials))


def _answer(document: Mapping[str, Any]) -> Answer:
    """Lenient: what the document lacks is told by the judgement, not by an exception."""
    return Answer(
        service=str(document.get("service")),
        revision=str(document.get("revision")),
        checks={str(store): str(found) for store, found in document.get("checks", {}).items()},
    )
