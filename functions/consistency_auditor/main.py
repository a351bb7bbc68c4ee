"""Entry point and wiring. Woken by `consistency-audit`; publishes what repairs republish."""

import gc

gc.disable()  # until all is loaded

import os

import functions_framework.aio
from starlette.requests import Request
from starlette.responses import Response

from common.audit.assembly import Audit
from common.audit.report import AuditReport
from common.entrypoint.endpoint import Route, in_thread
from common.entrypoint.envelope import Delivery
from common.messages import AuditRequest
from common.result import Result
from common.runtime.gc_tuning import start_collecting
from common.runtime.wiring import WarehouseWiring
from common.settings import WarehouseSettings
from common.topics import CONSISTENCY_AUDIT

from .handler import handle

wiring = WarehouseWiring(WarehouseSettings, function="consistency_auditor", environment=os.environ)
audit = Audit(wiring)


def run(request: AuditRequest, _: Delivery) -> Result[AuditReport]:
    return handle(request, auditor=audit.auditor(), page=None)


endpoint = wiring.endpoint({CONSISTENCY_AUDIT: Route(message=AuditRequest, handle=in_thread(run))})


@functions_framework.aio.http
async def consistency_auditor(request: Request) -> Response:
    return await endpoint.respond(request)


start_collecting()
