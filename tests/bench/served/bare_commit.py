"""What a recorder has to do at the least: one commit per event, ungrouped, that counts each player once."""

import base64
import json
import os
from functools import cache

import functions_framework.aio
from google.api_core.exceptions import AlreadyExists
from google.cloud import firestore
from starlette.requests import Request
from starlette.responses import Response


@cache
def client() -> firestore.AsyncClient:
    """Made in the event loop that uses it."""
    return firestore.AsyncClient(project=os.environ["GCP_PROJECT"])


@functions_framework.aio.http
async def bare_commit(request: Request) -> Response:
    envelope = json.loads(await request.body())["message"]
    message = json.loads(base64.b64decode(envelope["data"]))
    ref = client().collection("prediction_batches").document(message["batch_id"])
    completion = {
        "player_lookup": message["player_lookup"],
        "outcome": "completed",
        "predictions_count": message["predictions_generated"],
        "completed_at": firestore.SERVER_TIMESTAMP,
        "event_id": envelope["messageId"],
    }
    counted = {
        "completed_count": firestore.Increment(1),
        "total_predictions_subcoll": firestore.Increment(message["predictions_generated"]),
        "updated_at": firestore.SERVER_TIMESTAMP,
    }
    commit = client().batch()
    commit.update(ref, counted)
    commit.create(ref.collection("completions").document(message["player_lookup"]), completion)
    try:
        await commit.commit()
    except AlreadyExists:
        pass  # delivered before: it is counted already
    return Response("OK")
