"""How often a consolidation asks its stores, counted on the wire: each time, a day waits for the answer."""

import os

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery

from common.messages import BatchComplete
from common.warehouse.warehouse import EMULATOR_HOST
from functions.consolidation_trigger.handler import handle
from tests.support.batch_helpers import GAME_DATE, Published
from tests.support.consolidation_stack import BATCH, TABLES, Stack
from tests.support.counting_session import CountingSession
from tests.support.firestore_proxy import FirestoreProxy
from tests.support.firestore_relay import COMMIT
from tests.support.grpc_server import serving
from tests.support.prediction_rows import prediction

MAX_BATCH_READS = 3
MAX_JOBS = 4


def test_a_consolidation_reads_its_batch_three_times_at_most_and_runs_four_jobs_at_most(
    stack: Stack, proxy: FirestoreProxy, bigquery_host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    players = [f"player{number}" for number in range(12)]
    stack.play({name: [prediction(name)] for name in players}, worker=lambda name: name)
    session = CountingSession()
    client = bigquery.Client(
        project=stack.project,
        credentials=AnonymousCredentials(),
        client_options={"api_endpoint": os.environ[EMULATOR_HOST]},
        _http=session,
    )

    with serving(proxy) as address:
        monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", address)
        watched, before = Stack(stack.project, client=client), session.snapshot()
        receipt = handle(
            BatchComplete(batch_id=BATCH, game_date=GAME_DATE, generation=1),
            "event-1",
            consolidator=watched.consolidator,
            batches=watched.batches,
            publisher=Published(),
            dataset=TABLES.predictions,
        ).unwrap()
        watched.close()

    assert (receipt.keys_in_main, stack.staging_tables()) == (len(players), [])
    batch_reads = sum(count for name, count in proxy.read.items() if name.endswith(f"/{BATCH}"))
    assert 0 < batch_reads <= MAX_BATCH_READS
    sent = session.since(before)
    assert 0 < sent["statements"] <= MAX_JOBS
    assert sent["into_main"] == 1
    # Lock taken and given back, started, finished, announced; the completions are the only query.
    assert (proxy.calls[COMMIT], proxy.calls["RunQuery"]) == (5, 1)
