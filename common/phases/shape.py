"""What a phase graph is made of: the boundaries, and what each needs in each mode.

The whole is a `Graph` (`phase_graph.py`); the graphs themselves are data (`graph.py`).
"""

import re
from collections.abc import Mapping
from datetime import time
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from ..sport import DatasetRole
from ..topics import REGISTRY
from .mode import Mode


class Part(BaseModel):
    """One part of a graph: frozen, and strict about the names of its fields."""

    # A misspelt key would be a rule that silently does not hold.
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def _quoted(value: Any) -> Any:
    # YAML reads a bare 12:30 as the number 750.
    if isinstance(value, time) or (isinstance(value, str) and re.fullmatch(r"\d\d:\d\d(:\d\d)?", value)):
        return value
    raise ValueError("a time is a text such as '12:30', in quotes")


Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_]+$", max_length=200)]
"""Safe as a document id, and in SQL between backticks."""


class Tier(Part):
    """After so long a wait, so many processors are enough: if the critical ones are among them."""

    reason: Name
    """What message and document give as the reason."""
    after_minutes: Annotated[float, Field(ge=0)]
    """Since the first processor reported."""
    at_least: Annotated[int, Field(ge=1)]


class Deadline(Part):
    """By when the phase has started on a good day, by the wall clock in the pipeline's zone."""

    days_after: Annotated[int, Field(ge=0, le=7)]
    """After the game date."""
    at: Annotated[time, BeforeValidator(_quoted)]


class Table(Part):
    """A table with a row or more per game date."""

    role: DatasetRole
    name: Name
    date_column: Name = "game_date"
    """The partition: a count reads one day."""
    min_rows: Annotated[int, Field(ge=1)] = 1
    """Fewer count as none."""


class RowCounts(Part):
    """Enough of the tables have rows of the date, the `required` ones among them."""

    kind: Literal["row_counts"] = "row_counts"
    name: Name
    tables: Annotated[tuple[Table, ...], Field(min_length=1)]
    required: tuple[Name, ...]
    """Names among `tables`; `at_least` counts all that are filled."""
    at_least: Annotated[int, Field(ge=1)]


class Coverage(Part):
    """The table knows enough of what the schedule has, such as games."""

    kind: Literal["coverage"] = "coverage"
    name: Name
    table: Table
    schedule: Table
    column: Name
    """Of both tables: what is counted, each value once."""
    min_pct: Annotated[float, Field(gt=0, le=100)]


class Reported(Part):
    """A number that a processor reported in the metadata of its completion is high enough."""

    kind: Literal["reported"] = "reported"
    name: Name
    processor: Name
    field: Name
    minimum: float
    """Of the number itself; enough is at least this much."""


GateRule = Annotated[RowCounts | Coverage | Reported, Field(discriminator="kind")]


class ModeRules(Part):
    """What one boundary needs in one mode."""

    expected: Annotated[tuple[Name, ...], Field(min_length=1)]
    """With all of these it starts at once; only these count."""
    critical: tuple[Name, ...]
    """Of the expected: without them it never starts by itself."""
    optional: tuple[Name, ...] = ()
    """Known and recorded, not waited for and not counted; what other modes know need not be listed."""
    tiers: tuple[Tier, ...] = ()
    """The strictest first: later ones wait longer and are content with fewer."""
    gates: tuple[GateRule, ...] = ()
    deadline: Deadline

    def due_by(self, deadline: Deadline) -> Self:
        """The same rules with another deadline."""
        return self.model_copy(update={"deadline": deadline})


class Boundary(Part):
    """Between two phases: when the processors of one are done, the next is started."""

    name: Name
    """For people, findings and operators' commands."""
    phase: Annotated[int, Field(ge=1)]
    next_phase: Annotated[int, Field(ge=1)]
    completes_on: str
    """Constant of the topic on which the processors report."""
    dispatches_to: str
    """Constant of the topic on which the next phase is started."""
    triggered_by: str
    """Name under which the message says who starts the phase; receivers of before read it."""
    parent_processor: str
    """Name under which the message says which orchestrator it comes from; receivers of before read it."""
    export_types: tuple[str, ...] = ()
    """For a target that takes an ExportTrigger."""
    aliases: Mapping[str, Name] = {}
    """Names that publishers use → the processor's."""
    entities: Mapping[Name, tuple[Name, ...]] = {}
    """Kind → the processors whose `entities_changed` are of this kind: the trigger tells every kind. What the
    other processors say has changed is not passed on."""
    recheck_minutes: Annotated[float, Field(gt=0)] = 10
    """A closed gate, or one that could not be evaluated, is looked at again after this."""
    blocked_alert_minutes: Annotated[float, Field(gt=0)] = 60
    """After so long behind a closed gate people are told."""
    modes: Mapping[Mode, ModeRules]

    @property
    def known(self) -> tuple[str, ...]:
        """Every processor of any mode, sorted."""
        # Of all modes: a report of another mode is known, too, and recorded.
        names = {name for rules in self.modes.values() for name in (*rules.expected, *rules.optional)}
        return tuple(sorted(names))

    @property
    def message(self) -> str:
        """The name of the message that starts the next phase."""
        return str(REGISTRY[self.dispatches_to].message)
