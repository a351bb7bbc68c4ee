"""`explain --at`: what was, as far as the store keeps it, and beyond that what was noted with its time."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from google.cloud import firestore

from common.batches.batches import Batches
from common.batches.records import batch_path
from common.documents.store import FirestoreDocuments
from common.findings import Scope
from common.findings.rules import found
from common.findings.store import FindingStore
from common.recorder.recorder import Recorder
from tests.support.batch_helpers import GAME_DATE, completion, deliver, opened
from tests.support.findings import finding
from tests.support.ops_cli import Said, ops
from tests.support.phase_world import OVERNIGHT, PRECOMPUTE, PhaseWorld

BOUNDARY = "phase4_to_phase5"
HOUR = timedelta(hours=1)


@pytest.fixture
def environment(firestore_host: str, pubsub_host: str, project_id: str) -> Mapping[str, str]:
    return {
        "GCP_PROJECT": project_id,
        "SPORT": "nba",
        "FIRESTORE_EMULATOR_HOST": firestore_host,
        "PUBSUB_EMULATOR_HOST": pubsub_host,
    }


def server_time(client: firestore.Client) -> datetime:
    found: datetime = client.document("nothing/here").get().read_time
    return found


def explain(environment: Mapping[str, str], subject: str, at: datetime | None = None, *more: str) -> Said:
    then = () if at is None else ("--at", at.astimezone(UTC).isoformat())
    return ops(environment, "explain", subject, *then, *more)


def explained(environment: Mapping[str, str], subject: str, at: datetime | None = None) -> Any:
    return explain(environment, subject, at, "-o", "json").data


async def test_batch_is_told_as_it_was_and_what_came_later_is_not(
    environment: Mapping[str, str], batches: Batches, recorder: Recorder, firestore_client: firestore.Client
) -> None:
    before = server_time(firestore_client)
    opened(batches, ["amy", "bob", "cas"], deadline=datetime.now(UTC) + HOUR)
    await deliver(recorder, "amy")
    between = server_time(firestore_client)
    await deliver(recorder, "bob", "cas")

    none = explain(environment, "batch1", before)
    then, now = explained(environment, "batch1", between), explained(environment, "batch1")
    text = explain(environment, "batch1", between).output

    assert (none.status, "there is none at" in none.problem) == (2, True)
    assert (then["state"], then["missing"], then["note"]) == ("running", ["bob", "cas"], None)
    assert (now["state"], now["missing"]) == ("untriggered", [])
    assert {each["what"] for each in then["events"]} == {"3 players expected", "amy completed"}
    assert "As it was at" in text and "Now: ./ops/run explain batch1" in text


async def test_what_the_store_keeps_no_more_is_told_by_the_times_that_were_written_down(
    environment: Mapping[str, str], batches: Batches, recorder: Recorder, firestore_client: firestore.Client
) -> None:
    opened(batches, ["amy", "bob", "cas"], deadline=datetime.now(UTC) + HOUR)
    await deliver(recorder, "amy")
    between = server_time(firestore_client)
    (await recorder.record(completion("bob"), event_id="e-bob")).unwrap()
    long_ago = timedelta(days=9)
    make_older(firestore_client.document(batch_path("batch1")), long_ago)

    then = explained(environment, "batch1", between - long_ago + timedelta(minutes=1))
    absent = explain(environment, "batch1", between - 2 * long_ago)

    assert "keeps the documents" in then["note"] and "no more" in then["note"]
    assert (then["batch"]["status"], then["missing"]) == ("open", ["cas"])
    assert (absent.status, "there is none at" in absent.problem) == (2, True)


def make_older(batch: firestore.DocumentReference, by: timedelta) -> None:
    below = (each for name in ("completions", "timeline") for each in batch.collection(name).list_documents())
    for each in (batch, *below):
        fields = each.get().to_dict() or {}
        each.update({name: at - by for name, at in fields.items() if isinstance(at, datetime)})


def test_boundary_is_told_as_it_was_as_long_as_the_store_keeps_it_and_beyond(
    environment: Mapping[str, str], firestore_client: firestore.Client
) -> None:
    world = PhaseWorld(documents=FirestoreDocuments(firestore_client))
    for processor in PRECOMPUTE[:4]:
        world.report(processor)
    between = server_time(firestore_client)
    world.clock.advance(HOUR)
    world.report(PRECOMPUTE[4])

    day = GAME_DATE.isoformat()
    kept = explained(environment, day, between)["boundaries"][BOUNDARY]
    told = explained(environment, day, OVERNIGHT + HOUR / 4)
    now = explained(environment, day)["boundaries"][BOUNDARY]

    assert (kept["state"], told["boundaries"][BOUNDARY]["state"], now["state"]) == (
        "waiting",
        "waiting",
        "dispatched",
    )
    assert "4 of 5 processors done" in kept["verdict"] and "4 of 5" in told["boundaries"][BOUNDARY]["verdict"]
    assert "no more" in told["note"]
    assert "dispatched as message message-1, generation 1" in [each["what"] for each in now["events"]]


def test_findings_and_page_are_told_as_they_were_and_findings_beyond_that_by_their_times(
    environment: Mapping[str, str], firestore_client: firestore.Client, tmp_path: Path
) -> None:
    store, page = FindingStore(FirestoreDocuments(firestore_client)), tmp_path / "then.html"
    now, long_ago = datetime.now(UTC), datetime.now(UTC) - timedelta(days=20)
    old = found(None, finding(subject="old", scope=Scope.of_system("old")), long_ago)
    kept = store.put(old).unwrap()
    assert kept is not None
    between = server_time(firestore_client)
    store.put(replace(kept, is_open=False, judged_at=now)).unwrap()
    store.put(found(None, finding(subject="new", scope=Scope.of_system("new")), now)).unwrap()

    then = scopes(ops(environment, "findings", "--at", between.isoformat(), "-o", "json"))
    told = ops(environment, "findings", "--at", (long_ago + HOUR).isoformat(), "-o", "json")
    written = ops(environment, "page", "--at", between.isoformat(), "--to", str(page))
    screen = ops(environment, "status", "--at", between.isoformat())
    refused = [
        ops(environment, *words, "--at", (long_ago + HOUR).isoformat())
        for words in (("page", "--to", str(tmp_path / "no.html")), ("status",), ("verify", "2026-01-17"))
    ]

    assert (then, scopes(ops(environment, "findings", "-o", "json"))) == ({"old"}, {"new"})
    assert scopes(told) == {"old"} and "no more" in told.data["note"]
    assert written.status == 0 and "old" in page.read_text() and "new:" not in page.read_text()
    assert "As it was at" in screen.output and "old:" in screen.output and "new:" not in screen.output
    for said in refused:
        assert said.status == 3 and "Firestore keeps" in said.problem and "no more" in said.problem
    assert not (tmp_path / "no.html").exists()


def scopes(said: Said) -> set[str]:
    return {each["scope"] for each in said.data["findings"]}


def test_what_is_served_is_now(environment: Mapping[str, str]) -> None:
    said = ops(environment, "page", "--serve", "--at", "2026-01-18T06:00:00Z")

    assert (said.status, "--serve" in said.problem) == (2, True)


@pytest.mark.parametrize(
    ("at", "problem"),
    [
        ("2999-01-01T00:00:00Z", "has not come yet"),
        ("2026-01-18T06:00:00", "has no zone; add Z for UTC"),
        ("yesterday", "is no ISO time"),
    ],
)
def test_moment_that_nobody_can_ask_for_is_wrong_usage(
    environment: Mapping[str, str], at: str, problem: str
) -> None:
    said = ops(environment, "explain", "batch1", "--at", at)

    assert (said.status, problem in said.problem) == (2, True)
