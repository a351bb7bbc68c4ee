"""All boundaries of one sport, and what is asked about the whole of them.

A graph can be written as JSON or YAML of the same shape: `read` takes what `json.loads` or a YAML loader
gives. One that is not sound cannot be constructed; the refusal names every offender.
"""

from typing import Annotated, Any, Self

from pydantic import Field, ValidationError, model_validator

from .shape import Boundary, Part, Table
from .soundness import problems


class GraphError(ValueError):
    """The graph cannot be used; the message lists every part that is wrong, by name."""


class Graph(Part):
    """All boundaries of one sport."""

    sport: Annotated[str, Field(pattern=r"^[a-z0-9]+$")]
    schedule: Table | None = None
    """What there is by date, such as games: a day that has some, and on which a phase is silent past its
    deadline, is told. Without it, nobody can know."""
    boundaries: Annotated[tuple[Boundary, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _is_sound(self) -> Self:
        if found := list(problems(self.boundaries)):
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
        # By the arrows, not by the numbers: a phase may be left out.
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
            # By the unit in the name: a wait that is added later is divided, too.
            key: one / factor if str(key).endswith("_minutes") else _accelerated(one, factor)
            for key, one in value.items()
        }
    return [_accelerated(one, factor) for one in value] if isinstance(value, list | tuple) else value
