"""The findings about a batch or a date, as the auditor left them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from common.batches.batch_store import readable
from common.documents.port import Documents
from common.documents.query import Query, at_most, one_of
from common.findings.store import COLLECTION
from common.findings.tracked import Tracked

from .evidence import Event


def findings_of(documents: Documents, scopes: Sequence[str], *, as_of: datetime | None) -> list[Tracked]:
    """Those whose scope is one of these (at most 30), over or not; one query. Raises ResultError.

    With `as_of` as they were then; whether Firestore keeps that moment, its answer tells (see `past`).
    """
    found = documents.find(COLLECTION, Query(where=(one_of("scope", scopes),), as_of=as_of)).unwrap()
    return [readable(each, Tracked.from_document).unwrap() for each in found]


def found_by(documents: Documents, at: datetime) -> list[Tracked]:
    """All whose last episode had begun by then, over or not; one query. Raises ResultError."""
    begun = Query(where=(at_most("first_seen", at),), order_by="first_seen")
    return [
        readable(each, Tracked.from_document).unwrap() for each in documents.find(COLLECTION, begun).unwrap()
    ]


def until(findings: Iterable[Tracked], at: datetime) -> tuple[Tracked, ...]:
    """Those that had been found by then, as far as they are known now; one that was over later was open.

    Pure.
    """
    return tuple(
        # Judged later, it was open then; since when its words were these, nobody wrote down.
        replace(each, is_open=each.is_open or each.judged_at > at)
        for each in findings
        if each.first_seen <= at
    )


def told(findings: Iterable[Tracked]) -> Iterator[Event]:
    """When each was found, and when it was found to be over."""
    for each in findings:
        name, source = each.finding.finding_class.value, f"findings/{each.finding_id}"
        yield Event(at=each.first_seen, what=f"found {name}: {each.finding.summary}", source=source)
        if not each.is_open:
            yield Event(at=each.judged_at, what=f"{name} is over", source=source)
