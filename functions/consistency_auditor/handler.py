"""An audit is asked for: look, tell, mend if asked, and leave the status page as it is now."""

from collections.abc import Callable
from typing import Any, Protocol

import structlog

from common.audit.report import Asked, AuditReport
from common.messages import AuditRequest
from common.result import Result

log = structlog.get_logger()


class Auditor(Protocol):
    """Looks, tells, and mends if asked; a failure means that the run could not be made at all."""

    def run(self, asked: Asked) -> Result[AuditReport]:
        """One audit; a partial could not be told or written down."""


class StatusPage(Protocol):
    """Writes the page; None in `handle` where no place is configured."""

    def publish(self) -> Result[str]:
        """Where the page is."""


def handle(
    request: AuditRequest,
    *,
    auditor: Auditor,
    page: StatusPage | None,
    remove_old: Callable[[], Result[Any]],
) -> Result[AuditReport]:
    """Run one audit, publish the status page; after an audit of everything, remove batches long over.

    It is acknowledged whatever it found or could not see: the next one is never far, and a repetition would
    tell people again. Only a run that could not even be made is repeated. `remove_old` and the page fail into
    the log: neither must repeat the audit.
    """
    asked = Asked(batch_id=request.batch_id, game_date=request.game_date, repair=request.repair)
    audited = auditor.run(asked)
    # After the audit, so that it shows what was just found.
    if page is not None:
        _log_failure(page.publish(), "status page not written", "page_failed")
    # A look at one batch or day is somebody's question; cleaning up is not its business.
    if not asked.is_limited:
        _log_failure(remove_old(), "old batches not removed", "retention_failed")
    return audited


def _log_failure(done: Result[Any], sentence: str, action: str) -> None:
    """Into the log alone: neither the page nor the cleaning up may repeat the audit."""
    if done.error is not None:
        log.error(sentence, action=action, error=done.error.to_dict())
