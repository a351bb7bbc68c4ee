"""A batch with a story, as `explain` reads it: the sample of the pictures and of the bundle's test."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from common.batches.records import BatchStatus, Counts
from ops.commands.explain import Telling
from ops.explaining.batch_evidence import Explained
from ops.explaining.batch_facts import BatchFacts, Refusal
from ops.explaining.evidence import Event
from ops.where import from_environment
from tests.support.batch_documents import batch_of

BATCH = "batch_2026-01-17_1768690800"
CLOSED_AT = datetime(2026, 1, 18, 0, 41, 9, tzinfo=UTC)

_WHERE = from_environment({"GCP_PROJECT": "predictions", "SPORT": "nba"}).unwrap()
TELLING = Telling(here=_WHERE.here, log=_WHERE.log_command)
"""Of a system in a project."""


def refused(reason: str = "_staging_…_w3: 12 rows, 14 claimed (lukadoncic, nikolajokic)") -> Explained:
    """Closed, triggered, and refused by its consolidation: two players' rows are not where they claimed."""
    at = CLOSED_AT + timedelta(seconds=8)
    refusal = Refusal(
        event_id="13480921",
        function="consolidation_trigger",
        error_class="StagedRowsDiffer",
        reason=reason,
        details={},
        at=at,
    )
    batch = replace(
        batch_of(),
        batch_id=BATCH,
        expected_players=450,
        counts=Counts(completed=446, skipped=3, failed=1),
        status=BatchStatus.CONSOLIDATING,
        closed_at=CLOSED_AT,
        closed_by_event="13480877",
        trigger_generation=1,
    )
    facts = BatchFacts(
        batch=batch,
        now=CLOSED_AT + timedelta(hours=5),
        missing=(),
        failed=("jaylenclark",),
        unstaged=(),
        last_completion_at=CLOSED_AT,
        asked_again_at=None,
        holder=None,
        refusals=(refusal,),
        expected_end=None,
    )
    return Explained(facts=facts, events=_story(reason), receipts=())


def _story(reason: str) -> tuple[Event, ...]:
    path = f"prediction_batches/{BATCH}"
    moments = (
        (-1502, "450 players expected", f"{path}/timeline/opened"),
        (-1490, "aaronwiggins completed", f"{path}/completions/aaronwiggins"),
        (-803, "jaylenclark failed: no features", f"{path}/completions/jaylenclark"),
        (0, "zionwilliamson completed", f"{path}/completions/zionwilliamson"),
        (0, "closed by event 13480877, generation 1", path),
        (1, f"{BATCH} took the lock of the day, fence 7", "consolidation_locks/consolidation_2026-01-17"),
        (8, f"refused: StagedRowsDiffer: {reason}", "dead_letters/13480921"),
    )
    return tuple(
        Event(at=CLOSED_AT + timedelta(seconds=seconds), what=what, source=source)
        for seconds, what, source in moments
    )
