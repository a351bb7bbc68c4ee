"""Documents that nobody can make sense of: named, each by its path, and never taken for a store that is away.

One of them hides nothing else: a check goes on with the others.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from ..batches.records import Batch
from ..documents.port import NONSENSE
from ..findings import Finding, FindingClass, Scope, ScopeKind, Severity, operator_command
from ..result import ErrorInfo
from .stores import FIRESTORE


def is_unreadable(error: ErrorInfo) -> bool:
    """Whether the store did answer, with a document that makes no sense."""
    return NONSENSE in (error.details or {})


def unreadable_in_batch(check: str, batch: Batch, error: ErrorInfo) -> Finding:
    """The finding about a document below a batch; its `error` names the document."""
    return _finding(check, Scope.of_batch(batch.batch_id, batch.game_date), _path(error), _why(error))


def unreadable_document(check: str, path: str, why: str, *, of: Scope | None = None) -> Finding:
    """Of any other document; told of the collection that it is in, if not of something else."""
    return _finding(check, of or Scope.of_system(path.partition("/")[0]), path, why)


def unreadable_documents(check: str, found: Mapping[str, str]) -> Iterable[Finding]:
    """By path, and why."""
    return (unreadable_document(check, path, why) for path, why in sorted(found.items()))


def _path(error: ErrorInfo) -> str:
    details: Mapping[str, Any] = error.details or {}
    return str(details[NONSENSE])


def _why(error: ErrorInfo) -> str:
    return f"{error.exception_class}: {error.message}"


def _finding(check: str, scope: Scope, path: str, why: str) -> Finding:
    """One shape for all of them.

    The text is cut at 500 characters: a damaged field is quoted, however long it is.
    """
    return Finding(
        finding_class=FindingClass.UNREADABLE_DOCUMENT,
        severity=Severity.CRITICAL,
        check=check,
        scope=scope,
        subject=path,
        summary=f"{path} makes no sense: {why}"[:500],
        ids=(path,),
        # No command shows one document of a collection: the list of findings tells path and reason.
        look="" if scope.kind is ScopeKind.BATCH else operator_command("findings"),
        depends_on=frozenset({FIRESTORE}),
    )
