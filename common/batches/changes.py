"""What one commit does to a batch, as a value: fields of its document, and documents below it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ..documents.writes import SERVER_TIME, Create, Delete, Set, Update, Write
from .records import Batch, batch_path


@dataclass(frozen=True, kw_only=True)
class Change:
    """What to write in one commit: fields of a batch, and documents below it by their path (`claims/x`)."""

    fields: Mapping[str, Any]
    """Of the batch document; may hold transforms. `updated_at` is added to them."""
    creates: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Documents that only one can create: the commit is refused if one exists."""
    sets: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Documents whose ids are made from what happened: written again, they are the same."""
    deletes: tuple[str, ...] = ()
    then: Callable[[datetime], Batch] | None = None
    """The batch once this is written, given the time of the write; None where only reading it again tells."""

    def writes(self, batch: Batch) -> list[Write]:
        """The commit, refused if the batch has been written since it was read; the batch comes first.

        Every write below a batch goes out with an update of the batch document, so that "the batch has not
        changed" also holds for its completions.
        """
        path = batch_path(batch.batch_id)
        # It is also what gives each commit a new version, though no other field may change.
        fields = {**self.fields, "updated_at": SERVER_TIME}
        return [
            Update(path=path, fields=fields, unchanged_since=batch.update_time),
            *(Create(path=f"{path}/{below}", fields=document) for below, document in self.creates.items()),
            *(Set(path=f"{path}/{below}", fields=document) for below, document in self.sets.items()),
            *(Delete(path=f"{path}/{below}") for below in self.deletes),
        ]
