"""The Firestore emulator as it is when it has been in use for a while.

Its JVM compiles itself over the first 100,000 documents or so: a commit of 16 completions takes 5 ms of its
CPU before and 1 ms after (measured), on the same two cores as what is measured.
"""

import asyncio

from google.cloud import firestore

from common.batches import recording
from common.batches.batches import Batches
from common.batches.completion import Completion
from common.batches.records import Batch
from common.documents.async_store import AsyncFirestoreDocuments
from common.documents.store import FirestoreDocuments
from common.messages import PlayerOutcome
from tests.support.batch_helpers import DEADLINE, GAME_DATE

BATCHES = 130
COMMITS = 56
"""Of a batch, two at a time."""
GROUP = 16
"""Completions in a commit."""


def warm_up_recording(project: str) -> None:
    """Record 116,000 completions, which takes some 20 seconds. For an event loop of its own."""
    asyncio.run(_record(project))


async def _record(project: str) -> None:
    batches = Batches(FirestoreDocuments(firestore.Client(project=project)))
    documents = AsyncFirestoreDocuments(firestore.AsyncClient(project=project))
    for number in range(BATCHES):
        batch_id = f"warm{number}"
        batches.open(batch_id, GAME_DATE, ["anybody"], deadline=DEADLINE).unwrap()
        batch = batches.roster(batch_id).unwrap().batch
        await asyncio.gather(*(_commit(documents, batch, range(start, COMMITS, 2)) for start in (0, 1)))


async def _commit(documents: AsyncFirestoreDocuments, batch: Batch, groups: range) -> None:
    for group in groups:
        completions = [_completion(group * GROUP + number) for number in range(GROUP)]
        (await documents.commit(recording.writes(batch, completions))).unwrap()


def _completion(number: int) -> Completion:
    return Completion(
        player_lookup=f"player{number:05}",
        outcome=PlayerOutcome.COMPLETED,
        predictions_count=5,
        event_id=f"event{number:05}",
    )
