"""Reads the dead letters that wait for a person, and notes what a person did with them.

A dead letter waits until it is replayed or discarded; its document stays, for whoever asks later.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final, Self

from ..documents.document import Document
from ..documents.port import UNREADABLE, Documents, is_refused
from ..documents.query import Query
from ..documents.writes import Update
from ..result import ErrorInfo, Result, ResultError, returns_result
from .dead_letters import COLLECTION, document_id_of

MAX_READ: Final = 1_000
"""Documents in one reading."""


@dataclass(frozen=True, kw_only=True)
class DeadLetter:
    """One message that could not be handled, as its document tells it."""

    event_id: str
    topic: str
    """Full name, with the sport."""
    function: str
    reason: str
    """The message of the error that made it a dead letter; `error_class` and `details` are of the same
    error."""
    error_class: str
    details: Mapping[str, Any]
    data: str
    """The body as text; bytes that are no UTF-8 are escaped in it."""
    is_whole: bool
    """Whether `data` is all that was received: a document keeps 50,000 characters."""
    attributes: Mapping[str, str]
    published_at: datetime | None
    dead_lettered_at: datetime
    replayed_at: datetime | None
    discarded_at: datetime | None
    discard_begun_at: datetime | None = None
    """When somebody set out to discard it: the message behind it may be gone since."""
    written_at: datetime | None = field(default=None, compare=False)
    """The store's time of its document, as it was read: whoever notes something notes it of this writing."""

    @property
    def waits(self) -> bool:
        """Whether nobody has published it again or discarded it."""
        return self.replayed_at is None and self.discarded_at is None

    @property
    def batch_id(self) -> str | None:
        """The batch that the message is about, if it says so."""
        try:
            found = json.loads(self.data)
        except ValueError:
            return None
        batch_id = found.get("batch_id") if isinstance(found, dict) else None
        return batch_id if isinstance(batch_id, str) else None

    @classmethod
    def from_document(cls, data: Mapping[str, Any], written_at: datetime | None = None) -> Self:
        """Raises one of UNREADABLE for a document that is no dead letter."""
        if not isinstance(data["dead_lettered_at"], datetime):
            raise ValueError(f"dead_lettered_at: {data['dead_lettered_at']!r} is no time")
        return cls(
            event_id=data["event_id"],
            topic=data["topic"],
            function=data["function"],
            reason=data["reason"],
            error_class=data["error_class"],
            details=_object(data.get("error_details")),
            data=data["data"],
            # Cut at 50,000 characters, or with escapes in place of bytes: either way it cannot be published
            # as it was.
            is_whole=len(data["data"].encode()) == data["data_bytes"],
            attributes=_object(data.get("attributes")),
            published_at=data.get("published_at"),
            dead_lettered_at=data["dead_lettered_at"],
            replayed_at=data.get("replayed_at"),
            discarded_at=data.get("discarded_at"),
            discard_begun_at=data.get("discard_begun_at"),
            written_at=written_at,
        )


class DeadLetterBox:
    """The dead letters of one database; safe to share between threads."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    @returns_result
    def newest(self, limit: int = MAX_READ) -> list[DeadLetter]:
        """The newest first, those that were handled included; at most `limit`.

        PERMANENT if a document is no dead letter, naming it: it is not passed over, for it may be the one
        that is looked for.
        """
        newest = Query(order_by="dead_lettered_at", descending=True, limit=limit)
        return [_read(each) for each in self._documents.find(COLLECTION, newest).unwrap()]

    def note_replayed(
        self, letter: DeadLetter, at: datetime, *, who: str, why: str, message_id: str
    ) -> Result[None]:
        """Note that it was published again, as which message; to be called after the publish.

            operator   publishes ── notes
                                 ╰─ crash here: waits still; a second replay is recognised as the same event

            operator   publishes ───────────────────────────── notes: refused, the document was written since
            function             fails again ── writes it anew: waits ┘

        Again: nothing. FailedAgain (PERMANENT): it was written anew since it was read, and waits. NoSuchThing
        (PERMANENT) for one that is not there.
        """
        fields = {"replayed_at": at, "replayed_by": who, "replayed_why": why, "replayed_as": message_id}
        return self._note(letter, fields).map(lambda _: None)

    def note_discarding(self, letter: DeadLetter, at: datetime, *, who: str, why: str) -> Result[DeadLetter]:
        """Note that somebody sets out to discard it, before its message is taken out; the letter as it is
        then, for `note_discarded`.

            operator   notes that it is begun ── takes the message out ── notes that it is done
                                              ╰─ crash here, or before: waits still, and says who wanted
                                                 what; the command again does the rest

        Failures and repeats as `note_replayed`.
        """
        fields = {"discard_begun_at": at, "discarded_by": who, "discarded_why": why}
        return self._note(letter, fields).map(lambda written_at: replace(letter, written_at=written_at))

    def note_discarded(self, letter: DeadLetter, at: datetime) -> Result[None]:
        """Note that nobody needs it any more; its document stays. `letter` is what `note_discarding` gave.

        Failures and repeats as `note_replayed`.
        """
        return self._note(letter, {"discarded_at": at}).map(lambda _: None)

    @returns_result
    def _note(self, letter: DeadLetter, fields: Mapping[str, Any]) -> datetime:
        """The version of the document that has these fields."""
        path = f"{COLLECTION}/{document_id_of(letter.event_id)}"
        noted = self._documents.commit([Update(path=path, fields=fields, unchanged_since=letter.written_at)])
        if not is_refused(noted):
            return noted.unwrap()[0].update_time
        found = self._documents.get([path]).unwrap().get(path)
        if found is None:
            why = f"dead letter {letter.event_id!r}: not there"
            raise ResultError(ErrorInfo.permanent("NoSuchThing", why))
        # Our own earlier try, whose answer was lost, has written just this.
        if any(found.data.get(name) != value for name, value in fields.items()):
            why = f"dead letter {letter.event_id!r}: it was written anew meanwhile, and waits"
            raise ResultError(ErrorInfo.permanent("FailedAgain", why))
        return found.update_time


def _read(document: Document) -> DeadLetter:
    try:
        return DeadLetter.from_document(document.data, document.update_time)
    except UNREADABLE as exc:
        raise ResultError(ErrorInfo.from_exception(exc, dead_letter=document.id)) from exc


def _object(text: Any) -> Mapping[str, Any]:
    found = json.loads(text) if text else {}
    return found if isinstance(found, dict) else {}
