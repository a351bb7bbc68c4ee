"""What is wrong, since when, who was told, and what mends it.

`Reporter` is what a check needs; a `Finding` says what is wrong. The stores and the webhook are imported from
their modules, so that rules and handlers, which import from here, load no client.
"""

from .records import (
    Finding,
    FindingClass,
    Repair,
    Scope,
    ScopeKind,
    Severity,
    operator_command,
)
from .rules import Change, Looked, Notice
from .tracked import Pending, Silence, Tracked

__all__ = [
    "Change",
    "Finding",
    "FindingClass",
    "Looked",
    "Notice",
    "Pending",
    "Repair",
    "Scope",
    "ScopeKind",
    "Severity",
    "Silence",
    "Tracked",
    "operator_command",
]
