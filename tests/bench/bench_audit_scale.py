"""Ten thousand batches in one audit: time, memory, reads; and the runs it takes where each is cut short."""

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import structlog
from google.cloud import firestore

from common.batches.records import COMPLETIONS, COUNTER, RECEIPTS, batch_path
from common.messages import PlayerOutcome
from local.stack.emulators import FIRESTORE
from tests.bench.frame import Bench, benchmark
from tests.bench.measuring import Measurement, at_most
from tests.support.batch_helpers import GAME_DATE
from tests.support.receipts import receipt

BATCHES = 10_000
PLAYERS = 3
"""Counting 450 costs the same reads."""
PER_COMMIT = 80
"""Batches whose documents one commit takes: 500 writes at most."""
LIMIT_SECONDS = 540
CUTS = 3
"""Into so many runs a whole one is cut."""


@benchmark("audit_scale", emulators=[FIRESTORE])
def audit_of_ten_thousand(bench: Bench) -> Iterator[Measurement]:
    """An audit of 10,000 consolidated batches, whole, and cut into three.

    Auditor and emulator share the cores of one machine here.
    """
    project = bench.new_project()
    with structlog.testing.capture_logs():
        db = firestore.Client(project=project)
        for first in range(0, BATCHES, PER_COMMIT):
            _fill(db, range(first, min(first + PER_COMMIT, BATCHES)))
    whole = _audit(project, LIMIT_SECONDS)
    yield Measurement(
        name="audit_scale.ten_thousand",
        value=whole["seconds"],
        unit="seconds",
        target=at_most(LIMIT_SECONDS),
        details={
            "cpu_seconds": whole["cpu_seconds"],
            "reads_per_batch": whole["reads"] / BATCHES,
            "findings": whole["findings"],
            "left": sum(whole["left"].values()),
        },
    )
    yield Measurement(
        name="audit_scale.peak_memory", value=whole["peak_mib"], unit="MiB", target=at_most(512), details={}
    )
    seconds = 0.6 * whole["seconds"]
    runs = [_audit(project, seconds)]
    while runs[-1]["left"] and len(runs) < 10:
        runs.append(_audit(project, seconds))
    yield Measurement(
        name="audit_scale.runs_cut_short",
        value=len(runs),
        unit="runs",
        target=at_most(CUTS),
        details={"left": [sum(run["left"].values()) for run in runs], "limit_seconds": seconds},
    )


def _audit(project: str, limit_seconds: float) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.bench.audit_once", project, str(limit_seconds)]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    answer: dict[str, Any] = json.loads(said.splitlines()[-1])
    return answer


def _fill(db: firestore.Client, numbers: range) -> None:
    commit = db.batch()
    counted = {COUNTER[PlayerOutcome.COMPLETED]: PLAYERS, "total_predictions_subcoll": 5 * PLAYERS}
    for number in numbers:
        path = batch_path(f"batch{number:05}")
        batch = {
            "game_date": GAME_DATE.isoformat(),
            "expected_players": PLAYERS,
            "schema_mode": "subcollection",
            "status": "consolidated",
            "is_complete": True,
            "consolidated_generation": 1,
            "phase_generation": 1,
            **counted,
        }
        commit.set(db.document(path), batch)
        for player in range(PLAYERS):
            completion = {
                "player_lookup": f"p{player}",
                "outcome": PlayerOutcome.COMPLETED.value,
                "predictions_count": 5,
                "event_id": "e",
                "completed_at": datetime.now(UTC),
            }
            commit.set(db.document(f"{path}/{COMPLETIONS}/p{player}"), completion)
        merged = receipt(batch_id=f"batch{number:05}").to_document()
        commit.set(db.document(f"{path}/{RECEIPTS}/1"), {**merged, "fence": 1, "generation": 1})
    commit.commit()
