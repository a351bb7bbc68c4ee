"""An audit is asked for: look, tell, mend if asked, and leave the status page as it is now."""

from typing import Protocol

import structlog

from common.audit.report import Asked, AuditReport
from common.messages import AuditRequest
from common.result import Result

log = structlog.get_logger()


class Auditor(Protocol):
    def run(self, asked: Asked) -> Result[AuditReport]: ...


class StatusPage(Protocol):
    def publish(self) -> Result[str]: ...


def handle(request: AuditRequest, *, auditor: Auditor, page: StatusPage | None) -> Result[AuditReport]:
    """Run one audit. It is acknowledged whatever it found or could not see: the next one is never far, and a
    repetition would tell people again. Only a run that could not even be made is repeated."""
    asked = Asked(batch_id=request.batch_id, game_date=request.game_date, repair=request.repair)
    audited = auditor.run(asked)
    if page is not None:
        published = page.publish()
        if published.error is not None:
            log.error("status page not written", action="page_failed", error=published.error.to_dict())
    return audited
