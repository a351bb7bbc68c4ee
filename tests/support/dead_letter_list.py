"""The dead letters of a test."""

from collections.abc import Sequence
from datetime import datetime

from common.entrypoint.envelope import Delivery
from common.result import ErrorInfo, Result


class DeadLetterList:
    """Keeps what is written, unless it is told to fail."""

    def __init__(self, *, failure: ErrorInfo | Exception | None = None) -> None:
        self._failure = failure
        self._written: list[tuple[Delivery, ErrorInfo, datetime]] = []

    def write(self, delivery: Delivery, error: ErrorInfo, now: datetime) -> Result[str]:
        if isinstance(self._failure, Exception):
            raise self._failure
        if self._failure is not None:
            return Result.failure(self._failure)
        self._written.append((delivery, error, now))
        return Result.success(delivery.event_id)

    @property
    def written(self) -> Sequence[tuple[Delivery, ErrorInfo, datetime]]:
        return tuple(self._written)

    @property
    def reasons(self) -> list[str]:
        return [error.exception_class for _, error, _ in self._written]
