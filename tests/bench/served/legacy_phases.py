"""The pattern that the phase transitions replace: in a transaction, read the day, add to it, set it whole."""

import base64
import json
import os

import functions_framework
from cloudevents.http import CloudEvent
from google.cloud import firestore

EXPECTED = 5

db = firestore.Client(project=os.environ["GCP_PROJECT"])


@firestore.transactional
def add(
    transaction: firestore.Transaction, ref: firestore.DocumentReference, message: dict[str, str]
) -> bool:
    state = ref.get(transaction=transaction).to_dict() or {}
    if message["processor_name"] in state:
        return False
    state[message["processor_name"]] = {
        "status": message["status"],
        "completed_at": firestore.SERVER_TIMESTAMP,
    }
    is_complete = len([name for name in state if not name.startswith("_")]) >= EXPECTED
    if is_complete:
        state["_triggered"] = True
    transaction.set(ref, state)
    return is_complete


@functions_framework.cloud_event
def legacy_phases(event: CloudEvent) -> None:
    message = json.loads(base64.b64decode(event.data["message"]["data"]))
    ref = db.collection("legacy_phase4_completion").document(message["game_date"])
    add(db.transaction(), ref, message)
