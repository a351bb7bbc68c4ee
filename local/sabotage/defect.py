"""What it is to break something on purpose: how it comes about, what has to be found, who mends it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from common.findings import Finding, FindingClass

if TYPE_CHECKING:
    from .world import World

Expected = Mapping[str, tuple[str, ...] | None]
"""The scopes that have to be found, each with the players or tables that the finding has to name; None where
it names nobody."""


@dataclass(frozen=True, kw_only=True)
class ByAudit:
    """The audit that is asked to repair does it."""


@dataclass(frozen=True, kw_only=True)
class ByPerson:
    """A person does it, with the operator's commands alone."""

    commands: "Callable[[World, Finding], Sequence[str]]"
    """In their order, the finding's own among them; the last one mends."""


@dataclass(frozen=True, kw_only=True)
class Otherwise:
    """No command mends it here: what does, and how it is done. The finding's own command still looks."""

    what: str
    undo: "Callable[[World], None]"
    worst_status: int = 1
    """Of the finding's own command: 1 has found something, 3 could not read what nobody can read."""


Mending = ByAudit | ByPerson | Otherwise


@dataclass(frozen=True, kw_only=True)
class Defect:
    """One class of finding, and how it comes about."""

    finding_class: FindingClass
    how: str
    """A few words for a person: what was done to the system."""
    make: "Callable[[World], Expected]"
    mended: Mending
