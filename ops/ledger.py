"""The records of operations as documents: `operations/{id}`."""

import uuid
from collections.abc import Mapping
from typing import Any

from common.documents.port import Documents
from common.documents.query import Query, equal
from common.documents.writes import Create, Update
from common.result import Result, returns_result

from .operations import COLLECTION, CutShort, Record


class OperationsLedger:
    """Keeps records of operations; nothing that was kept is ever removed. Safe to share between threads."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    @returns_result
    def cut_short(self, command: str) -> CutShort | None:
        """The record of this command that has no result yet; None where each has one.

        By two equality filters, which need no index of their own.
        """
        unfinished = Query(where=(equal("command", command), equal("result", None)), limit=1)
        found = self._documents.find(COLLECTION, unfinished).unwrap()
        if not found:
            return None
        kept = found[0].data
        return CutShort(
            record_id=found[0].id, at=kept["at"], plan=tuple(kept["plan"]), seen=kept.get("seen", {})
        )

    def begin(self, record: Record) -> Result[str]:
        """Keep it; returns its new id.

        Repeated by the client after a lost answer it is refused by its own write, and told as a failure:
        nothing has been done under it yet.
        """
        record_id = uuid.uuid4().hex
        kept = Create(path=f"{COLLECTION}/{record_id}", fields=record.to_document())
        return self._documents.commit([kept]).map(lambda _: record_id)

    def end(self, record_id: str, result: Mapping[str, Any]) -> Result[None]:
        """Again with the same result: nothing changes."""
        return self._note(record_id, {"result": dict(result)})

    def interrupt(self, record_id: str, so_far: Mapping[str, Any]) -> Result[None]:
        """Keep how far it came; the record stays without a result. Again: the last one stands."""
        return self._note(record_id, {"interrupted": dict(so_far)})

    def _note(self, record_id: str, fields: Mapping[str, Any]) -> Result[None]:
        noted = self._documents.commit([Update(path=f"{COLLECTION}/{record_id}", fields=fields)])
        return noted.map(lambda _: None)
