"""A verdict: one sentence that says how things stand, and the command that looks closer or mends."""

from dataclasses import dataclass, replace
from enum import Enum

from ..exit_status import ExitStatus


class State(Enum):
    """Everything that a batch or a boundary can be found in. The runbook has an entry for each."""

    RUNNING = "running"
    """Open, and completions come."""
    STALLED = "stalled"
    """Open, and nothing has come for a while."""
    OVERDUE = "overdue"
    """Open past its deadline: the sweep should have closed it."""
    UNTRIGGERED = "untriggered"
    """All players have ended, and nobody was told."""
    TRIGGERED = "triggered"
    """The trigger is out; its consolidation has not begun."""
    WAITING_FOR_LOCK = "waiting for the lock"
    """Another batch of the day is being consolidated."""
    CONSOLIDATING = "consolidating"
    """Its rows are being merged."""
    INTERRUPTED = "interrupted"
    """In its consolidation, and nobody works on it."""
    STAGED_ROWS_DIFFER = "staged rows differ"
    """Its consolidation was refused: tables do not hold the rows that were claimed."""
    SCHEMA_DIFFERS = "schema differs"
    """Its consolidation was refused: a staging table has a column that the main table's definition does
    not know."""
    REFUSED = "refused"
    """The consolidation was refused for another reason, which the dead letter tells."""
    CONSOLIDATED = "consolidated"
    """Merged and announced, with all its players."""
    PARTIAL = "consolidated without some players"
    """Merged and announced, and some rows are not in it."""
    UNANNOUNCED = "unannounced"
    """Consolidated, and the next phase was not told."""
    LATE_GENERATION = "late generation"
    """Consolidated before; a late player's rows wait for the next consolidation."""
    FAILED = "failed"
    """Closed at its deadline with too few players heard of."""
    ABANDONED = "abandoned"
    """Given up by a person."""

    WAITING = "waiting"
    """Processors are awaited. From here on the states are those of a boundary."""
    READY = "ready"
    """Enough processors are done, and a gate could not be asked."""
    BLOCKED = "blocked"
    """A gate is closed."""
    HELD = "held"
    """A person stopped it."""
    DISPATCHING = "dispatching"
    """Decided; its trigger is on its way."""
    DISPATCHED = "dispatched"
    """The next phase was started."""
    SILENT = "silent"
    """No event of this phase was ever seen for the day."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What to tell whoever asks first."""

    state: State
    sentence: str
    command: str | None
    """The next command, ready to paste; None where there is nothing to do."""
    is_well: bool

    def with_command(self, command: str | None) -> "Verdict":
        """The same, with another next command."""
        return replace(self, command=command)

    @property
    def status(self) -> ExitStatus:
        """1 where somebody has to act, else 0."""
        return ExitStatus.WELL if self.is_well else ExitStatus.FOUND


def well(state: State, sentence: str, command: str | None = None) -> Verdict:
    """A verdict that asks for nothing, though a command may look closer."""
    return Verdict(state=state, sentence=sentence, command=command, is_well=True)


def ill(state: State, sentence: str, command: str | None) -> Verdict:
    """A verdict that somebody has to act upon; exit status 1."""
    return Verdict(state=state, sentence=sentence, command=command, is_well=False)
