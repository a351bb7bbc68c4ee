"""Every document of the collections that an audit chooses from: met within a day, whatever it holds.

A query finds what has its fields. A batch without date and status, a finding without `is_settled`, a dead
letter without its time is found by none, and would wait for ever. So each run walks over a slice of all
documents in the order of their names, which every document has:

    run 1   audits/a … findings/m │                                      stops after its slice
    run 2                         │ findings/n … prediction_batches/k │
    run 3                                                             │ … sweeps/z   all were met: run 4
            begins anew

What another check has read in this run is left to it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from ..batches.batch_document import read_batch
from ..batches.records import COLLECTION as BATCHES
from ..batches.records import BatchStatus
from ..chunks import chunks
from ..documents.document import Document
from ..documents.port import UNREADABLE, Documents
from ..documents.query import Query
from ..entrypoint.dead_letter_box import DeadLetter
from ..entrypoint.dead_letters import COLLECTION as DEAD_LETTERS
from ..findings import Finding
from ..findings.store import COLLECTION as FINDINGS
from ..findings.store import read_findable
from ..maintenance.sweep_ticks import COLLECTION as SWEEPS
from ..phases.phase_graph import Graph
from ..phases.records import Day, DayKey, collection_of
from ..result import Result, returns_result
from .batch_reader import NAMES_AT_ONCE
from .batches_seen import Seen
from .in_turn import Turn
from .outcomes import Cost, Outcome, Unknown, outcome_of
from .report import resume_from
from .run_checks import AUDITS_COLLECTION, SWEEPERS
from .stores import FIRESTORE
from .unreadable import unreadable_documents

CHECK: Final = "every_document"
SLICE: Final = 1_000
"""Documents that one run walks over, a read each: 24,000 a day."""
PAGE: Final = 100
"""Of one query: a batch with its legacy array may be 1 MiB."""


@dataclass(frozen=True, kw_only=True)
class Collection:
    """Documents of one kind."""

    name: str
    read: Callable[[Document], Any]
    """Raises one of UNREADABLE for a document that makes no sense, or that the queries of the audit do not
    find though they should."""


def collections(sport: str, graph: Graph) -> tuple[Collection, ...]:
    """Those that an audit chooses from, in the order of their names; locks it reads whole at every run."""
    phases = [
        Collection(name=collection_of(sport, boundary.phase), read=_phase_of(sport, boundary.phase))
        for boundary in graph.boundaries
    ]
    found = (
        Collection(name=BATCHES, read=_batch),
        Collection(name=FINDINGS, read=read_findable),
        Collection(name=DEAD_LETTERS, read=lambda document: DeadLetter.from_document(document.data)),
        Collection(name=AUDITS_COLLECTION, read=lambda document: resume_from(document.data)),
        Collection(name=SWEEPS, read=_sweep),
        *phases,
    )
    return tuple(sorted(found, key=lambda each: each.name))


def check_every_document(
    documents: Documents,
    kinds: Sequence[Collection],
    *,
    seen: Result[Seen],
    dates: Sequence[date],
    known: Result[Sequence[Finding]],
    turn: Turn,
) -> Outcome:
    """The documents of this run's slice, and those that were found before.

    `known` are the open findings: the documents of this check's are read again by name, so that one that was
    mended is over, whichever slice it lies in. Reads SLICE documents (and a page) at most, and those.
    """
    if (away := seen.error or known.error) is not None:
        return Unknown(store=FIRESTORE, error=away)
    again = [path for each in known.unwrap() if each.check == CHECK for path in each.ids]
    looked = _look(documents, kinds, again, turn)
    if looked.error is not None:
        return Unknown(store=FIRESTORE, error=looked.error)
    found = looked.unwrap()
    # What is read by its own check in this run, that one has named, too.
    elsewhere = {f"{BATCHES}/{batch_id}" for batch_id in seen.unwrap().batch_ids}
    elsewhere |= {f"{kind.name}/{day.isoformat()}" for kind in kinds for day in dates}
    wrong = {path: why for path, why in found.wrong.items() if path not in elsewhere}
    return outcome_of(
        unreadable_documents(CHECK, wrong),
        cost=Cost(reads=found.reads),
        left=int(found.is_cut),
        resume_after=found.after,
    )


@dataclass(kw_only=True)
class _Looked:
    """What a run has met of all documents."""

    wrong: dict[str, str] = field(default_factory=dict)
    """By path, why."""
    reads: int = 0
    after: str | None
    """The last document that was met; None: the walk is at its end."""
    is_cut: bool = False
    """The time was up before the slice was."""

    def judge(self, kind: Collection, found: Sequence[Document]) -> None:
        """Note what is wrong with them; what they cost."""
        self.reads += max(1, len(found))
        for document in found:
            try:
                kind.read(document)
            except UNREADABLE as exc:
                self.wrong[document.path] = f"{type(exc).__name__}: {exc}"


@returns_result
def _look(documents: Documents, kinds: Sequence[Collection], again: Sequence[str], turn: Turn) -> _Looked:
    """The documents at the paths `again`, and on from where the last run stopped."""
    looked = _Looked(after=turn.after)
    for kind in kinds:
        for paths in chunks([path for path in again if path.startswith(f"{kind.name}/")], NAMES_AT_ONCE):
            looked.judge(kind, list(documents.get(paths).unwrap().values()))
    # What was read by name comes on top: the walk is never held up by what it has found.
    most = looked.reads + SLICE
    first, _, last_id = (turn.after or "").partition("/")
    # A collection that is gone since is passed by: the next in the order of names is taken up.
    for kind in (each for each in kinds if each.name >= first):
        after_id = last_id if kind.name == first else None
        is_full = True
        while is_full:
            looked.is_cut = turn.is_over
            if looked.is_cut or looked.reads >= most:
                return looked
            page = documents.find(kind.name, Query(after_id=after_id, limit=PAGE)).unwrap()
            looked.judge(kind, page)
            # A page that is not full was the last of its collection; one more query would cost a read to say
            # so.
            is_full = len(page) == PAGE
            if page:
                looked.after, after_id = page[-1].path, page[-1].id
    # At the end of the last collection: the next run begins anew.
    looked.after = None
    return looked


def _batch(document: Document) -> None:
    """An open batch must say so by a field that is asked for. What the legacy system completed is over."""
    batch, data = read_batch(document), document.data
    if batch.status is BatchStatus.OPEN and "status" not in data and data.get("is_complete") is not False:
        raise ValueError("open, and no query finds it: neither status nor is_complete says so")


def _sweep(document: Document) -> None:
    """A tick under a name that nobody reads: some function notes its runs where none of them is missed."""
    if document.id not in SWEEPERS:
        raise ValueError("no function of that name hears the sweep")


def _phase_of(sport: str, phase: int) -> Callable[[Document], Any]:
    """A date at a boundary: its name is the date, by which alone it is read."""

    def read(document: Document) -> None:
        # An id that is no date raises here, as the document could be read by nobody.
        key = DayKey(sport=sport, phase=phase, game_date=date.fromisoformat(document.id))
        Day.from_documents(key, document, {})

    return read
