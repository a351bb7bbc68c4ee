"""What is wrong, since when, who was told, and what mends it.

What a check makes stands here at once: a `Finding` says what is wrong. `reporter` tells it, `store` keeps it;
these and the webhook are imported from their modules, so that rules and handlers load no client.
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
from .rules import Looked
from .telling import Change, Notice
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
    "channel",
    "operator_command",
    "records",
    "reporter",
    "rules",
    "slack",
    "store",
    "telling",
    "tracked",
]
