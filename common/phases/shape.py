"""What a phase graph is made of, and what makes one sound. The graphs themselves are in `graph.py`.

Every part can be written as JSON or YAML of the same shape: `read` takes what `json.loads` or a YAML loader
gives. A graph that is not sound cannot be constructed; the refusal names every offender.
"""

import re
from collections.abc import Mapping
from datetime import time
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from ..sport import DatasetRole
from ..topics import REGISTRY
from .mode import Mode
from .soundness import problems


class GraphError(ValueError):
    """The graph cannot be used; the message lists every part that is wrong, by name."""


class _Part(BaseModel):
    # A misspelt key would be a rule that silently does not hold.
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def _quoted(value: Any) -> Any:
    # YAML reads a bare 12:30 as the number 750.
    if isinstance(value, time) or (isinstance(value, str) and re.fullmatch(r"\d\d:\d\d(:\d\d)?", value)):
        return value
    raise ValueError("a time is a text such as '12:30', in quotes")


Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_]+$", max_length=200)]
"""Safe as a document id, and in SQL between backticks."""


class Tier(_Part):
    """After so long a wait, so many processors are enough: if the critical ones are among them."""

    reason: Name
    """What message and document give as the reason."""
    after_minutes: Annotated[float, Field(ge=0)]
    """Since the first processor reported."""
    at_least: Annotated[int, Field(ge=1)]


class Deadline(_Part):
    """By when the phase has started on a good day, by the wall clock in the pipeline's zone."""

    days_after: Annotated[int, Field(ge=0, le=7)]
    """After the game date."""
    at: Annotated[time, BeforeValidator(_quoted)]


class Table(_Part):
    """A table with a row or more per game date."""

    role: DatasetRole
    name: Name
    date_column: Name = "game_date"
    """The partition: a count reads one day."""
    min_rows: Annotated[int, Field(ge=1)] = 1
    """Fewer count as none."""


class RowCounts(_Part):
    """Enough of the tables have rows of the date, the `required` ones among them."""

    kind: Literal["row_counts"] = "row_counts"
    name: Name
    tables: Annotated[tuple[Table, ...], Field(min_length=1)]
    required: tuple[Name, ...]
    """Names among `tables`; `at_least` counts all that are filled."""
    at_least: Annotated[int, Field(ge=1)]


class Coverage(_Part):
    """The table knows enough of what the schedule has, such as games."""

    kind: Literal["coverage"] = "coverage"
    name: Name
    table: Table
    schedule: Table
    column: Name
    """Of both tables: what is counted, each value once."""
    min_pct: Annotated[float, Field(gt=0, le=100)]


class Reported(_Part):
    """A number that a processor reported in the metadata of its completion is high enough."""

    kind: Literal["reported"] = "reported"
    name: Name
    processor: Name
    field: Name
    minimum: float
    """Of the number itself; enough is at least this much."""


GateRule = Annotated[RowCounts | Coverage | Reported, Field(discriminator="kind")]


class ModeRules(_Part):
    """What one boundary needs in one mode."""

    expected: Annotated[tuple[Name, ...], Field(min_length=1)]
    """With all of these it starts at once; only these count."""
    critical: tuple[Name, ...]
    """Of the expected: without them it never starts by itself."""
    optional: tuple[Name, ...] = ()
    """Known and recorded, not waited for and not counted."""
    tiers: tuple[Tier, ...] = ()
    """The strictest first: later ones wait longer and are content with fewer."""
    gates: tuple[GateRule, ...] = ()
    deadline: Deadline


class Boundary(_Part):
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
        names = {name for rules in self.modes.values() for name in (*rules.expected, *rules.optional)}
        return tuple(sorted(names))

    @property
    def message(self) -> str:
        """The name of the message that starts the next phase."""
        return str(REGISTRY[self.dispatches_to].message)


class Graph(_Part):
    """All boundaries of one sport."""

    sport: Annotated[str, Field(pattern=r"^[a-z0-9]+$")]
    schedule: Table | None = None
    """What there is by date, such as games: a day that has some, and on which a phase is silent past its
    deadline, is told. Without it, nobody can know."""
    boundaries: Annotated[tuple[Boundary, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _is_sound(self) -> Self:
        if found := list(problems(self)):
            raise ValueError("; ".join(found))
        return self

    @classmethod
    def read(cls, data: Any) -> Self:
        """A graph from plain JSON or YAML values; raises GraphError with everything that is wrong."""
        try:
            return cls.model_validate(data)
        except ValidationError as exc:
            told = (f"{'.'.join(map(str, one['loc'])) or 'graph'}: {one['msg']}" for one in exc.errors())
            raise GraphError("; ".join(told)) from None

    def boundary(self, name: str) -> Boundary:
        """Raises KeyError for a name that the graph does not have."""
        return {boundary.name: boundary for boundary in self.boundaries}[name]

    def completed_on(self, topic: str) -> Boundary | None:
        """The boundary whose processors report on the topic of this constant."""
        return next((each for each in self.boundaries if each.completes_on == topic), None)

    def from_phase(self, phase: int) -> tuple[Boundary, ...]:
        """The boundary that starts `phase`, then those behind it, in the order of the graph's arrows."""
        found = [each for each in self.boundaries if each.next_phase == phase]
        reached = {each.next_phase for each in found}
        while more := [each for each in self.boundaries if each.phase in reached and each not in found]:
            found += more
            reached |= {each.next_phase for each in more}
        return tuple(found)

    def accelerated(self, factor: float) -> "Graph":
        """The same graph with every wait divided by `factor`; deadlines by the wall clock stay."""
        return Graph.model_validate(_accelerated(self.model_dump(), factor))


def _accelerated(value: Any, factor: float) -> Any:
    if isinstance(value, dict):
        return {
            key: one / factor if str(key).endswith("_minutes") else _accelerated(one, factor)
            for key, one in value.items()
        }
    return [_accelerated(one, factor) for one in value] if isinstance(value, list | tuple) else value
