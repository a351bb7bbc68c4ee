"""The life of a batch: opened, read, closed, consolidated, abandoned."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from common.batches.batches import Batches
from common.batches.closing import Closing
from common.batches.records import BatchStatus, Counts
from common.batches.trigger_outbox import TriggerOutbox
from common.documents.port import Documents
from common.maintenance.redrive import MAX_REDRIVES, redrive
from common.recorder.recorder import Recorder
from common.schema_mode import SchemaMode
from tests.support.batch_helpers import (
    DEADLINE,
    EVERY_MODE,
    GAME_DATE,
    Published,
    deliver,
    let_the_grace_pass,
    names,
    opened,
    put,
    request_for,
    timeline,
)


def test_opening_again_returns_the_batch_as_it_is(batches: Batches) -> None:
    first = opened(batches, ["Luka Dončić", "John Doe Jr."])

    again = opened(batches, ["john-doe jr", "lukadoncic"], deadline=DEADLINE + timedelta(hours=1))

    assert again == first
    assert batches.progress("batch1").unwrap().missing == ("johndoejr", "lukadoncic")


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"expected_players": names(4)}, "expected_players"),
        ({"expected_players": []}, "expected_players"),
        ({"game_date": date(2026, 1, 18)}, "game_date"),
    ],
    ids=["another set", "the empty set", "another date"],
)
def test_opening_again_as_another_batch_is_refused(
    batches: Batches, changed: dict[str, Any], field: str
) -> None:
    first = opened(batches, 3)

    other: dict[str, Any] = {"game_date": GAME_DATE, "expected_players": names(3), **changed}
    answer = batches.open("batch1", deadline=DEADLINE, **other)

    assert answer.error is not None and answer.error.message.startswith(f"{field}:")
    assert not answer.is_retryable
    assert batches.get("batch1").unwrap() == first


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"batch_id": "a/b"}, "batch_id"),
        ({"batch_id": ".."}, "batch_id"),
        ({"batch_id": ""}, "batch_id"),
        ({"expected_players": ["?!"]}, "expected_players"),
        ({"expected_players": ["x" * 201]}, "expected_players"),
        ({"expected_players": names(20_001)}, "expected_players"),
        ({"deadline": datetime(2026, 1, 18)}, "deadline"),  # noqa: DTZ001
        ({"min_completion_pct": 101.0}, "min_completion_pct"),
    ],
    ids=["slash", "dots", "no id", "no name", "long name", "too many", "naive deadline", "101 %"],
)
def test_what_cannot_be_a_batch_is_refused_by_field(
    batches: Batches, changed: dict[str, Any], field: str
) -> None:
    asked: dict[str, Any] = {
        "batch_id": "batch1",
        "game_date": GAME_DATE,
        "expected_players": names(1),
        "deadline": DEADLINE,
        **changed,
    }

    answer = batches.open(**asked)

    assert answer.error is not None and answer.error.message.startswith(f"{field}:")
    assert not answer.is_retryable


def test_namesakes_are_refused_by_name_until_each_has_a_lookup_of_its_own(batches: Batches) -> None:
    refused = batches.open("batch1", GAME_DATE, ["Max Muncy", "LeBron James", "MAX MUNCY"], deadline=DEADLINE)
    nothing = batches.get("batch1")
    told_apart = opened(batches, ["Max Muncy", "LeBron James", "maxmuncyathletics"])

    assert refused.error is not None and not refused.is_retryable
    assert refused.error.message == (
        "expected_players: 'Max Muncy' and 'MAX MUNCY' are both 'maxmuncy': "
        "tell them apart by a lookup with a suffix of its own"
    )
    assert nothing.error is not None and nothing.error.is_expected
    assert told_apart.expected_players == 3
    assert batches.progress("batch1").unwrap().missing == ("lebronjames", "maxmuncy", "maxmuncyathletics")


def test_every_bad_name_of_a_day_is_told_at_once(batches: Batches) -> None:
    bad = ["Luka Don\ufffdi\ufffd", ".-", "x" * 201, "Max Muncy", "Max Muncy"]

    refused = batches.open("batch1", GAME_DATE, ["LeBron James", *bad], deadline=DEADLINE)

    assert refused.error is not None and refused.error.details is not None
    assert refused.error.details["problem_count"] == 4
    assert all(repr(name) in refused.error.message for name in bad)
    assert "LeBron James" not in refused.error.message


@EVERY_MODE
def test_empty_batch_is_complete_at_once_and_owes_its_trigger(
    batches: Batches, outbox: TriggerOutbox, published: Published
) -> None:
    batch = opened(batches, [])

    assert (batch.status, batch.owes_trigger) == (BatchStatus.COMPLETE, True)
    outbox.send(outbox.claim(batch).unwrap()).unwrap()
    claimed_again = outbox.claim(batch)

    assert published.triggers == [("batch1", 1)]
    assert claimed_again.error is not None and claimed_again.error.is_expected
    assert not batches.get("batch1").unwrap().owes_trigger


def test_manifest_of_twenty_thousand_stays_below_the_limits_of_a_document(batches: Batches) -> None:
    players = sorted(f"{index:05}{'x' * 195}" for index in range(20_000))

    opened(batches, players)

    chunks = batches.store.below("batch1", "manifest").unwrap()
    sizes = [sum(len(name) + 1 for name in chunk.data["players"]) for chunk in chunks]
    assert max(sizes) < 1_048_576 - 1_000
    assert batches.progress("batch1").unwrap().missing == tuple(players)


def test_missing_batch_is_told_apart_from_an_unreadable_one(batches: Batches) -> None:
    put(batches, "", {"expected_players": 3}, batch_id="broken")

    missing, broken = batches.get("batch1"), batches.get("broken")

    assert missing.error is not None and missing.error.is_expected
    assert broken.error is not None and not broken.is_retryable and "game_date" in broken.error.message


@EVERY_MODE
async def test_progress_names_who_is_missing(batches: Batches, recorder: Recorder) -> None:
    opened(batches, 4)

    await deliver(recorder, "player00001", "player00003", "stranger")

    progress = batches.progress("batch1").unwrap()
    assert progress.missing == ("player00000", "player00002")
    assert progress.unexpected == ("stranger",)


@EVERY_MODE
async def test_timeline_tells_the_story_of_a_batch(
    batches: Batches, recorder: Recorder, outbox: TriggerOutbox
) -> None:
    opened(batches, 2)
    await deliver(recorder, "player00000")
    last = (await deliver(recorder, "player00001"))[0]
    assert last.owed_trigger is not None
    outbox.send(last.owed_trigger).unwrap()
    batches.start_consolidation("batch1", 1).unwrap()
    batches.finish_consolidation("batch1", 1, 7, {"rows": 10}).unwrap()
    batches.note_phase_message("batch1", 1, "phase-message").unwrap()

    story = timeline(batches)

    assert {name: entry["message"] for name, entry in story.items()} == {
        "opened": "2 players expected",
        "first-completion-1": "player00000",
        "last-completion-1": "player00001",
        "closed-1": "complete: 2 of 2 players reported",
        "trigger-1": "message message-1",
        "consolidating-1": "consolidation started",
        "consolidated-1": "under fence 7",
        "announced-1": "message phase-message",
    }
    assert story["closed-1"]["closed_by_event"] == "event-player00001"


async def test_consolidation_steps_may_be_repeated_and_never_go_back(
    batches: Batches, recorder: Recorder
) -> None:
    opened(batches, 1)
    too_early = batches.start_consolidation("batch1", 1)
    await deliver(recorder, "player00000")

    for _ in range(2):
        started = batches.start_consolidation("batch1", 1).unwrap()
        assert started.status is BatchStatus.CONSOLIDATING
    for _ in range(2):
        finished = batches.finish_consolidation("batch1", 1, 7, {"rows": 10}).unwrap().batch
        assert (finished.status, finished.consolidated_generation) == (BatchStatus.CONSOLIDATED, 1)
    assert batches.start_consolidation("batch1", 1).unwrap().status is BatchStatus.CONSOLIDATED
    batches.note_phase_message("batch1", 1, "first").unwrap()
    batches.note_phase_message("batch1", 1, "second").unwrap()

    assert not too_early.is_retryable
    assert batches.get("batch1").unwrap().phase_message_id == "first"
    receipts = batches.store.below("batch1", "receipts").unwrap()
    assert [(each.id, each.data["rows"]) for each in receipts] == [("7", 10)]


async def test_abandoned_batch_is_never_triggered(
    batches: Batches, recorder: Recorder, published: Published
) -> None:
    opened(batches, 2)
    await deliver(recorder, "player00000")

    for _ in range(2):
        assert batches.abandon("batch1", who="ann", why="test").unwrap().status is BatchStatus.ABANDONED
    last = (await deliver(recorder, "player00001"))[0]

    assert (last.completes_batch, last.owed_trigger) == (False, None)
    batch = batches.get("batch1").unwrap()
    assert (batch.status, batch.counts) == (BatchStatus.ABANDONED, Counts(completed=2))
    assert not batches.start_consolidation("batch1", 1).is_retryable


async def test_batch_that_is_being_consolidated_cannot_be_abandoned(
    batches: Batches, recorder: Recorder
) -> None:
    opened(batches, 1)
    await deliver(recorder, "player00000")
    batches.start_consolidation("batch1", 1).unwrap()

    answer = batches.abandon("batch1", who="ann", why="test")

    assert answer.error is not None and "consolidating" in answer.error.message
    assert batches.get("batch1").unwrap().status is BatchStatus.CONSOLIDATING


async def test_trigger_of_an_older_generation_is_never_noted_over_a_newer_one(
    batches: Batches, recorder: Recorder, outbox: TriggerOutbox
) -> None:
    opened(batches, 1)
    await deliver(recorder, "player00000")
    batch = batches.get("batch1").unwrap()

    outbox.send(replace(batch, generation=2)).unwrap()
    outbox.send(batch).unwrap()

    noted = batches.get("batch1").unwrap()
    assert (noted.trigger_message_id, noted.trigger_generation) == ("message-1", 2)


async def test_only_the_closer_publishes_before_the_grace_is_over(
    batches: Batches, recorder: Recorder
) -> None:
    opened(batches, 1)
    await deliver(recorder, "player00000")
    closing = Closing(batches.store)

    again = closing.settle("batch1", "event-player00000").unwrap()
    others = closing.settle("batch1", "other").unwrap()
    let_the_grace_pass(batches)
    others_later = closing.settle("batch1", "other").unwrap()
    too_late = closing.settle("batch1", "event-player00000").unwrap()

    assert (again.closed_by_caller, again.owes_trigger, again.awaits_another) == (True, False, True)
    assert (others.closed_by_caller, others.owes_trigger, others.awaits_another) == (False, False, False)
    assert (others_later.closed_by_caller, others_later.owes_trigger) == (False, True)
    assert (too_late.owes_trigger, too_late.awaits_another) == (False, True)


@EVERY_MODE
async def test_redrive_asks_again_for_the_missing_only(
    batches: Batches, recorder: Recorder, published: Published
) -> None:
    opened(batches, 4)
    await deliver(recorder, "player00001", "player00003")

    done = redrive(batches, published, "batch1", request_for).unwrap()

    assert done.players == ("player00000", "player00002")
    assert [message.player_lookup for message in published.requests] == list(done.players)
    assert timeline(batches)["redriven-1"]["players"] == list(done.players)


def test_redrives_are_capped(batches: Batches, published: Published) -> None:
    opened(batches, 1)

    answers = [redrive(batches, published, "batch1", request_for) for _ in range(MAX_REDRIVES + 1)]

    assert [answer.is_success for answer in answers] == [True] * MAX_REDRIVES + [False]
    assert not answers[-1].is_retryable
    assert len(published.requests) == MAX_REDRIVES


def test_mode_of_the_batch_is_that_of_its_opening(documents: Documents) -> None:
    opened(Batches(documents, mode=SchemaMode.DUAL_WRITE), 2)

    seen = opened(Batches(documents, mode=SchemaMode.LEGACY), 2)

    assert seen.schema_mode is SchemaMode.DUAL_WRITE
