"""A deployment asks a new revision whether it can work, before it gets traffic; the answer is a document.

The question is a message of a topic that the deployment makes for the occasion, `canary-…`, with the
attribute `canary`: no topic that wakes a function in earnest can carry one. The function tries each of its
stores, writes `canaries/{id}` and acknowledges. It publishes nothing and counts nothing. The deployment
takes the document away.
"""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from google.api_core.exceptions import GoogleAPIError
from google.auth.exceptions import GoogleAuthError

from ..result import ErrorInfo, Result
from .envelope import Delivery

if TYPE_CHECKING:
    from google.cloud.firestore import Client

ATTRIBUTE: Final = "canary"
"""Of the message: holds the id under which the answer is written."""
TOPIC_PREFIX: Final = "canary-"
COLLECTION: Final = "canaries"
"""One document per question, by its id."""
OK: Final = "ok"
# Of each call: a canary has to answer within the deployment's patience.
CALL_TIMEOUT_SECONDS: Final = 10.0

_ID: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,126}")
"""It becomes a document id, so nothing else is answered."""

Probe = Callable[[], Result[Any]]
"""Tries one store as the function uses it, and changes nothing."""


def asked(delivery: Delivery) -> str | None:
    """The id of the canary that a delivery is; None for every other one.

    Topic and attribute together: a publisher of a topic in earnest can set the attribute, but cannot make its
    message come from a `canary-…` topic.
    """
    found = delivery.attributes.get(ATTRIBUTE, "")
    is_canary = (delivery.topic or "").startswith(TOPIC_PREFIX) and _ID.fullmatch(found)
    return found if is_canary else None


class Canary:
    """Answers for one function. Answering again writes the same document anew."""

    def __init__(
        self,
        db: "Client",
        probes: Mapping[str, Probe],
        *,
        environment: Mapping[str, str],
        now: Callable[[], datetime],
    ) -> None:
        """`probes` by the name of their store; `environment` holds what Cloud Run says of the instance."""
        self._db = db
        self._probes = probes
        self._environment = environment
        self._now = now

    def answer(self, canary_id: str) -> Result[str]:
        """Success once the answer is written, whatever it says. Where it cannot be written, that is
        retried, and never a dead letter: the deployment stops waiting and removes the subscription."""
        document = {
            "service": self._environment.get("K_SERVICE", ""),
            "revision": self._environment.get("K_REVISION", ""),
            "checks": {store: _told(probe) for store, probe in self._probes.items()},
            "answered_at": self._now(),
        }
        try:
            reference = self._db.collection(COLLECTION).document(canary_id)
            # No retry of the client's: Pub/Sub repeats the question.
            reference.set(document, retry=None, timeout=CALL_TIMEOUT_SECONDS)
        except (GoogleAPIError, GoogleAuthError) as exc:
            return Result.failure(ErrorInfo.transient("CanaryUnanswered", f"{type(exc).__name__}: {exc}"))
        return Result.success(canary_id)


def _told(probe: Probe) -> str:
    """`ok`, or why the store could not be used. Any exception is an answer here."""
    try:
        error = probe().error
    except Exception as exc:  # the boundary: building a client may fail too, and that is what is asked for
        error = ErrorInfo.from_exception(exc)
    return OK if error is None else f"{error.exception_class}: {error.message}"
