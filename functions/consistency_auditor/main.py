"""Entry point and wiring. Woken by `consistency-audit`; publishes what repairs republish."""

import gc

gc.disable()  # until all is loaded

import os
from datetime import timedelta
from typing import Annotated

from pydantic import Field

from common.audit.assembly import Audit
from common.audit.report import AuditReport
from common.audit.retention import Removed, Retention
from common.entrypoint.endpoint import Route, in_thread
from common.entrypoint.envelope import Delivery
from common.messages import AuditRequest
from common.reporting.assembly import status_page
from common.result import Result
from common.runtime.wiring import WarehouseWiring
from common.settings import WarehouseSettings
from common.topics import CONSISTENCY_AUDIT

from .handler import handle


class AuditorSettings(WarehouseSettings):
    """What this function needs to know beside the rest."""

    status_page: Annotated[str | None, Field(alias="STATUS_PAGE", pattern=r"^(gs://[^/]+/.+|/.+)$")] = None
    """`gs://bucket/status/index.html`, or the path of a local file; None: no page is written."""
    batch_retention_days: Annotated[int, Field(alias="BATCH_RETENTION_DAYS", ge=7)] = 90
    """Batches of older game dates are removed once they are over."""


wiring = WarehouseWiring(AuditorSettings, function="consistency_auditor", environment=os.environ)
audit = Audit(wiring)


def run(request: AuditRequest, _: Delivery) -> Result[AuditReport]:
    """Wakes for `consistency-audit`: hourly, and by hand."""
    place = wiring.settings.status_page
    page = status_page(wiring, audit, place) if place is not None else None
    return handle(request, auditor=audit.auditor(), page=page, remove_old=remove_old)


def remove_old() -> Result[Removed]:
    """Remove batches of game dates before the retention; again: nothing is left to remove."""
    before = audit.today() - timedelta(days=wiring.settings.batch_retention_days)
    return Retention(wiring.documents()).remove(before)


consistency_auditor = wiring.serve({CONSISTENCY_AUDIT: Route(message=AuditRequest, handle=in_thread(run))})
