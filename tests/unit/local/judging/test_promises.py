"""Each promise is judged by what can break it: where one thing is wrong, it is named with the reason."""

from dataclasses import replace
from typing import Any

import pytest

from common.batches.records import BatchStatus
from common.lock.rules import HELD
from common.messages import MessageStatus
from local.day.chaos import Victim
from local.judging.evidence import Evidence
from local.judging.promises import judge
from tests.support.sound_run import announced, batch, completions, lock, receipt, sound_run

COUNTED, TRIGGERED = "Counted once", "Triggered once, and certainly"
ROWS, HONEST, SEEN = "No duplicate row, no lost row", "An error is never a value", "Nothing waits unseen"

SOUND = sound_run()
SOME_ROW = SOUND.main[0]
ALL_ROWS = len(SOUND.main)


def broken(evidence: Evidence, victim: Victim | None = None, *, was_killed: bool = True) -> dict[str, str]:
    verdicts = judge(evidence, victim=victim, was_killed=was_killed)
    return {one.promise: "; ".join(one.broken) for one in verdicts if not one.is_kept}


@pytest.mark.parametrize("victim", [None, *Victim])
def test_a_sound_run_keeps_every_promise(victim: Victim | None) -> None:
    assert broken(SOUND, victim) == {}


@pytest.mark.parametrize(
    ("parts", "promise", "reason"),
    [
        pytest.param({"completions": completions()[1:]}, COUNTED, "1 player is missing", id="one missing"),
        pytest.param({"unexpected_players": ("mj",)}, COUNTED, "nobody expected mj", id="one too many"),
        pytest.param(
            {"batch": batch(total_predictions=7)}, COUNTED, "7 predictions counted", id="a count drifted"
        ),
        pytest.param(
            {"batch": batch(counts=replace(batch().counts, completed=31))},
            COUNTED,
            "the counters say",
            id="somebody counted twice",
        ),
        pytest.param({"triggers": ("t1", "t2")}, TRIGGERED, "published twice", id="two triggers"),
        pytest.param({"triggers": ()}, TRIGGERED, "published never", id="no trigger"),
        pytest.param({"closing_claims": ()}, TRIGGERED, "0 closing claims", id="nobody closed it"),
        pytest.param(
            {"batch": batch(trigger_message_id="t9")}, TRIGGERED, "not noted", id="another trigger is noted"
        ),
        pytest.param(
            {"batch": batch(status=BatchStatus.CONSOLIDATING)},
            TRIGGERED,
            "the batch is consolidating",
            id="not finished",
        ),
        pytest.param({"main": SOUND.main[1:]}, ROWS, "1 of 140 rows lost", id="a row is lost"),
        pytest.param({"main": (*SOUND.main, SOME_ROW)}, ROWS, "more than once", id="a row is there twice"),
        pytest.param(
            {"main": (replace(SOME_ROW, recommendation="PASS?"), *SOUND.main[1:])},
            ROWS,
            "1 row was changed",
            id="a row was changed",
        ),
        pytest.param(
            {"expected": SOUND.expected - {SOME_ROW}}, ROWS, "nobody asked for", id="a row from nowhere"
        ),
        pytest.param({"receipts": ()}, HONEST, "no receipt", id="no receipt"),
        pytest.param(
            {"receipts": (receipt(ALL_ROWS - 1),)}, HONEST, "says otherwise", id="the receipt is wrong"
        ),
        pytest.param(
            {"announced": (announced(ALL_ROWS, status=MessageStatus.FAILED),)},
            HONEST,
            "announced:",
            id="announced as failed",
        ),
        pytest.param(
            {"announced": (announced(ALL_ROWS + 1),)}, HONEST, "announced:", id="announced with a wrong count"
        ),
        pytest.param({"lock": lock(state=HELD)}, SEEN, "still held", id="the lock is held"),
        pytest.param({"lock": None}, SEEN, "never taken", id="there was no lock"),
        pytest.param({"dead_letters": ("why",)}, SEEN, "1 dead letter", id="a dead letter"),
        pytest.param({"dead_letter_messages": 1}, SEEN, "dead-letter topics", id="one only on a topic"),
        pytest.param({"staging_left": {"_staging_a": 5}}, SEEN, "1 staging table", id="a table is left"),
        pytest.param({"unmerged_left": 5}, SEEN, "5 staged keys are not merged", id="rows are left"),
        pytest.param({"executions": 2}, SEEN, "2 rows of the run", id="logged twice"),
        pytest.param(
            {"batch": batch(phase_message_id=None)}, SEEN, "not noted on the batch", id="phase 5 is not noted"
        ),
    ],
)
def test_whatever_breaks_a_promise_is_named(parts: dict[str, Any], promise: str, reason: str) -> None:
    assert reason in broken(sound_run(**parts)).get(promise, "kept")


def test_after_its_death_a_recorder_may_trigger_again() -> None:
    assert broken(sound_run(triggers=("t1", "t2")), Victim.RECORDER) == {}


def test_what_a_dead_worker_staged_twice_may_wait_for_the_clean_up() -> None:
    left = {"staging_left": {"_staging_dead": 5}}

    assert broken(sound_run(**left), Victim.WORKER) == {}
    assert SEEN in broken(sound_run(**left, unmerged_left=5), Victim.WORKER)


def test_a_run_that_never_killed_proves_nothing() -> None:
    assert "missed" in broken(SOUND, Victim.TRIGGER, was_killed=False)["The crash was real"]
