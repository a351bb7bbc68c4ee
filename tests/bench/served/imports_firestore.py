"""A function that imports the Firestore client and nothing else: what any recorder has to pay."""

import functions_framework.aio
from google.cloud import firestore
from starlette.requests import Request
from starlette.responses import Response

CLIENT = firestore.AsyncClient


@functions_framework.aio.http
async def imports_firestore(request: Request) -> Response:
    await request.body()
    return Response("OK")
