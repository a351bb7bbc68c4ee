"""How a batch stands: facts in, one verdict out. Every state of a batch has its sentence."""

from datetime import timedelta
from typing import Final

from common.batches.records import Batch, BatchStatus
from common.batches.rules import ended_so_far, is_overdue, reported_pct
from common.findings.records import operator_command
from common.texts import counted

from ..wording import clock, duration, moment, names
from .batch_facts import BatchFacts, Refusal
from .verdict import State, Verdict, ill, well

STALLED_AFTER: Final = timedelta(minutes=10)
"""Without a completion for this long, an open batch is said to stand still."""
TRIGGER_GRACE: Final = timedelta(minutes=2)
"""A trigger may take this long to be noted or to be acted upon before anybody is asked to look."""

_BY_CLASS: Final = {"StagedRowsDiffer": State.STAGED_ROWS_DIFFER, "SchemaDiffers": State.SCHEMA_DIFFERS}
"""Refusals that have a state of their own: somebody has to mend the data or the schema."""


def verdict(facts: BatchFacts) -> Verdict:
    """The verdict on a batch. Pure: the same facts give the same words.

    The command that it names is the next step of a person, or one that looks closer; None where there is
    nothing to do. No fact is guessed: what could not be read is a failure before this is called.
    """
    judge = {
        BatchStatus.OPEN: _open,
        BatchStatus.COMPLETE: _closed,
        BatchStatus.PARTIAL: _closed,
        BatchStatus.CONSOLIDATING: _consolidating,
        BatchStatus.CONSOLIDATED: _consolidated,
        BatchStatus.FAILED: _failed,
        BatchStatus.ABANDONED: _abandoned,
    }[facts.batch.status]
    return judge(facts)


def _open(facts: BatchFacts) -> Verdict:
    """Running, standing still, past its deadline, or due and not closed; the first that fits, the worst
    first.
    """
    batch = facts.batch
    if batch.is_due:
        sentence = f"all players have ended ({batch.expected_players:,}), and nobody has closed the batch."
        return ill(State.UNTRIGGERED, sentence, _close(facts))
    if is_overdue(batch, facts.now):
        return _overdue(facts)
    # Before the first completion the document's own time is that of its opening.
    silent_for = facts.now - (facts.last_completion_at or batch.update_time)
    if silent_for > STALLED_AFTER and not is_asked_again(facts):
        sentence = f"{ended_so_far(facts.batch)}; nothing came for {duration(silent_for)}.{_missing(facts)}"
        return ill(State.STALLED, sentence, _redrive(facts))
    return well(State.RUNNING, f"{ended_so_far(facts.batch)}.{_end(facts)}{_asked(facts)}", _watch(facts))


def _overdue(facts: BatchFacts) -> Verdict:
    """Open past its deadline: a sweep should have closed it, and a person may."""
    batch = facts.batch
    assert batch.deadline is not None  # else it would not be overdue
    late = duration(facts.now - batch.deadline)
    heard = f"{ended_so_far(batch)}; the deadline passed {late} ago"
    sentence = f"{heard}, and no sweep has closed it.{_missing(facts)}"
    return ill(State.OVERDUE, sentence, _close(facts))


def _closed(facts: BatchFacts) -> Verdict:
    """Closed and not begun: refused, without a trigger, behind another batch's lock, or triggered.

    In this order, as an earlier reason explains the later ones: a consolidation that was
    refused waits neither for its trigger nor for a lock.
    """
    batch = facts.batch
    refusal = _refusal(facts)
    if refusal is not None:
        return _refused(facts, refusal)
    age = facts.now - (batch.closed_at or batch.update_time)
    if batch.owes_trigger:
        sentence = f"{_closed_as(batch)} {duration(age)} ago, and its trigger was not published."
        return (ill if age > TRIGGER_GRACE else well)(State.UNTRIGGERED, sentence, _close(facts))
    holder = facts.holder
    # One consolidation a day at a time: that of another batch is waited for, and this is no defect.
    if holder is not None and holder.is_alive and holder.operation_id != batch.batch_id:
        sentence = (
            f"{_closed_as(batch)}; its consolidation waits for {holder.lock}, held for "
            f"{holder.operation_id} until {clock(holder.expires_at)}."
        )
        return well(State.WAITING_FOR_LOCK, sentence, operator_command("explain", holder.operation_id))
    is_late = batch.consolidated_generation > 0
    before = f"generation {batch.consolidated_generation} is merged; " if is_late else ""
    late = " for who came late" if is_late else ""
    begun = f"triggered {duration(age)} ago, and its consolidation has not begun"
    sentence = f"{before}{_closed_as(batch)}{late}; {begun}."
    state = State.LATE_GENERATION if is_late else State.TRIGGERED
    if age > STALLED_AFTER:
        return ill(state, sentence, _close(facts))
    return well(state, sentence, _watch(facts))


def _consolidating(facts: BatchFacts) -> Verdict:
    """Being merged, waiting, refused or cut short: told by who holds the lock of the day."""
    batch, holder = facts.batch, facts.holder
    refusal = _refusal(facts)
    if refusal is not None:
        return _refused(facts, refusal)
    if holder is not None and holder.is_alive:
        if holder.operation_id != batch.batch_id:
            sentence = (
                f"its consolidation was cut short; {holder.lock} is held for {holder.operation_id} now."
            )
            return well(State.WAITING_FOR_LOCK, sentence, operator_command("explain", holder.operation_id))
        sentence = f"its rows are being merged under fence {holder.fence}."
        return well(State.CONSOLIDATING, sentence, _watch(facts))
    # A dead holder's batch is triggered again by redelivery: for a while it is nobody's turn, and all is
    # well.
    age = facts.now - batch.update_time
    sentence = f"its consolidation began {duration(age)} ago, and nobody holds the lock: it was cut short."
    return (ill if age > STALLED_AFTER else well)(State.INTERRUPTED, sentence, _close(facts))


def _consolidated(facts: BatchFacts) -> Verdict:
    """Merged: told, not told yet, or without some players."""
    batch = facts.batch
    merged = counted(batch.total_predictions, "prediction", "are")
    if batch.phase_generation < batch.consolidated_generation:
        sentence = f"{merged} merged, and the next phase was not told."
        is_late = facts.now - batch.update_time > TRIGGER_GRACE
        return (ill if is_late else well)(State.UNANNOUNCED, sentence, _close(facts))
    # Merged without somebody is a decision that the rules took, and well; who is not in is named all the
    # same.
    without = [*(facts.missing or ()), *facts.failed, *facts.unstaged]
    if without:
        sentence = (
            f"{merged} merged and announced, without "
            f"{counted(len(without), 'player')} ({names(without)}).{_asked(facts)}"
        )
        return well(State.PARTIAL, sentence, _bring_in(facts))
    sentence = f"{merged} merged and announced."
    return well(State.CONSOLIDATED, sentence, operator_command("verify", batch.game_date.isoformat()))


def _bring_in(facts: BatchFacts) -> str | None:
    """What asks for those whose rows are not in; rows that nobody says the place of, nobody can ask for."""
    if is_asked_again(facts):
        return _watch(facts)
    if facts.missing:
        return _redrive(facts)
    return operator_command("redrive", facts.batch.batch_id, "--failed") if facts.failed else None


def _failed(facts: BatchFacts) -> Verdict:
    """Closed with too few players; once they are asked for again, it is waited for."""
    batch = facts.batch
    sentence = (
        f"closed at its deadline with {_pct(batch)} of the players heard of, below "
        f"{batch.min_completion_pct:g} %: not consolidated.{_missing(facts)}{_asked(facts)}"
    )
    # Ill also while they are awaited: until they come, these predictions are in no table.
    return ill(State.FAILED, sentence, _watch(facts) if is_asked_again(facts) else _redrive(facts))


def _abandoned(facts: BatchFacts) -> Verdict:
    """A decision of somebody, and no defect."""
    return well(State.ABANDONED, "given up by a person: it is never merged.", None)


def _refused(facts: BatchFacts, refusal: Refusal) -> Verdict:
    """The consolidation was refused for good: what mends it depends on why."""
    state = _BY_CLASS.get(refusal.error_class, State.REFUSED)
    sentence = (
        f"its consolidation was refused at {moment(refusal.at)} ({refusal.error_class}): {refusal.reason}"
    )
    # Its trigger would be refused again: the rows themselves have to come once more.
    if state is State.STAGED_ROWS_DIFFER:
        return ill(state, sentence, operator_command("redrive", facts.batch.batch_id, "--refused"))
    # Once what it was refused for is mended, the trigger itself is still good: it is sent as it was.
    return ill(state, sentence, operator_command("dead-letters", "replay", refusal.event_id))


def _refusal(facts: BatchFacts) -> Refusal | None:
    """The newest refusal of a consolidation since the batch was closed: an older one is of a generation that
    is over.
    """
    since = facts.batch.closed_at
    of_consolidation = (each for each in facts.refusals if each.function == "consolidation_trigger")
    return next((each for each in of_consolidation if since is None or each.at >= since), None)


def _closed_as(batch: Batch) -> str:
    """`closed as partial, generation 2,`."""
    again = f", generation {batch.generation}," if batch.generation > 1 else ""
    return f"closed as {batch.status.value}{again}"


def _missing(facts: BatchFacts) -> str:
    """Who is missing, as a sentence; "" for nobody."""
    return f" Missing: {names(facts.missing)}." if facts.missing else ""


def is_asked_again(facts: BatchFacts) -> bool:
    """Whether players were asked for again so lately that their answers may still come."""
    return facts.asked_again_at is not None and facts.now - facts.asked_again_at <= STALLED_AFTER


def _asked(facts: BatchFacts) -> str:
    """When they were asked for again, as a sentence, while answers may come."""
    if facts.asked_again_at is None or not is_asked_again(facts):
        return ""
    return f" Asked for again {duration(facts.now - facts.asked_again_at)} ago."


def _pct(batch: Batch) -> str:
    """Share of the players heard of."""
    return f"{reported_pct(batch.counts, batch.expected_players):.1f} %"


def _close(facts: BatchFacts) -> str:
    """Closes what is due, or publishes its trigger again."""
    return operator_command("close", facts.batch.batch_id)


def _watch(facts: BatchFacts) -> str:
    """Looks on, and changes nothing."""
    return operator_command("watch", facts.batch.batch_id)


def _redrive(facts: BatchFacts) -> str:
    """Where nobody knows who is missing, nobody can be asked again: the command says so."""
    if facts.missing is None:
        return operator_command("missing", facts.batch.batch_id)
    return operator_command("redrive", facts.batch.batch_id, "--missing")


def _end(facts: BatchFacts) -> str:
    """When the last is expected, as a sentence; "" where nobody can say."""
    if facts.expected_end is None:
        return ""
    end = facts.expected_end
    return (
        f" The last is expected at {clock(end.likely)} "
        f"(between {clock(end.earliest)} and {clock(end.latest)})."
    )
