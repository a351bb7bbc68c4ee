"""The five promises, judged by the evidence: facts in, verdicts out. Pure.

Each is judged by what others tell of it, never by what whoever kept it says of itself: counters by events and
documents, rows by the requests, announcements by the rows. A run that was killed on purpose has to keep them,
too; where a death may rightly leave a trace (a repeat, a table), the verdict names it.
"""

from collections import Counter
from dataclasses import dataclass

from common.batches.records import BatchStatus
from common.consolidation.receipt import Receipt
from common.messages import MessageStatus, PlayerOutcome
from common.texts import counted

from ..day.chaos import Victim
from .evidence import Announced, Evidence


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """One promise: the evidence that it is kept, and whatever says that it is not."""

    promise: str
    evidence: str
    """What was seen, in a sentence with figures; shown where the promise is kept."""
    broken: tuple[str, ...]
    """A sentence for each thing that says otherwise; () where the promise is kept."""

    @property
    def is_kept(self) -> bool:
        """Whether nothing says otherwise."""
        return not self.broken


def judge(evidence: Evidence, *, victim: Victim | None, was_killed: bool) -> list[Verdict]:
    """Judge each promise by the evidence, one verdict each; where a death was asked for, also whether there
    was one. Pure.
    """
    verdicts = [
        _counted_once(evidence),
        _triggered_once(evidence, victim),
        _no_row_twice_or_lost(evidence),
        _no_error_as_value(evidence),
        _nothing_waits(evidence, victim),
    ]
    if victim is None:
        return verdicts
    # A run in which nobody died shows nothing of deaths.
    missed = () if was_killed else (f"the {victim.value} was not killed: the moment was missed",)
    return [
        *verdicts,
        Verdict(promise="The crash was real", evidence=f"{victim.value} killed", broken=missed),
    ]


def last_receipt(evidence: Evidence) -> Receipt | None:
    """That of the highest generation."""
    return max(evidence.receipts, key=lambda receipt: receipt.generation, default=None)


def times(number: int) -> str:
    """`never`, `once`, `twice`, `3 times`."""
    return {0: "never", 1: "once", 2: "twice"}.get(number, f"{number} times")


def _counted_once(found: Evidence) -> Verdict:
    """Events against documents against counters: of each player one completion, and of each outcome one
    increment.
    """
    # Three tellings of the same: what was published, what is stored of each player, and what was counted.
    counts, completions = found.batch.counts, found.completions
    outcomes = Counter(one.outcome for one in completions)
    told = {outcome: getattr(counts, outcome.value) for outcome in PlayerOutcome}
    predictions = sum(one.predictions_count for one in completions)
    missing, unexpected = found.missing_players, found.unexpected_players
    return Verdict(
        promise="Counted once",
        evidence=f"{counted(found.completion_events, 'event')} made "
        f"{counted(len(completions), 'completion')} of {counted(len(found.requests), 'player')}, "
        f"{counted(predictions, 'prediction')}",
        broken=_those(
            (bool(missing), f"{counted(len(missing), 'player', 'are')} missing"),
            (bool(unexpected), f"nobody expected {', '.join(unexpected)}"),
            (
                any(told[outcome] != outcomes[outcome] for outcome in PlayerOutcome),
                f"the counters say {counts}, the completions {dict(outcomes)}",
            ),
            (
                found.batch.total_predictions != predictions,
                f"{counted(found.batch.total_predictions, 'prediction')} counted, {predictions} reported",
            ),
        ),
    )


def _triggered_once(found: Evidence, victim: Victim | None) -> Verdict:
    """A recorder that dies between publishing and noting publishes again: then it is once or more."""
    batch, published, claims = found.batch, len(found.triggers), len(found.closing_claims)
    # Between the publish and its note lies the one moment in which a repeat cannot be told from a first time.
    is_too_often = published > 1 and victim is not Victim.RECORDER
    return Verdict(
        promise="Triggered once, and certainly",
        evidence=f"{claims} claim closed the batch, trigger published {times(published)} and noted",
        broken=_those(
            (
                claims != batch.generation,
                f"{counted(claims, 'closing claim')} for {counted(batch.generation, 'generation')}",
            ),
            (published == 0 or is_too_often, f"trigger published {times(published)}"),
            (
                batch.owes_trigger or batch.trigger_message_id not in found.triggers,
                "the trigger is not noted on the batch",
            ),
            (batch.status is not BatchStatus.CONSOLIDATED, f"the batch is {batch.status.value}"),
        ),
    )


def _no_row_twice_or_lost(found: Evidence) -> Verdict:
    """What the workers' rule makes of the requests is what the main table holds, row by row."""
    # By key, not by row: a copy with another value is a copy all the same.
    copies = Counter(row.key for row in found.main)
    twice = [key for key, number in copies.items() if number > 1]
    wanted = {row.key for row in found.expected}
    lost, alien = wanted - copies.keys(), copies.keys() - wanted
    # A key that should be there, with other values than the rule makes.
    changed = {row.key for row in set(found.main) - found.expected} & wanted
    return Verdict(
        promise="No duplicate row, no lost row",
        evidence=f"{counted(len(found.main), 'row')} as the rule makes them, each once, unchanged",
        broken=_those(
            (bool(twice), f"{counted(len(twice), 'key', 'are')} there more than once"),
            (bool(lost), f"{len(lost)} of {counted(len(wanted), 'row')} lost"),
            (bool(alien), f"{counted(len(alien), 'row')} that nobody asked for"),
            (bool(changed), f"{counted(len(changed), 'row', 'were')} changed on the way"),
        ),
    )


def _no_error_as_value(found: Evidence) -> Verdict:
    """What the system says of itself is what we count ourselves."""
    rows, receipt = len(found.main), last_receipt(found)
    proved = receipt is not None and receipt.keys_staged == receipt.keys_in_main == rows
    return Verdict(
        promise="An error is never a value",
        evidence=f"receipt and phase 5 announce {counted(rows, 'prediction')}, as are there",
        broken=_those(
            (receipt is None, "there is no receipt"),
            (
                receipt is not None and not proved,
                f"the receipt says otherwise than {counted(rows, 'row')}: {receipt}",
            ),
            (not found.announced, "phase 5 is not announced"),
            *((not _is_true(one, found), f"announced: {one.message}") for one in found.announced),
        ),
    )


def _is_true(announced: Announced, found: Evidence) -> bool:
    """Whether an announcement has the status and the numbers that the main table shows."""
    message, rows = announced.message, len(found.main)
    # Every player of a local day is answered for: partial would be a loss.
    status = MessageStatus.SUCCESS if found.expected else MessageStatus.NO_DATA
    metadata = message.metadata or {}
    return (
        message.status is status
        and message.record_count == metadata.get("completed_predictions") == rows
        and metadata.get("completion_pct") == 100
    )


def _nothing_waits(found: Evidence, victim: Victim | None) -> Verdict:
    """What a dead worker staged and nobody claimed may stay for the orphans' clean-up, if it is merged."""
    batch, lock, left = found.batch, found.lock, len(found.staging_left)
    is_announced = batch.phase_message_id in {one.message_id for one in found.announced}
    return Verdict(
        promise="Nothing waits unseen",
        evidence=f"lock released, 0 dead letters, {counted(left, 'staging table')} left, phase 5 noted",
        broken=_those(
            (not is_announced, "the phase-5 message is not noted on the batch"),
            (lock is None, "the lock was never taken"),
            (lock is not None and lock.is_held, "the lock is still held"),
            (bool(found.dead_letters), counted(len(found.dead_letters), "dead letter")),
            (
                found.dead_letter_messages > 0,
                f"{counted(found.dead_letter_messages, 'message')} on dead-letter topics",
            ),
            # The clean-up of orphans waits a day: a run that killed a worker has to leave them.
            (left > 0 and victim is not Victim.WORKER, f"{counted(left, 'staging table')} left"),
            (found.unmerged_left > 0, f"{found.unmerged_left} staged keys are not merged"),
            # The execution log is the only place that people query for runs: one row for one run.
            (found.executions != 1, f"the execution log has {counted(found.executions, 'row')} of the run"),
        ),
    )


def _those(*problems: tuple[bool, str]) -> tuple[str, ...]:
    """The sentences whose condition holds."""
    return tuple(says for is_broken, says in problems if is_broken)
