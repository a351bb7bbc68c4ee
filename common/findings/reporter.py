"""Remembers what was found and tells people of what changed: once, however many look at the same time.

    audit A   finds X ── remembers ── claims the telling ── sends ── notes "told"
    audit B   finds X ── remembers ── claims: refused, A has written since ── tells nothing

The claim is a write under the version that was read, so only one of two succeeds. It runs out after 10
minutes: if A dies before it notes, the next run tells X again. So X is told at least once, and twice only if
a run died between sending and noting.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import structlog

from ..result import ErrorInfo, Result, ResultError, returns_result
from ..texts import MAX_NAMED
from . import rules, telling
from .channel import Channel, message_for
from .records import Finding
from .rules import Looked
from .store import FindingStore
from .telling import Change, Group, Notice
from .tracked import Tracked

MAX_ATTEMPTS: Final = 20
"""Bounds how often a finding is judged again because somebody else wrote it."""

log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class Told:
    """What became of a run's findings."""

    tracked: tuple[Tracked, ...]
    """All that are open, or were until this run, as they are stored now."""
    notices: tuple[Notice, ...]
    """What this run told."""
    inhibited_count: int
    """How many were not told because a store that they depend on is down."""
    undelivered: tuple[ErrorInfo, ...]
    """Why messages were not delivered; the next run tells them."""


class Reporter:
    """The findings of one database and the people who hear of them; safe to share between threads.

    `teller` names this run or instance: a claim by which two that run at the same time tell once. Times are
    this machine's, from `now`.
    """

    def __init__(
        self, store: FindingStore, channel: Channel, *, now: Callable[[], datetime], teller: str
    ) -> None:
        self._store = store
        self._channel = channel
        self._now = now
        self._teller = teller

    def report(self, finding: Finding) -> Result[Told]:
        """Remember one finding that was come upon, and tell it if nobody was told.

        For whoever meets a defect outside of an audit. A failure (of the store, or Contended) if it could not
        be remembered, a partial if it could not be told: the next report or run tells it. Safe to repeat.
        """
        reported = self._reported(finding)
        undelivered = reported.data.undelivered if reported.data is not None else ()
        return Result.partial(reported.unwrap(), undelivered[0]) if undelivered else reported

    @returns_result
    def _reported(self, finding: Finding) -> Told:
        known = self._store.get([finding.finding_id]).unwrap().get(finding.finding_id)
        return self._tell([self._remember(known, finding)])

    @returns_result
    def conclude(self, findings: Sequence[Finding], looked: Looked, run_started_at: datetime) -> Told:
        """Remember what a run found and what it found to be over, and tell what is due. Safe to repeat.

        `looked` says where the run has looked: what is open, lies there and was not found counts as clean.
        What a run did not look at stays as it was. A failure of the store ends it; what was remembered by
        then stays. Messages that were not delivered are no failure: they are in `Told.undelivered`, and the
        next run tells them.
        """
        found = {each.finding_id: each for each in findings}
        known = self._store.unsettled().unwrap()
        # Those that were over and are found again: their earlier episodes say whether they flap.
        known |= self._store.get(found.keys() - known.keys()).unwrap()
        for finding_id, finding in found.items():
            known[finding_id] = self._remember(known.get(finding_id), finding)
        for absent in rules.covered_and_absent(known, frozenset(found), looked):
            known[absent.finding_id] = self._miss(
                absent, run_started_at, has_arrived=absent.finding_id in looked.arrived
            )
        return self._tell(known.values())

    def _remember(self, known: Tracked | None, finding: Finding) -> Tracked:
        return self._amend(
            finding.finding_id, known, lambda current: rules.found(current, finding, self._now())
        )

    def _miss(self, absent: Tracked, run_started_at: datetime, *, has_arrived: bool) -> Tracked:
        return self._amend(
            absent.finding_id,
            absent,
            lambda current: rules.not_found(
                current or absent,
                run_started_at=run_started_at,
                now=self._now(),
                has_arrived=has_arrived,
            ),
        )

    def _amend(
        self, finding_id: str, known: Tracked | None, change: Callable[[Tracked | None], Tracked]
    ) -> Tracked:
        """See `amend`."""
        return amend(self._store, finding_id, known, change).unwrap()

    def _tell(self, tracked: Iterable[Tracked]) -> Told:
        known = {each.finding_id: each for each in tracked}
        due = telling.due(known.values(), self._now())
        notices: list[Notice] = []
        undelivered: list[ErrorInfo] = []
        for group in due.groups:
            # Right before it is sent, and not for all groups at once: a claim must not run out while others
            # are sent.
            claimed = self._claim(group)
            if not claimed.notices:
                continue
            sent = self._channel.send(message_for(claimed))
            # One by one: each finding has a document of its own, and each may have been written meanwhile.
            for notice in claimed.notices:
                known[notice.tracked.finding_id] = self._note(notice, is_delivered=sent.is_success)
            if sent.error is None:
                # Only what was delivered counts as told.
                notices += claimed.notices
            else:
                undelivered.append(sent.error)
                _log_undelivered(claimed, sent.error)
        return Told(
            tracked=tuple(known.values()),
            notices=tuple(notices),
            inhibited_count=len(due.inhibited),
            undelivered=tuple(undelivered),
        )

    def _claim(self, group: Group) -> Group:
        """The notices that this run tells; one that somebody else has written since is theirs."""
        now = self._now()
        mine = []
        for notice in group.notices:
            claimed = self._store.put(telling.claimed(notice.tracked, self._teller, now)).unwrap()
            if claimed is not None:
                mine.append(Notice(change=notice.change, tracked=claimed))
        return Group(scope=group.scope, notices=tuple(mine), dependent_count=group.dependent_count)

    def _note(self, notice: Notice, *, is_delivered: bool) -> Tracked:
        """What was delivered is noted whatever has been found meanwhile: else it would be told again."""

        def noted(current: Tracked | None) -> Tracked:
            known = current or notice.tracked
            return (
                telling.told(known, notice.change, self._now()) if is_delivered else telling.not_told(known)
            )

        if is_delivered:
            _log_told(notice)
        return self._amend(notice.tracked.finding_id, notice.tracked, noted)


@returns_result
def amend(
    store: FindingStore, finding_id: str, known: Tracked | None, change: Callable[[Tracked | None], Tracked]
) -> Tracked:
    """Write what `change` makes of the finding by compare-and-set; read and decided anew if somebody was
    faster."""
    for _ in range(MAX_ATTEMPTS):
        changed = change(known)
        # Compared without the version: a look that changes nothing costs no write.
        if changed == known:
            return changed
        written = store.put(changed).unwrap()
        if written is not None:
            return written
        known = store.get([finding_id]).unwrap().get(finding_id)
    raise ResultError(ErrorInfo.transient("Contended", f"finding {finding_id} changed at each attempt"))


def _log_told(notice: Notice) -> None:
    finding = notice.tracked.finding
    tell = log.info if notice.change is Change.RESOLVED else log.error
    tell(
        f"{finding.finding_class.value} {notice.change.value}: {finding.summary}",
        action=f"finding_{notice.change.value}",
        finding_id=finding.finding_id,
        check=finding.check,
        scope=finding.scope.name,
        ids=finding.ids[:MAX_NAMED],
        command=finding.command,
    )


def _log_undelivered(group: Group, error: ErrorInfo) -> None:
    log.error(
        "findings could not be told; the next run tells them",
        action="findings_undelivered",
        scope=group.scope.name,
        findings=[each.tracked.finding_id for each in group.notices],
        error=error.to_dict(),
    )
