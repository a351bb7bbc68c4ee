"""What some days used: counted where a store tells it, reckoned where none does, and which is which. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from common.batches.records import Batch
from common.texts import counted

from .receipts import Spent

READS_PER_CONSOLIDATION: Final = 5
"""Of the batch document and its receipts, measured on the wire."""
WRITES_PER_BATCH: Final = 8
"""Opening, closing, trigger, consolidation, announcement and their stories."""
RECORDER_SECONDS: Final = 0.00033
"""Of one vCPU per completion: 3,000 a second over 32 connections (`./tests/run bench function`)."""
RECORDER_GIB: Final = 0.5
"""GiB of memory per second of one vCPU."""
BYTES_PER_MESSAGE: Final = 1_000
"""What Pub/Sub bills at least for a request."""
BYTES_PER_TABLE: Final = 10 * 1024 * 1024
"""What BigQuery bills at least for each table of a query."""


@dataclass(frozen=True, kw_only=True)
class Amount:
    """How much of something."""

    measured: float = 0
    """Counted in documents, or noted where it was used."""
    estimated: float = 0
    formula: str = ""
    """How the estimated part was reckoned, with its figures; what is left out."""

    @property
    def units(self) -> float:
        """Both parts together: what is billed."""
        return self.measured + self.estimated


@dataclass(frozen=True, kw_only=True)
class Usage:
    """Of some days, without workers, storage and logs."""

    completions: int
    batches: int
    consolidations: int
    audits: int
    firestore_reads: Amount
    firestore_writes: Amount
    messages: Amount
    pubsub_bytes: Amount
    bigquery_bytes: Amount
    run_requests: Amount
    run_vcpu_seconds: Amount
    run_gib_seconds: Amount


def usage_of(
    batches: Sequence[Batch], receipts: Sequence[Spent], audits: Sequence[Mapping[str, Any]]
) -> Usage:
    """From the batches of some game dates, their receipts, and the documents of the audits of these days.

    Repeated deliveries, sweeps and retries leave no trace in what is read here: they are not in it, and the
    formulas say so. Writes are reckoned upwards: commits that were grouped cost less.
    """
    completions = sum(batch.counts.ended for batch in batches)
    # Each generation is announced once as a trigger and once as the end of its phase.
    told = sum(batch.trigger_generation + batch.phase_generation for batch in batches)
    heard = sum(batch.counts.reported for batch in batches)
    # One request per player, one completion per player heard of (nobody publishes for who timed out), and
    # what each generation told.
    messages = sum(batch.expected_players for batch in batches) + heard + told
    # As one vCPU for all of its time, also while it waits for BigQuery: an instance is billed for as long
    # as it handles a request.
    consolidating = sum((each.consolidated_at - each.started_at).total_seconds() for each in receipts)
    auditing = sum((each["ended_at"] - each["started_at"]).total_seconds() for each in audits)
    recording = RECORDER_SECONDS * completions
    return Usage(
        completions=completions,
        batches=len(batches),
        consolidations=len(receipts),
        audits=len(audits),
        firestore_reads=_reads(completions, len(receipts), audits),
        firestore_writes=_writes(completions, len(batches), len(receipts)),
        messages=Amount(
            measured=messages,
            formula="a request and a completion per player, what each batch told; no repeats",
        ),
        pubsub_bytes=Amount(
            estimated=2 * BYTES_PER_MESSAGE * messages,
            formula=f"{counted(messages, 'message')} * {BYTES_PER_MESSAGE:,} bytes, published and delivered",
        ),
        bigquery_bytes=_bytes(receipts, audits),
        run_requests=Amount(
            measured=heard + told + len(audits),
            formula="completions, triggers, announcements, audits; no repeats, no sweeps",
        ),
        run_vcpu_seconds=Amount(
            measured=consolidating + auditing,
            estimated=recording,
            formula=f"{counted(completions, 'completion')} * {RECORDER_SECONDS} s",
        ),
        run_gib_seconds=Amount(
            measured=consolidating + auditing,
            estimated=RECORDER_GIB * recording,
            formula=f"{counted(completions, 'completion')} * {RECORDER_SECONDS} s * {RECORDER_GIB} GiB",
        ),
    )


def _reads(completions: int, consolidations: int, audits: Iterable[Mapping[str, Any]]) -> Amount:
    """What audits noted, and an estimate for everything else."""
    return Amount(
        measured=sum(each["cost"]["reads"] for each in audits),
        estimated=completions + READS_PER_CONSOLIDATION * consolidations,
        formula=f"{counted(completions, 'completion')} read once + "
        f"{counted(consolidations, 'consolidation')} * {READS_PER_CONSOLIDATION}",
    )


def _writes(completions: int, batches: int, consolidations: int) -> Amount:
    """A document per completion and a receipt per consolidation are counted; counters and stories are
    reckoned.
    """
    return Amount(
        measured=completions + consolidations,
        estimated=completions + WRITES_PER_BATCH * batches,
        formula=f"{completions:,} counters (fewer where commits are grouped) + {counted(batches, 'batch')} * "
        f"{WRITES_PER_BATCH}",
    )


def _bytes(receipts: Sequence[Spent], audits: Iterable[Mapping[str, Any]]) -> Amount:
    """Receipts know what was billed, unless an earlier release wrote them; audits know what was read."""
    unsaid = [each for each in receipts if each.bytes_billed is None]
    tables = sum(each.tables + 1 for each in unsaid)
    return Amount(
        measured=sum(each.bytes_billed or 0 for each in receipts)
        + sum(each["cost"]["bytes_processed"] for each in audits),
        estimated=sum(max(each.bytes_processed, BYTES_PER_TABLE * (each.tables + 1)) for each in unsaid),
        formula=f"{counted(len(unsaid), 'receipt')} without it: {counted(tables, 'table')} * 10 MiB at least"
        if unsaid
        else "",
    )
