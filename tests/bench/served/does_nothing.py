"""A function that does nothing: what the server alone can do."""

import functions_framework.aio
from starlette.requests import Request
from starlette.responses import Response


@functions_framework.aio.http
async def does_nothing(request: Request) -> Response:
    await request.body()
    return Response("OK")
