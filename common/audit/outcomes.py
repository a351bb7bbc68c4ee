"""The three answers of a check: all is well, this is wrong, could not look; the third is never the first."""

from collections.abc import Iterable
from dataclasses import dataclass

from ..findings import Finding
from ..result import ErrorInfo


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What looking cost."""

    reads: int = 0
    """Documents, and counts of up to 1,000 index entries, as Firestore bills them."""
    bytes_processed: int = 0
    """By BigQuery."""

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(
            reads=self.reads + other.reads, bytes_processed=self.bytes_processed + other.bytes_processed
        )


NOTHING = Cost()


@dataclass(frozen=True, kw_only=True)
class Ok:
    """Looked, and nothing is wrong."""

    looked_at: frozenset[str] | None = None
    """The scopes (batches, dates) that were looked at; None: all there are."""
    cost: Cost = NOTHING
    left: int = 0
    """How many there was no time for; the next run begins with them."""
    resume_after: str | None = None
    """The last one that was come to, where the next run goes on behind it: because the time was up, or with
    its own part of a long list."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """Looked, and this is wrong."""

    findings: tuple[Finding, ...]
    looked_at: frozenset[str] | None = None
    """As in Ok: a finding in one of these that was not found is over, or nearly."""
    cost: Cost = NOTHING
    left: int = 0
    resume_after: str | None = None


@dataclass(frozen=True, kw_only=True)
class Unknown:
    """Could not look, or not everywhere; what was found until then counts."""

    store: str
    """Which one did not answer: firestore, bigquery, pubsub."""
    error: ErrorInfo
    findings: tuple[Finding, ...] = ()
    looked_at: frozenset[str] | None = frozenset()
    """Where it did look; nothing at all unless it says so."""
    cost: Cost = NOTHING
    left: int = 0
    resume_after: str | None = None


Outcome = Ok | Found | Unknown


def outcome_of(
    findings: Iterable[Finding],
    *,
    looked_at: Iterable[str] | None = None,
    cost: Cost = NOTHING,
    left: int = 0,
    resume_after: str | None = None,
) -> Ok | Found:
    """Of a check that came to its end."""
    # Found and Ok differ in nothing but that: whoever reads the outcomes tells them apart at a glance.
    found = tuple(findings)
    scopes = None if looked_at is None else frozenset(looked_at)
    if found:
        return Found(findings=found, looked_at=scopes, cost=cost, left=left, resume_after=resume_after)
    return Ok(looked_at=scopes, cost=cost, left=left, resume_after=resume_after)
