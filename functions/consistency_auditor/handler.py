"""An audit is asked for: look, tell, mend if asked, and leave the status page as it is now."""

from collections.abc import Callable
from typing import Any, Protocol

import structlog

from common.audit.report import Asked, AuditReport
from common.messages import AuditRequest
from common.result import Result

log = structlog.get_logger()


class Auditor(Protocol):
    def run(self, asked: Asked) -> Result[AuditReport]: ...


class StatusPage(Protocol):
    def publish(self) -> Result[str]: ...


def handle(
    request: AuditRequest,
    *,
    auditor: Auditor,
    page: StatusPage | None,
    remove_old: Callable[[], Result[Any]],
) -> Result[AuditReport]:
    """Run one audit; after one of everything, remove batches that are over for long.

    It is acknowledged whatever it found or could not see: the next one is never far, and a repetition would
    tell people again. Only a run that could not even be made is repeated.
    """
    asked = Asked(batch_id=request.batch_id, game_date=request.game_date, repair=request.repair)
    audited = auditor.run(asked)
    if page is not None:
        _log_failure(page.publish(), "status page not written", "page_failed")
    if not asked.is_limited:
        _log_failure(remove_old(), "old batches not removed", "retention_failed")
    return audited


def _log_failure(done: Result[Any], sentence: str, action: str) -> None:
    if done.error is not None:
        log.error(sentence, action=action, error=done.error.to_dict())
