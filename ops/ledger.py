"""The records of operations as documents: `operations/{id}`."""

import uuid
from collections.abc import Mapping
from typing import Any

from common.documents.document import Document
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

        Where two people gave the same command at once there may be two: either may be taken up, as both have
        the same steps, and the other by the next call.
        """
        # `result` is written as null when a record is begun: a field that is absent, no query would find.
        unfinished = Query(where=(equal("command", command), equal("result", None)), limit=1)
        found = self._documents.find(COLLECTION, unfinished).unwrap()
        return _cut_short(found[0]) if found else None

    @returns_result
    def unfinished(self, record_id: str) -> CutShort | None:
        """The record of that id, if there is one and it has no result yet: for who finds its id elsewhere."""
        path = f"{COLLECTION}/{record_id}"
        found = self._documents.get([path]).unwrap().get(path)
        return _cut_short(found) if found is not None and found.data["result"] is None else None

    def begin(self, record: Record) -> Result[str]:
        """Keep it; returns its new id.

        Repeated by the client after a lost answer it is refused by its own write, and told as a failure:
        nothing has been done under it yet.
        """
        # Random, and not made of the command: the same words given again after a success are another act,
        # with a record of its own.
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
        """Update the record; a failure where it is not there."""
        noted = self._documents.commit([Update(path=f"{COLLECTION}/{record_id}", fields=fields)])
        return noted.map(lambda _: None)


def _cut_short(document: Document) -> CutShort:
    """What is needed to take up a record."""
    kept = document.data
    return CutShort(record_id=document.id, at=kept["at"], plan=tuple(kept["plan"]), seen=kept.get("seen", {}))
