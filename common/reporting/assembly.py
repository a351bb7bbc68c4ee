"""The parts of the status page, put together: for the auditor's function, operators and the local stack."""

from typing import Any

from ..audit.assembly import Audit
from ..audit.audit_log import AuditLog
from ..audit.batch_reader import BatchReader
from ..findings.store import FindingStore
from ..runtime.once import once
from ..runtime.wiring import WarehouseWiring
from .gathering import Gathering
from .publishing import PagePlace, Session, StatusPage


def gathering(wiring: WarehouseWiring[Any], audit: Audit) -> Gathering:
    """What reads a status anew at every call; it shares clients and clock with the wiring."""
    return Gathering(
        sport=wiring.settings.sport.value,
        batches=BatchReader(wiring.documents()),
        findings=FindingStore(wiring.documents()),
        audits=AuditLog(wiring.documents()),
        days=audit.phases.boundaries().days,
        boundaries=audit.phases.graph.boundaries,
        now=wiring.now,
        today=audit.today,
    )


def status_page(wiring: WarehouseWiring[Any], audit: Audit, place: str) -> StatusPage:
    """The page, written to `gs://bucket/name` or a local path; nothing is read before `publish` is called."""
    put = PagePlace(place=place, session=once(_authorized_session))
    return StatusPage(gathering=gathering(wiring, audit), place=put)


def _authorized_session() -> Session:
    """A session with the function's own account.

    Scope `devstorage.read_write`, so that what the account may do is decided by its roles alone.
    """
    # Imported here: a page that is a local file needs no credentials.
    import google.auth
    from google.auth.transport.requests import AuthorizedSession

    credentials, _ = google.auth.default(scopes=["https://www.googleapis.com/auth/devstorage.read_write"])
    session: Session = AuthorizedSession(credentials)
    return session
