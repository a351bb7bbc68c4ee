"""The stores of a system, through the same wiring as the functions; each made when first needed."""

import logging
import os
import re
import sys
import time
from collections.abc import MutableMapping, Sequence
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Final

import structlog

from common.audit.assembly import Audit
from common.audit.batch_reader import BatchReader
from common.audit.coverage import CoverageCheck, DatedTable
from common.audit.pace import end_of, past_of
from common.audit.schedule import GameSchedule
from common.batches.expected_end import ExpectedEnd
from common.batches.records import Batch, BatchStatus
from common.consolidation.day_lock import DayLock
from common.consolidation.merge_sql import Tables
from common.consolidation.staged_rows import staged_of
from common.consolidation.unmergeable import unmergeable_players
from common.documents.past import PastDocuments
from common.documents.port import Documents
from common.entrypoint.dead_letter_box import DeadLetterBox
from common.entrypoint.dead_letter_queue import DeadLetterQueue
from common.findings.store import FindingStore
from common.lock.lock import Lock
from common.lock.rules import LockKey
from common.lock.store import FirestoreLocks
from common.phases.assembly import PhaseTransitions
from common.result import ErrorInfo, Result, ResultError
from common.runtime.checkpoint import Checkpoints
from common.runtime.once import once
from common.runtime.wiring import WarehouseWiring
from common.settings import WarehouseSettings
from common.sport import ZONE, DatasetRole

from .commands import coverage, phases
from .commands.explain import Telling
from .explaining.batch_evidence import BatchEvidence
from .explaining.day_evidence import DayEvidence
from .explaining.past import NOT_KEPT, is_not_kept, readable_moment
from .ledger import OperationsLedger
from .where import Where
from .wording import moment

TOLD_BY_ANSWERS: Final = ("finding", "audited", "lock_force_released", "repaired")
"""Beginnings of the actions that are logged where a finding is told, or something was mended."""
CALL_TIMEOUT: Final = timedelta(seconds=10)
"""Of one call of the lock's store."""


class Stores:
    """What a command works on. One per process: Google's clients look for emulators in its environment.

    Raises ResultError or SettingsError where the system is not described well enough.

    Clients are made when they are first asked for, so a command pays for those alone that it uses. Attributes
    that are called (`lock()`, `ledger()`) give the same object each time.
    """

    def __init__(self, where: Where, *, at: datetime | None = None) -> None:
        """`at`: as of which moment all documents are read, and nothing is written; see `as_of`."""
        self.where = where
        # Google's clients look in the environment of the process, and nowhere else, for emulators.
        # Before any client is built: one at a dead port repeats for minutes before it complains.
        os.environ.update(where.environment)
        wiring = _Wiring(where, at)
        _speak_to_people()
        self.settings = wiring.settings
        self.names = wiring.settings.names
        self.now = wiring.now
        self.database = wiring.database
        self.publisher = wiring.publisher
        self.warehouse = wiring.warehouse
        self.wiring = wiring
        self.batches = wiring.batches
        self.locks = once(lambda: FirestoreLocks(wiring.database(), CALL_TIMEOUT, time.monotonic))
        self.lock = once(lambda: Lock(wiring.database()))
        self.ledger = once(lambda: OperationsLedger(wiring.documents()))
        self.dead_letters = once(lambda: DeadLetterBox(wiring.documents()))
        self.dead_letter_queue = once(
            lambda: DeadLetterQueue(wiring.subscriber_client(), wiring.settings.gcp_project)
        )
        self.findings = once(lambda: FindingStore(wiring.documents()))
        self.phases = once(lambda: PhaseTransitions(wiring, wiring.settings.names))
        self.audit = once(lambda: Audit(wiring))
        self.outbox = wiring.outbox
        self._at = at
        # Kept: the past does not change while a command watches.
        self._past_of = cache(lambda game_date: past_of(BatchReader(wiring.documents()), game_date))

    def as_of(self, at: datetime) -> "Stores":
        """The same stores as they were, read only; commands of now work on them unchanged.

        Raises ResultError: WrongUsage for a moment that has not come, NotKept for one that Firestore keeps no
        more. Locks and dead letters, too, are those of then. Pub/Sub is not asked.
        """
        # By this machine's clock, which only decides how to ask; whether the moment is kept, Firestore says.
        then = readable_moment(at, self.now())
        past = Stores(self.where, at=then)
        # Any read tells whether Firestore keeps that moment still. Asked once here, so that a command is
        # refused whole and does not fail in the middle of its answer.
        asked = past.wiring.documents().get(["clock/-"])
        if asked.error is not None and is_not_kept(asked.error):
            raise ResultError(ErrorInfo.permanent(NOT_KEPT, f"Firestore keeps {moment(then)} UTC no more"))
        asked.unwrap()
        return past

    def tables(self) -> Tables:
        """Where the predictions are, and of what moment they are read."""
        return Tables(predictions=self.names.dataset(DatasetRole.PREDICTIONS), as_of=self._at)

    def unmergeable(self, batch: Batch) -> Result[tuple[str, ...]]:
        """Players of it whose staged rows are gone, or others than they claimed.

        As of now, or of the moment of these stores; one query. Empty where every claim holds.
        """
        ended = self.batches().ended(batch)
        return ended.and_then(
            lambda found: unmergeable_players(
                self.warehouse(), self.tables(), staged_of(batch, found, batch.generation)
            )
        )

    def lock_key(self, game_date: date) -> LockKey:
        """Of the consolidations of a date."""
        return DayLock(self.lock(), self.names).key(game_date)

    def today(self) -> date:
        """The date in New York, where game dates are counted."""
        # A game at 22:00 in New York is one of that date, though it is the next one in UTC by then.
        return self.now().astimezone(ZONE).date()

    def dated_tables(self) -> list[DatedTable]:
        """Those that the phases of this sport wait for."""
        return coverage.tables_of(self.phases().graph, self.names.dataset)

    def coverage(self, root: Path) -> CoverageCheck:
        """Its checkpoints lie below `root`. Raises ResultError for a sport without a schedule."""
        schedule = self.phases().graph.schedule
        if schedule is None:
            why = f"{self.settings.sport.value}: no schedule says which days are game days"
            raise ResultError(ErrorInfo.permanent("UnknownSchedule", why))
        games = GameSchedule(self.warehouse(), self.names.dataset(schedule.role), schedule)
        # It becomes part of a file's name.
        system = re.sub(r"[^A-Za-z0-9_-]+", "-", self.where.name)
        return CoverageCheck(
            self.warehouse(), games, Checkpoints(root / coverage.CHECKPOINTS, name=system), self.now
        )

    def days(self, game_date: date) -> Sequence[phases.Standing]:
        """Every boundary on a date.

        One request; raises ResultError. See `phases.on`.
        """
        transitions = self.phases()
        return phases.on(transitions.boundaries().days, transitions.graph, game_date)

    def day_evidence(self) -> DayEvidence:
        """What reads all that is known of a date."""
        transitions, documents = self.phases(), self.batches().store.documents
        return DayEvidence(transitions.boundaries().days, transitions.graph.boundaries, documents)

    def telling(self) -> Telling:
        """How commands and logs are named, for this system."""
        return Telling(here=self.where.here, log=self.where.log_command)

    def evidence(self) -> BatchEvidence:
        """What reads all that is known of a batch: of now, or of the moment that a reading names."""
        return BatchEvidence(
            self.batches(),
            key_of=self.lock_key,
            dead_letters=self.dead_letters(),
            expected_end=self._expected_end,
        )

    def _expected_end(self, batch: Batch) -> ExpectedEnd | None:
        """As the status page tells it; None unless it is open. Raises ResultError."""
        # Nobody is waited for any more, and reading each completion would cost for nothing.
        if batch.status is not BatchStatus.OPEN:
            return None
        started_at, times = BatchReader(self.wiring.documents()).times(batch).unwrap()
        past = self._past_of(batch.game_date)
        return end_of(batch, started_at, times, now=batch.read_time, past=past)


class _Wiring(WarehouseWiring[WarehouseSettings]):
    """Everything is read as of `at`, where there is one: by the documents that every part is given.

    The clock stands still then, too: what is overdue or stale is judged by that moment. Whatever would write
    is refused by the documents; what goes past them (a lock, Pub/Sub) no reading command asks for.
    """

    def __init__(self, where: Where, at: datetime | None) -> None:
        self._at = at
        super().__init__(WarehouseSettings, function="ops", environment=where.environment)

    def now(self) -> datetime:
        return self._at or super().now()

    def _documents(self) -> Documents:
        # At this one place: whatever is made of documents reads the past, and none can forget to.
        kept = super()._documents()
        return kept if self._at is None else PastDocuments(documents=kept, at=self._at)


def _only_what_no_answer_tells(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """What a command does it says itself; the function's log says it once more, and at length."""
    if str(event.get("action", "")).startswith(TOLD_BY_ANSWERS):
        raise structlog.DropEvent
    return event


def _speak_to_people() -> None:
    """Warnings go to standard error as text: standard output belongs to the answer."""
    structlog.configure(
        processors=[_only_what_no_answer_tells, structlog.dev.ConsoleRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        # The wiring's own configuration keeps loggers; one kept here would outlive this standard error.
        cache_logger_on_first_use=False,
    )
