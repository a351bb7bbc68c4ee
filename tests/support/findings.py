"""Findings that tests share, and a channel that keeps what it was told."""

from dataclasses import replace
from datetime import date
from threading import Lock
from typing import Any

from common.findings import Finding, FindingClass, Scope, Severity, Tracked, rules
from common.result import ErrorInfo, Result
from tests.support.wall_clock import WallClock

GAME_DATE = date(2026, 1, 17)
BATCH = Scope.of_batch("batch1", GAME_DATE)


def finding(finding_class: FindingClass = FindingClass.LOST_INCREMENT, **changes: Any) -> Finding:
    one = Finding(
        finding_class=finding_class,
        severity=Severity.WARNING,
        check="batch_counts",
        scope=BATCH,
        summary="counter 2, documents 3",
    )
    return replace(one, **changes)


def store_down(store: str = "bigquery") -> Finding:
    return finding(
        FindingClass.STORE_DOWN, check="stores", scope=Scope.of_system(store), subject=store, summary="down"
    )


class Heard:
    """A channel that keeps what it was told, or fails when told to."""

    def __init__(self) -> None:
        self.messages: list[str] = []
        self.is_down = False
        self._lock = Lock()

    def send(self, text: str) -> Result[None]:
        if self.is_down:
            return Result.failure(ErrorInfo.transient("SlackError", "told to fail"))
        with self._lock:
            self.messages.append(text)
        return Result.success(None)


def tracked_now(clock: WallClock, **changes: Any) -> Tracked:
    """A finding that has just been found, and nothing was told of."""
    return rules.found(None, finding(**changes), clock())
