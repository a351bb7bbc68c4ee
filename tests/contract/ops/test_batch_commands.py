"""Commands about batches, on the emulators: what they print, what they write, and once."""

from collections.abc import Mapping

from google.cloud import firestore

from common.batches.batches import Batches
from common.messages import PlayerOutcome
from common.recorder.recorder import Recorder
from tests.support.batch_helpers import completion, deliver, opened
from tests.support.ops_cli import ops


async def test_explanation_names_who_is_missing_and_the_command_that_asks_again(
    batches: Batches, recorder: Recorder, environment: Mapping[str, str]
) -> None:
    opened(batches, ["amy", "bob", "cas"])
    await deliver(recorder, "amy")
    failed = completion("bob", outcome=PlayerOutcome.FAILED)
    (await recorder.record(failed, event_id="e-bob")).unwrap()

    said = ops(environment, "explain", "batch1")
    data = ops(environment, "explain", "batch1", "-o", "json").data

    assert "2 of 3 players have ended" in said.output
    assert "bob failed: told to" in said.output
    assert data["missing"] == ["cas"]
    assert data["state"] in ("running", "overdue")
    assert [event["what"] for event in data["events"]] == sorted(
        (event["what"] for event in data["events"]),
        key=lambda what: next(e["at"] for e in data["events"] if e["what"] == what),
    )


def test_batch_that_is_not_there_is_wrong_usage_and_a_store_out_of_reach_is_no_answer(
    environment: Mapping[str, str],
) -> None:
    absent = ops(environment, "explain", "batch9")
    malformed = ops(environment, "explain", "batch1", "--at", "yesterday")
    nowhere = ops({**environment, "GCP_PROJECT": ""}, "status")

    assert (absent.status, malformed.status, nowhere.status) == (2, 2, 2)
    assert "there is none" in absent.problem
    assert "GCP_PROJECT" in nowhere.problem


async def test_closing_shows_its_plan_first_and_does_it_once(
    batches: Batches, recorder: Recorder, environment: Mapping[str, str], firestore_client: firestore.Client
) -> None:
    opened(batches, ["amy", "bob"])
    await deliver(recorder, "amy")

    planned = ops(environment, "close", "batch1", "--why", "postponed")
    untouched = batches.get("batch1").unwrap()
    done = ops(environment, "close", "batch1", "--why", "postponed", "--yes")
    again = ops(environment, "close", "batch1", "--why", "postponed", "--yes")

    assert planned.status == 0 and "timing out 1 missing player" in planned.output
    assert untouched.counts.ended == 1
    assert done.status == 0
    after = batches.get("batch1").unwrap()
    assert (after.counts.completed, after.counts.timed_out, after.status.value) == (1, 1, "failed")
    assert again.status == 0 and "nothing follows from it" in again.output
    records = [each.to_dict() or {} for each in firestore_client.collection("operations").stream()]
    assert [(each["who"], each["why"], each["result"]["status"]) for each in records] == [
        ("ann", "postponed", "done")
    ]


async def test_command_that_writes_asks_why(
    batches: Batches, environment: Mapping[str, str], firestore_client: firestore.Client
) -> None:
    opened(batches, ["amy"])

    said = ops(environment, "abandon", "batch1", "--yes")

    assert (said.status, said.problem.count("--why")) == (2, 1)
    assert batches.get("batch1").unwrap().status.value == "open"
    assert not list(firestore_client.collection("operations").stream())


async def test_migration_is_planned_done_and_found_done(
    batches: Batches, environment: Mapping[str, str]
) -> None:
    opened(batches, ["amy"])

    done = ops(environment, "migrate", "batch1", "--to", "dual_write", "--why", "back", "--yes")
    again = ops(environment, "migrate", "batch1", "--to", "dual_write", "--why", "back", "--yes")

    assert (done.status, again.status) == (0, 0)
    assert "Nothing to do." in again.output
    assert batches.get("batch1").unwrap().schema_mode.value == "dual_write"


async def test_missing_players_are_listed_by_name(
    batches: Batches, recorder: Recorder, environment: Mapping[str, str]
) -> None:
    opened(batches, ["amy", "bob"])
    await deliver(recorder, "amy")
    await deliver(recorder, "zed")

    said = ops(environment, "missing", "batch1", "-o", "json")

    assert said.status == 1
    assert (said.data["missing"], said.data["unexpected"]) == (["bob"], ["zed"])


def test_status_of_an_idle_day_answers_every_kind_of_question(environment: Mapping[str, str]) -> None:
    said = ops(environment, "status", "-o", "json")

    assert said.data["Batches"]["batches"] == {}
    assert said.data["Dead letters"] == {"waiting": 0}
    assert {each["state"] for each in said.data["Phases"].values()} == {"silent"}
