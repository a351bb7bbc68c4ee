"""Which dead letters may be published again, and what is noted of one that has failed again meanwhile."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from common.documents.memory_store import MemoryDocuments
from common.documents.writes import Set
from common.entrypoint.dead_letter_box import DeadLetter, DeadLetterBox
from common.result import Result
from ops.commands.dead_letters import By, fails_again, plan_discard, plan_replay
from ops.selection import Selection
from tests.support.stepped import Crash, Stepped, Steps

GOOD = DeadLetter(
    event_id="e1",
    topic="nba-prediction-batch-complete",
    function="consolidation_trigger",
    reason="SchemaDiffers",
    error_class="SchemaDiffers",
    details={},
    data='{"batch_id": "b1", "game_date": "2026-01-17", "generation": 1}',
    is_whole=True,
    attributes={},
    published_at=None,
    dead_lettered_at=datetime(2026, 1, 18, tzinfo=UTC),
    replayed_at=None,
    discarded_at=None,
)


def test_message_that_can_be_read_may_be_published_again() -> None:
    assert fails_again(GOOD) is None
    assert GOOD.batch_id == "b1"


@pytest.mark.parametrize(
    ("letter", "why"),
    [
        pytest.param(replace(GOOD, is_whole=False), "only the beginning", id="cut by its document"),
        pytest.param(replace(GOOD, topic="nba-no-such"), "not in the registry", id="a topic of nobody"),
        pytest.param(replace(GOOD, topic="nba-analytics-ready"), "no function of ours", id="not ours"),
        pytest.param(replace(GOOD, data="{}"), "batch_id", id="a field is missing, which is named"),
        pytest.param(replace(GOOD, data="no JSON"), "Invalid JSON", id="no message at all"),
    ],
)
def test_message_that_would_fail_again_is_left_out_with_the_reason(letter: DeadLetter, why: str) -> None:
    assert why in (fails_again(letter) or "")


def test_letter_that_a_person_handled_waits_no_more() -> None:
    at = datetime(2026, 1, 18, tzinfo=UTC)

    assert GOOD.waits
    assert not replace(GOOD, replayed_at=at).waits
    assert not replace(GOOD, discarded_at=at).waits


NOW = datetime(2026, 1, 18, 6, tzinfo=UTC)
BY = By(who="ann", why="mended", at=NOW)
EVERY: Selection[DeadLetter] = Selection(conditions=())


class Box:
    """The dead letters of a test, with whatever stands behind them."""

    def __init__(self, steps: Steps | None = None) -> None:
        self.documents = MemoryDocuments(lambda: NOW)
        self.steps = steps or Steps()
        self.letters = DeadLetterBox(Stepped(self.documents, self.steps))
        self.done: list[str] = []
        self.meanwhile: Callable[[], object] = lambda: None
        self.fail()

    def fail(self) -> None:
        """As the function writes it: also where the letter was written before."""
        fields = {name: getattr(GOOD, name) for name in ("event_id", "topic", "function", "reason", "data")}
        self.documents.commit(
            [
                Set(
                    path="dead_letters/e1",
                    fields={
                        **fields,
                        "error_class": GOOD.error_class,
                        "attributes": json.dumps({}),
                        "data_bytes": len(GOOD.data),
                        "dead_lettered_at": NOW,
                    },
                )
            ]
        ).unwrap()

    def drop(self, topic_name: str, event_id: str) -> Result[int]:
        self.steps("drop")
        self.done.append("taken out")
        return Result.success(1)

    def publish_raw(self, topic_name: str, data: bytes, attributes: dict[str, str]) -> Result[str]:
        self.done.append("published")
        self.meanwhile()
        return Result.success("m1")

    def letter(self) -> DeadLetter:
        [letter] = self.letters.newest().unwrap()
        return letter

    def discard(self) -> Result[str]:
        [step] = plan_discard(self.letters, self, "e1", where=EVERY, by=BY).steps
        return step.do("record")

    def replay(self) -> Result[str]:
        [step] = plan_replay(self.letters, self, self, "e1", where=EVERY, by=BY).steps
        return step.do("record")


def test_letter_that_is_published_again_waits_no_more() -> None:
    box = Box()

    assert box.replay().unwrap() == "m1"
    assert not box.letter().waits


def test_letter_that_fails_again_before_that_is_noted_waits_and_keeps_its_message() -> None:
    box = Box()
    box.meanwhile = box.fail

    replayed = box.replay()

    assert replayed.error is not None
    assert replayed.error.exception_class == "FailedAgain"
    assert box.letter().waits
    assert box.done == ["taken out", "published"]


def test_note_whose_answer_was_lost_is_known_again() -> None:
    box = Box()
    letter = box.letter()

    for _ in range(2):
        box.letters.note_replayed(letter, NOW, who="ann", why="mended", message_id="m1").unwrap()
    other = box.letters.note_replayed(letter, NOW, who="ann", why="mended", message_id="m2")

    assert other.error is not None
    assert other.error.exception_class == "FailedAgain"


def test_letter_that_was_written_anew_since_the_plan_is_not_discarded() -> None:
    box = Box()
    [step] = plan_discard(box.letters, box, "e1", where=EVERY, by=BY).steps
    box.fail()

    discarded = step.do("record")

    assert discarded.error is not None
    assert box.letter().waits
    assert box.done == []


DISCARD = ["find", "commit", "drop", "commit"]


def test_letter_is_noted_to_be_discarded_before_its_message_is_taken_out() -> None:
    box = Box()

    box.discard().unwrap()

    assert box.steps.names == DISCARD and not box.letter().waits


@pytest.mark.parametrize("step", range(1, len(DISCARD) + 1))
def test_discarding_that_is_cut_short_before_any_step_is_ended_by_the_command_again(step: int) -> None:
    box = Box(Steps(dies_before=step))

    with pytest.raises(Crash):
        box.discard()
    cut_short = box.letter()
    told = plan_discard(box.letters, box, "e1", where=EVERY, by=BY).seen["state"]
    box.discard().unwrap()

    # Whoever sees that the message is gone sees who wanted that, too.
    was_begun = cut_short.discard_begun_at is not None
    assert cut_short.waits and was_begun == (step > 2) and ("was begun" in told) == was_begun
    assert was_begun or not box.done[1:]
    after = box.documents.get(["dead_letters/e1"]).unwrap()["dead_letters/e1"].data
    assert (after["discarded_at"], after["discarded_by"], after["discarded_why"]) == (NOW, "ann", "mended")
