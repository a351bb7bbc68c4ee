"""Counters and timings as log lines, which Cloud Monitoring counts: no API call per metric.

    {"message": "players_resolved", "action": "metric", "metric": "players_resolved", "value": 450,
     "unit": "count", "labels": {"source": "schedule"}, …}

A log-based distribution metric turns them into sums, rates and percentiles: filter
`jsonPayload.metric="players_resolved"`, field `jsonPayload.value`, label `jsonPayload.labels.source`.

A metric never breaks the work that it measures: one that cannot be written is told once per name, and the
Result says so each time.
"""

import math
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Final, Protocol

from ..result import ErrorInfo, Result

MAX_LABELS: Final = 10
"""As many as a log-based metric may have."""
MAX_LABEL_CHARS: Final = 200
"""A longer value is no label but a text, and makes a series of its own."""

Label = str | int | bool

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,99}")


class Log(Protocol):
    """What of a structlog logger is needed."""

    def info(self, event: str, **fields: Any) -> Any:
        """One line at level INFO."""


def _to_stderr(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


class Metrics:
    """Writes metrics to `log`. Safe to share between threads.

    Names and the names of labels are of the form `[a-z][a-z0-9_]*`. Labels are few and have few values each:
    every combination is a time series of its own, so ids do not belong there.
    """

    def __init__(
        self,
        log: Log,
        *,
        tell: Callable[[str], None] = _to_stderr,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`log` must let INFO pass. `tell` gets the sentence about a metric that `log` could not write."""
        self._log = log
        self._tell = tell
        self._monotonic = monotonic
        self._told: set[str] = set()
        self._lock = threading.Lock()

    def count(self, name: str, value: int = 1, /, **labels: Label) -> Result[None]:
        """`value` more of something; 0 keeps a quiet series alive.

        A failure means that the metric was not written, and nothing else: callers go on.
        """
        return self._write(name, value, "count", labels)

    def timing(self, name: str, duration: timedelta, /, **labels: Label) -> Result[None]:
        """How long something took, in seconds."""
        return self._write(name, duration.total_seconds(), "seconds", labels)

    @contextmanager
    def timed(self, name: str, /, **labels: Label) -> Iterator[None]:
        """Times its block, also one that raises; the label `outcome` tells `success` from `exception`."""
        start = self._monotonic()
        # Until proved otherwise: an exception leaves without passing the line behind the block.
        outcome = "exception"
        try:
            yield
            outcome = "success"
        finally:
            duration = timedelta(seconds=self._monotonic() - start)
            self.timing(name, duration, **{"outcome": outcome, **labels})

    def _write(self, name: str, value: float, unit: str, labels: Mapping[str, Label]) -> Result[None]:
        """One log line; a failure where the metric is malformed, or the log cannot be written (OSError)."""
        try:
            _check(name, value, labels)
            self._log.info(name, action="metric", metric=name, value=value, unit=unit, labels=dict(labels))
        except (OSError, TypeError, ValueError) as exc:
            self._tell_once(name, exc)
            return Result.failure(ErrorInfo.from_exception(exc, metric=name))
        return Result.success(None)

    def _tell_once(self, name: str, exc: Exception) -> None:
        with self._lock:
            is_new = name not in self._told
            self._told.add(name)
        # Outside the lock: what `tell` writes to may block.
        if is_new:
            self._tell(f"metric {name} cannot be written: {type(exc).__name__}: {exc}")


def _check(name: str, value: float, labels: Mapping[str, Label]) -> None:
    """Raises ValueError for what a log-based metric would not take, or what would make a series of its own
    per id.
    """
    for word in (name, *labels):
        if not _NAME.fullmatch(word):
            raise ValueError(f"{word!r} is not of the form [a-z][a-z0-9_]*, of at most 100 characters")
    if not (math.isfinite(value) and value >= 0):
        raise ValueError(f"value: {value} is negative or no number")
    if len(labels) > MAX_LABELS:
        raise ValueError(f"labels: {len(labels)} are more than {MAX_LABELS}")
    for label, text in labels.items():
        if not isinstance(text, Label) or len(str(text)) > MAX_LABEL_CHARS:
            raise ValueError(f"{label}: not a short text, a whole number or a bool")
