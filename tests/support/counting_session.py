# Google's own session carries no types.
# mypy: disable-error-code="no-untyped-call"
"""What a client really sends: requests, bytes and statements, counted on its HTTP session."""

import json
from collections import Counter
from threading import Lock
from typing import Any

from google.auth.credentials import AnonymousCredentials
from google.auth.transport.requests import AuthorizedSession


class CountingSession(AuthorizedSession):
    """Counts the HTTP requests that a client makes, their bodies, and the statements in them."""

    def __init__(self) -> None:
        super().__init__(AnonymousCredentials())
        self._counts: Counter[str] = Counter()
        self._lock = Lock()

    def snapshot(self) -> Counter[str]:
        with self._lock:
            return self._counts.copy()

    def since(self, before: Counter[str]) -> dict[str, int]:
        """`requests`, `bytes_sent`, `statements` and what else was counted since that snapshot."""
        now = self.snapshot()
        return {
            name: now[name] - before[name] for name in ("requests", "bytes_sent", "statements", "into_main")
        }

    def request(self, method: Any, url: Any, *args: Any, **kwargs: Any) -> Any:
        body = kwargs.get("data") or b""
        query = _query(body) if str(url).partition("?")[0].endswith(("/jobs", "/queries")) else None
        with self._lock:
            self._counts["requests"] += 1
            self._counts["bytes_sent"] += len(body)
            self._counts["statements"] += query is not None
            self._counts["into_main"] += query is not None and "MERGE" in query
        return super().request(method, url, *args, **kwargs)


def _query(body: Any) -> str | None:
    try:
        sent = json.loads(body or b"{}")
    except ValueError:
        return None
    query = sent.get("query") or sent.get("configuration", {}).get("query", {}).get("query")
    return str(query) if query else None
