"""A process of its own that records completions: an instance with its own memory, clients and flags.

    python -m tests.support.record_process PROJECT BATCH TASKS

Reads JSON lines `{"player": …, "event": …}` until stdin ends, records them with TASKS tasks, and prints one
JSON line: how often each outcome occurred, and by which events the batch was completed.
"""

import asyncio
import json
import os
import sys
from collections import Counter

from google.cloud import firestore

from common.batches.batches import Batches
from common.documents.async_store import AsyncFirestoreDocuments
from common.documents.store import FirestoreDocuments
from common.recorder.recorder import Recorder
from common.settings import Settings
from tests.support.batch_helpers import completion


async def record(project: str, batch_id: str, tasks: int, lines: list[str]) -> None:
    settings = Settings.from_environment({**os.environ, "GCP_PROJECT": project})
    batches = Batches(FirestoreDocuments(firestore.Client(project=project)), mode=settings.schema_mode)
    recorder = Recorder(AsyncFirestoreDocuments(firestore.AsyncClient(project=project)), batches)
    outcomes: Counter[str] = Counter()
    completed_by: set[str] = set()

    async def work() -> None:
        while lines:
            event = json.loads(lines.pop())
            message = completion(event["player"], batch_id=batch_id)
            result = await recorder.record(message, event_id=event["event"])
            if result.error is not None and result.error.is_expected:
                continue  # the same event is closing the batch in another instance
            answer = result.unwrap()
            outcomes[answer.outcome.value] += 1
            if answer.completes_batch:
                completed_by.add(event["event"])

    await asyncio.gather(*(work() for _ in range(tasks)))
    print(json.dumps({"outcomes": outcomes, "completed_by": sorted(completed_by)}))


if __name__ == "__main__":
    asyncio.run(record(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.stdin.readlines()[::-1]))
