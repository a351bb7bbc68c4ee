"""A function that does nothing with its event but let the framework read it: what CloudEvents alone cost."""

import functions_framework.aio
from cloudevents.http import CloudEvent


@functions_framework.aio.cloud_event
async def reads_event(event: CloudEvent) -> None:
    assert event["id"]
