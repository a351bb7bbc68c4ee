"""What a phase graph is made of, and what makes one sound. The graphs themselves are in `graph.py`.

Every part can be written as JSON or YAML of the same shape: `read` takes what `json.loads` or a YAML loader
gives. A graph that is not sound cannot be constructed; the refusal names every offender.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import time
from enum import Enum
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from ..sport import DatasetRole
from ..topics import REGISTRY

COMPLETION: Literal["PhaseCompletion"] = "PhaseCompletion"
TRIGGERS = ("PhaseTrigger", "ExportTrigger")


class GraphError(ValueError):
    """The graph cannot be used; the message lists every part that is wrong, by name."""


class Mode(Enum):
    """How a date lies to today, in the pipeline's zone: what can have been computed depends on it."""

    OVERNIGHT = "overnight"
    """The date is over: games were played."""
    SAME_DAY = "same_day"
    TOMORROW = "tomorrow"
    """Tomorrow or later."""


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


def problems(graph: Graph) -> Iterator[str]:
    """Whatever makes the graph unsound, each with the name of the part."""
    yield from _repeated("boundary", (each.name for each in graph.boundaries))
    yield from _repeated("topic", (each.completes_on for each in graph.boundaries))
    for boundary in graph.boundaries:
        yield from (f"boundary {boundary.name!r}: {what}" for what in _of_boundary(boundary))
    if cycle := _cycle(graph):
        yield f"cycle: phases {' → '.join(map(str, cycle))}"


def _repeated(what: str, names: Iterator[str]) -> Iterator[str]:
    yield from (
        f"{what} {name!r}: named {number} times" for name, number in Counter(names).items() if number > 1
    )


def _of_boundary(boundary: Boundary) -> Iterator[str]:
    yield from _of_topic("completes_on", boundary.completes_on, (COMPLETION,))
    yield from _of_topic("dispatches_to", boundary.dispatches_to, TRIGGERS)
    is_export = boundary.dispatches_to in REGISTRY and boundary.message == "ExportTrigger"
    if is_export and not boundary.export_types:
        yield "export_types: an export has at least one"
    if missing := sorted(mode.value for mode in set(Mode) - boundary.modes.keys()):
        yield f"modes: {', '.join(missing)} missing"
    for alias, name in boundary.aliases.items():
        if name not in boundary.known:
            yield f"alias {alias!r}: {name!r} is no processor of this boundary"
    for kind, names in boundary.entities.items():
        yield from (
            f"entities {kind!r}: {name!r} is no processor of this boundary"
            for name in names
            if name not in boundary.known
        )
    for mode, rules in boundary.modes.items():
        yield from (f"mode {mode.value!r}: {what}" for what in _of_mode(rules))


def _of_topic(role: str, constant: str, messages: tuple[str, ...]) -> Iterator[str]:
    if constant not in REGISTRY:
        yield f"{role}: topic {constant!r} is not in the registry"
    elif REGISTRY[constant].message not in messages:
        yield f"{role}: topic {constant!r} carries {REGISTRY[constant].message}, not {' or '.join(messages)}"


def _of_mode(rules: ModeRules) -> Iterator[str]:
    yield from _repeated("processor", iter((*rules.expected, *rules.optional)))
    for name in rules.critical:
        if name not in rules.expected:
            yield f"critical processor {name!r} is not expected"
    for before, after in zip(rules.tiers, rules.tiers[1:], strict=False):
        # The first tier that is satisfied is taken: one that waits longer for more would never be reached.
        if after.after_minutes <= before.after_minutes or after.at_least >= before.at_least:
            yield f"tier {after.reason!r}: out of order: later than {before.reason!r}, and content with fewer"
    for tier in rules.tiers:
        if tier.at_least > len(rules.expected):
            yield f"tier {tier.reason!r}: {tier.at_least} processors of {len(rules.expected)} expected"
    yield from _repeated("gate", (gate.name for gate in rules.gates))
    for gate in rules.gates:
        yield from (f"gate {gate.name!r}: {what}" for what in _of_gate(gate, rules))


def _of_gate(gate: GateRule, rules: ModeRules) -> Iterator[str]:
    if isinstance(gate, Reported) and gate.processor not in rules.critical:
        yield f"processor {gate.processor!r} is not critical, so its number may be missing"
    if not isinstance(gate, RowCounts):
        return
    names = [table.name for table in gate.tables]
    yield from _repeated("table", iter(names))
    for name in gate.required:
        if name not in names:
            yield f"required table {name!r} is none of its tables"
    if gate.at_least > len(names):
        yield f"at_least: {gate.at_least} of {len(names)} tables"


def _cycle(graph: Graph) -> list[int]:
    """Phases that lead to themselves, the first again at the end; empty if there are none.

    A cycle would start phases for ever.
    """
    following: dict[int, list[int]] = {}
    for boundary in graph.boundaries:
        following.setdefault(boundary.phase, []).append(boundary.next_phase)

    def walk(path: list[int]) -> list[int]:
        for phase in following.get(path[-1], ()):
            if phase in path:
                return [*path[path.index(phase) :], phase]
            if found := walk([*path, phase]):
                return found
        return []

    return next((found for phase in following if (found := walk([phase]))), [])
