"""The receipt of a consolidation: what was staged, what is merged, under which fence.

Stored in `prediction_batches/{batch_id}/receipts/{fence}` by the commit that makes the batch consolidated;
`receipt_store.py` stores it and reads it back.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, fields
from datetime import UTC, datetime
from typing import Any, Final

from ..messages import MessageStatus

PROCESSOR: Final = "prediction_consolidation"
"""The name under which the log and the announcement know the consolidation."""

MAX_NAMED: Final = 100
"""How many players a receipt names; it counts all of them."""


@dataclass(frozen=True, kw_only=True)
class MergedTable:
    """A staging table as it was when it was merged.

    A row count alone is no identity: a table that was dropped and made anew may have as many rows, and they
    are others.
    """

    rows: int
    created_at: datetime | None
    """None: an earlier release did not note it, and nothing may be dropped for it."""


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """Proof of one consolidation. Keys are business keys, each counted once.

    A field with a default came with a later release; the default is what its absence means.
    """

    batch_id: str
    """With `generation` the identity of the receipt; `fence` names its document, so that two holders
    never write one."""
    generation: int
    fence: int
    game_date: str
    """ISO; a document has no dates."""
    expected_players: int
    """Players of the batch as of the merge, and below how they ended by then."""
    completed_players: int
    skipped_players: int
    failed_players: int
    timed_out_players: int
    unstaged_players: int
    """Who completed, and whose rows are nowhere to be found."""
    tables: Mapping[str, MergedTable]
    """The staging tables that are merged to the last row: these may be dropped."""
    gathered_table: str | None
    """Where they were gathered; None where nothing was staged."""
    rows_staged: int
    """Claimed rows that were gathered, repeated keys included. `keys_staged` counts keys."""
    keys_staged: int
    keys_in_main: int
    duplicate_keys: int
    rows_inserted: int
    """Rows of the main table that this merge made, and below those that it replaced by newer ones."""
    rows_updated: int
    total_predictions: int
    """Predictions of the batch in the main table, those of earlier generations included; who comes again
    after a merge is counted once."""
    job_id: str | None
    """Of the merge; None where nothing was staged."""
    bytes_processed: int
    """By all jobs of the consolidation."""
    started_at: datetime
    """By the holder's clock; also `updated_at` of the rows that were changed."""
    consolidated_at: datetime
    correlation_id: str | None = None
    unstaged_names: tuple[str, ...] = ()
    """The first of `unstaged_players`."""
    contradicting_rows: int = 0
    """Staged rows that were dropped because another one with the same key, time and id came first."""
    previous_digest: str | None = None
    """Digest of the batch's receipt before this one: see `receipt_chain`."""
    previous_fence: int | None = None
    """Names that receipt."""
    bytes_billed: int | None = None
    """By BigQuery, for all jobs of the consolidation; None where it did not say."""
    jobs: int = 0
    """Those that gathered and merged; 0 where nothing was staged."""

    @property
    def execution_id(self) -> str:
        """The same for every repeat of the consolidation, of its log row and of its announcement."""
        return f"{self.batch_id}-{self.generation}"

    @property
    def digest(self) -> str:
        """The same for the same receipt, read back or not. A field that has its default is left out: one that
        a later release adds changes no digest of before."""
        document = self.to_document()
        said = {
            field.name: document[field.name]
            for field in fields(self)
            # Else every field that a later release adds would change the digests of all receipts before it.
            if field.default is MISSING or getattr(self, field.name) != field.default
        }
        return hashlib.sha256(json.dumps(said, default=_in_utc, sort_keys=True).encode()).hexdigest()

    @property
    def status(self) -> MessageStatus:
        """What the batch came to.

        `failed` if every player failed, `partial` if anybody's predictions are missing or unknown, `no_data`
        if there were none to make.
        """
        # Skipped players are not missing: there was nothing to predict.
        missing = self.failed_players + self.timed_out_players
        if not self.total_predictions and missing and missing >= self.expected_players:
            return MessageStatus.FAILED
        if missing or self.unstaged_players or self.contradicting_rows:
            return MessageStatus.PARTIAL
        return MessageStatus.SUCCESS if self.total_predictions else MessageStatus.NO_DATA

    @classmethod
    def from_document(cls, data: Mapping[str, Any]) -> "Receipt":
        """Read a document of this release or an earlier one. Raises KeyError or ValueError for one that is no
        receipt."""
        known = {field.name: data[field.name] for field in fields(cls) if field.name in data}
        for name, kind in (("total_predictions", int), ("consolidated_at", datetime)):
            if not isinstance(data[name], kind):
                raise ValueError(f"{name}: {data[name]!r} is no {kind.__name__}")
        tables = {name: _merged_table(value) for name, value in data["tables"].items()}
        named = tuple(data.get("unstaged_names", ()))
        try:
            return cls(**{**known, "tables": tables, "unstaged_names": named})
        except TypeError as exc:
            # Of a field that was always there: told as the KeyError that readers of documents expect.
            raise KeyError(str(exc)) from exc

    def to_document(self) -> dict[str, Any]:
        """The document. Tuples become lists, as Firestore gives them back."""
        return {**asdict(self), "unstaged_names": list(self.unstaged_names)}


def _in_utc(moment: datetime) -> str:
    """For the digest: a store gives its own kind of datetime, to the microsecond, in any zone."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def _merged_table(value: Any) -> MergedTable:
    """A row count alone is what the first release wrote."""
    # No release writes that form any more; receipts are kept, so it will be read for long.
    if isinstance(value, Mapping):
        return MergedTable(rows=value["rows"], created_at=value.get("created_at"))
    return MergedTable(rows=value, created_at=None)
