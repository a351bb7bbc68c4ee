"""The pattern that the recorder replaces, as it was written: a CloudEvent, an array, a read, a length."""

import base64
import json
import os

import functions_framework
from cloudevents.http import CloudEvent
from google.cloud import firestore

db = firestore.Client(project=os.environ["GCP_PROJECT"])


@functions_framework.cloud_event
def legacy(event: CloudEvent) -> None:
    message = json.loads(base64.b64decode(event.data["message"]["data"]))
    ref = db.collection("prediction_batches").document(message["batch_id"])
    ref.update(
        {
            "completed_players": firestore.ArrayUnion([message["player_lookup"]]),
            "total_predictions": firestore.Increment(message["predictions_generated"]),
            "updated_at": firestore.SERVER_TIMESTAMP,
        }
    )
    state = ref.get().to_dict() or {}
    if len(state["completed_players"]) >= state["expected_players"]:
        ref.update({"is_complete": True, "completion_time": firestore.SERVER_TIMESTAMP})
