"""`watch` on the emulator: it follows a batch to its end, and says where there is none."""

import io
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.cloud import firestore
from rich.console import Console

from common.batches import recording
from common.batches.batches import Batches
from common.batches.closing import Closing
from common.batches.completion import Completion
from common.entrypoint.dead_letter_box import DeadLetterBox
from common.messages import PlayerOutcome
from ops.answer import Answer, Format
from ops.commands.watch import watch
from ops.explaining.batch_evidence import BatchEvidence
from tests.support.batch_helpers import alter, opened
from tests.support.consolidation_stack import LOCK_KEY
from tests.support.explained import TELLING
from tests.support.ops_cli import ops
from tests.support.receipts import receipt

CLEARED = "\x1b[2J"


def end(batches: Batches, player: str) -> None:
    one = Completion(
        player_lookup=player, outcome=PlayerOutcome.SKIPPED, predictions_count=0, event_id=f"e-{player}"
    )
    writes = recording.writes(batches.get("batch1").unwrap(), [one])
    batches.store.documents.commit(writes).unwrap()


def life(batches: Batches) -> Iterator[None]:
    """What happens to the batch, step by step, while somebody watches."""
    end(batches, "amy")
    yield
    end(batches, "bob")
    Closing(batches.store).settle("batch1", "e-bob").unwrap()
    yield
    batches.start_consolidation("batch1", 1).unwrap()
    yield
    batches.finish_consolidation("batch1", 1, 7, receipt(tables={}).to_document()).unwrap()
    yield
    batches.note_phase_message("batch1", 1, "m1").unwrap()
    yield


def watched(
    batches: Batches, client: firestore.Client, form: Format, steps: Iterator[None], console: Console
) -> Answer:
    evidence = BatchEvidence(
        batches,
        key_of=lambda game_date: replace(LOCK_KEY, game_date=game_date),
        dead_letters=DeadLetterBox(batches.store.documents),
    )

    def step(_: float) -> None:
        next(steps)

    return watch(evidence, "batch1", TELLING, console=console, form=form, sleep=step)


@pytest.fixture
def console() -> Console:
    """No terminal."""
    return Console(file=io.StringIO(), width=200)


def said(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_batch_is_followed_to_its_end_by_a_line_for_each_change(
    batches: Batches, firestore_client: firestore.Client, console: Console
) -> None:
    opened(batches, ["amy", "bob"], deadline=datetime.now(UTC) + timedelta(hours=1))

    answer = watched(batches, firestore_client, Format.JSON, life(batches), console)

    lines = [json.loads(line) for line in said(console).splitlines()]
    assert [(line["status"], line["ended"], line["missing"]) for line in lines] == [
        ("open", 0, ["amy", "bob"]),
        ("open", 1, ["bob"]),
        ("complete", 2, []),
        ("consolidating", 2, []),
        ("consolidated", 2, []),
    ]
    assert (answer.data["state"].value, answer.status) == ("consolidated", 0)


def test_at_a_terminal_it_is_drawn_over_itself_and_never_clears_the_screen(
    batches: Batches, firestore_client: firestore.Client
) -> None:
    opened(batches, ["amy", "bob"], deadline=datetime.now(UTC) + timedelta(hours=1))
    console = Console(file=io.StringIO(), width=80, force_terminal=True)

    watched(batches, firestore_client, Format.TEXT, life(batches), console)

    drawn = said(console)
    assert CLEARED not in drawn
    assert "missing: amy, bob" in drawn and "2 / 2" in drawn


def failed(batches: Batches) -> None:
    opened(batches, ["amy"])
    alter(batches, status="failed")


@pytest.mark.parametrize(
    ("make", "status"),
    [
        pytest.param(lambda batches: None, 2, id="never opened"),
        pytest.param(failed, 1, id="failed"),
    ],
)
def test_nothing_to_watch_ends_at_once_with_its_own_status(
    make: Callable[[Batches], Any],
    status: int,
    batches: Batches,
    firestore_host: str,
    project_id: str,
) -> None:
    make(batches)
    environment: Mapping[str, str] = {
        "GCP_PROJECT": project_id,
        "SPORT": "nba",
        "FIRESTORE_EMULATOR_HOST": firestore_host,
    }

    found = ops(environment, "watch", "batch1")

    assert found.status == status, found.output
    assert ("there is none" in found.problem) is (status == 2)
