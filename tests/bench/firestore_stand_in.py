# grpc's own functions carry no types.
# mypy: disable-error-code="no-untyped-call, no-any-return, attr-defined"
"""A Firestore of nothing but consolidated batches that agree with themselves, for audits of more of them than
the emulator bears: it looks at every document of a project for each query.

    python -m tests.bench.firestore_stand_in PORT BATCHES ROUND_TRIP_SECONDS

The real client talks to it over a real connection; each answer takes the round trip.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any, Final

import grpc
from google.cloud.firestore_v1 import _helpers
from google.cloud.firestore_v1.types import document, firestore, query, write

from common.batches.records import COLLECTION, RECEIPTS
from local.stack.ports import LOOPBACK
from tests.support.batch_helpers import GAME_DATE
from tests.support.receipts import receipt

PLAYERS: Final = 450
SERVICE: Final = "google.firestore.v1.Firestore"
NOW: Final = datetime.now(UTC)
BATCH: Final = {
    "game_date": GAME_DATE.isoformat(),
    "expected_players": PLAYERS,
    "schema_mode": "subcollection",
    "status": "consolidated",
    "is_complete": True,
    "consolidated_generation": 1,
    "phase_generation": 1,
    "completed_count": PLAYERS,
    "total_predictions_subcoll": 5 * PLAYERS,
}

Answers = Callable[[bytes], AsyncIterator[bytes]]


class StandIn:
    """Answers what an audit asks."""

    def __init__(self, batches: int, round_trip_seconds: float) -> None:
        self._round_trip_seconds = round_trip_seconds
        self._batches = batches

    async def get(self, request: bytes) -> AsyncIterator[bytes]:
        """Nothing is there."""
        for name in firestore.BatchGetDocumentsRequest.deserialize(request).documents:
            yield _serialized(firestore.BatchGetDocumentsResponse(missing=name, read_time=NOW))

    async def find(self, request: bytes) -> AsyncIterator[bytes]:
        """All batches to whoever asks by date, the receipt of any batch, nothing else."""
        asked = firestore.RunQueryRequest.deserialize(request)
        collection = asked.structured_query.from_[0].collection_id
        if collection == RECEIPTS:
            merged = {**receipt().to_document(), "fence": 1, "generation": 1}
            yield _found(f"{asked.parent}/{RECEIPTS}/1", merged)
        elif collection == COLLECTION and _field(asked.structured_query) == "game_date":
            for number in range(self._batches):
                yield _found(f"{asked.parent}/{COLLECTION}/batch{number:05}", BATCH)
        else:
            yield _serialized(firestore.RunQueryResponse(read_time=NOW))

    async def count(self, request: bytes) -> AsyncIterator[bytes]:
        """Every player has completed with five predictions."""
        asked = firestore.RunAggregationQueryRequest.deserialize(request)
        values = {
            each.alias: document.Value(integer_value=5 * PLAYERS if "sum" in each else PLAYERS)
            for each in asked.structured_aggregation_query.aggregations
        }
        found = firestore.RunAggregationQueryResponse(result={"aggregate_fields": values}, read_time=NOW)
        yield _serialized(found)

    async def commit(self, request: bytes) -> bytes:
        number = len(firestore.CommitRequest.deserialize(request).writes)
        results = [write.WriteResult(update_time=NOW)] * number
        return _serialized(firestore.CommitResponse(write_results=results, commit_time=NOW))

    def handlers(self) -> grpc.GenericRpcHandler:
        def later(answers: Answers) -> grpc.RpcMethodHandler:
            async def answer(request: bytes, _: Any) -> AsyncIterator[bytes]:
                await asyncio.sleep(self._round_trip_seconds)
                async for each in answers(request):
                    yield each

            return grpc.unary_stream_rpc_method_handler(answer)

        async def commit(request: bytes, _: Any) -> bytes:
            return await self.commit(request)

        return grpc.method_handlers_generic_handler(
            SERVICE,
            {
                "BatchGetDocuments": later(self.get),
                "RunQuery": later(self.find),
                "RunAggregationQuery": later(self.count),
                "Commit": grpc.unary_unary_rpc_method_handler(commit),
            },
        )


def _serialized(message: Any) -> bytes:
    return type(message).serialize(message)


def _field(asked: query.StructuredQuery) -> str:
    return asked.where.field_filter.field.field_path


def _found(name: str, fields: dict[str, Any]) -> bytes:
    found = document.Document(
        name=name, fields=_helpers.encode_dict(fields), create_time=NOW, update_time=NOW
    )
    return _serialized(firestore.RunQueryResponse(document=found, read_time=NOW))


async def serve(port: str, batches: str, round_trip_seconds: str) -> None:
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((StandIn(int(batches), float(round_trip_seconds)).handlers(),))
    server.add_insecure_port(f"{LOOPBACK}:{port}")
    await server.start()
    await server.wait_for_termination()


if __name__ == "__main__":
    asyncio.run(serve(*sys.argv[1:]))
