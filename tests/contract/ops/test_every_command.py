"""Every command on the emulators, as text and as JSON: its exit status, and the keys that scripts rely on."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from common.phases.graph import GRAPHS
from common.phases.nba import SCHEDULE
from tests.support.ops_cli import commands
from tests.support.phase_world import PRECOMPUTE
from tests.support.verdict_world import PLAYERS, VerdictWorld

EXPLAINED = "batch_id state verdict next is_well as_of note batch missing events receipts findings log"
PLAN = "command shown left_out seen plan status token"
"""Of every command that writes, as long as nobody says --yes."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """How a command is called, and what it answers."""

    arguments: str = ""
    """In capitals what the scene has made."""
    status: int
    keys: str
    says: str
    """Part of the text."""


def planned(arguments: str, says: str) -> Case:
    return Case(arguments=arguments, status=0, keys=PLAN, says=says)


CASES: Mapping[str, Case] = {
    "status": Case(
        status=1, keys="system game_date Phases Batches Locks Findings Dead letters", says="Dead letters"
    ),
    "explain": Case(arguments="merged", status=0, keys=EXPLAINED, says="merged and announced"),
    "phases": Case(
        arguments="PHASED",
        status=0,
        keys="phase2_to_phase3 phase3_to_phase4 phase4_to_phase5 phase5_to_phase6",
        says="dispatched",
    ),
    "missing": Case(
        arguments="short",
        status=1,
        keys="batch_id missing timed_out unexpected ended expected",
        says="1 player missing",
    ),
    "findings": Case(status=1, keys="findings", says="unsent_trigger"),
    "locks": Case(status=0, keys="locks", says="No lock is held."),
    "audit": Case(
        arguments="unsent",
        status=1,
        keys="run_id started_at ended_at batch_id game_date repair is_ok checks cost findings "
        "finding_count finding_classes told inhibited untold repairs resume",
        says="1 finding",
    ),
    "verify": Case(
        arguments="MERGED",
        status=0,
        keys="game_date findings keys compared_with not_compared broken_receipts batches",
        says="every receipt is as it was written",
    ),
    "coverage": Case(
        arguments="--from PHASED --to PHASED",
        status=3,
        keys="first last game_days tables taken_over",
        says="1 game day",
    ),
    "watch": Case(arguments="merged", status=0, keys=EXPLAINED, says="consolidated"),
    "cost": Case(
        arguments="--days 366",
        status=0,
        keys="first last prices_as_of prices_not_seen_again usage usd usd_per_batch "
        "usd_per_thousand_completions estimated_share lines elsewhere",
        says="the same fan-in",
    ),
    "page": Case(arguments="--to FOLDER/page.html", status=0, keys="page", says="page.html"),
    "bundle": Case(
        arguments="merged --to FOLDER/bundle.html", status=0, keys="file state verdict", says="consolidated"
    ),
    "simulate": Case(
        arguments="--from PHASED --to PHASED --graph GRAPH",
        status=0,
        keys="dates summary",
        says="1 boundary date",
    ),
    "redrive": planned("short --missing", "publish prediction requests for 1 player (dee) of short"),
    "close": planned("short", "timing out 1 missing player"),
    "abandon": planned("short", "abandon short"),
    "migrate": planned("short --to dual_write", "backfill, verify, switch"),
    "hold": planned("3 PHASED", "hold phase3_to_phase4"),
    "release": Case(
        arguments="4 PHASED",
        status=0,
        keys=PLAN.removesuffix(" token"),
        says="is dispatched.\nNothing to do.",
    ),
    "dispatch": planned("3 PHASED", "dispatch phase3_to_phase4"),
    "replay": planned("PHASED --from 5", "generation 2"),
    "force-release": planned("SHORT", "writes nothing"),
    "repair": planned("FINDING", "republish trigger: unsent"),
    "silence": planned("FINDING --until 2099-01-01T00:00:00Z", "until 2099-01-01 00:00:00 UTC"),
    "dead-letters": Case(status=1, keys="letters", says="WrongPrefix"),
    "dead-letters replay": planned("event-prefixed", "publish event-prefixed on nba-prediction-batch"),
    "dead-letters discard": planned("event-prefixed", "discard event-prefixed"),
}


@pytest.fixture(scope="module")
def scene(world: VerdictWorld, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """A batch that is merged, one that is held up, a dead letter, a finding, a lock and a day of phases."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in world.environment.items():
            patch.setenv(name, value)
        return made(world, tmp_path_factory.mktemp("scene"))


def made(world: VerdictWorld, folder: Path) -> Mapping[str, str]:
    world.close("merged")
    world.consolidate("merged")
    world.open("short")
    world.end("short", *PLAYERS[:3])
    world.stack.lock.try_acquire(world.lock_key("short"), "short").unwrap()
    world.open("prefixed", dataset_prefix="test")
    world.end("prefixed", *PLAYERS)
    world.trigger("prefixed")
    world.consolidate("prefixed")
    world.open("unsent")
    world.end("unsent", *PLAYERS)
    world.age("unsent")
    [finding] = [
        each
        for each in world.ops("audit", "unsent", "-o", "json").data["findings"]
        if each.startswith("unsent_trigger")
    ]
    world.report("phased", PRECOMPUTE)
    raw = "nba_raw"
    world.stack.client.create_dataset(raw, timeout=30)
    table = f"{raw}.{SCHEDULE.name}"
    world.stack.warehouse.execute(f"CREATE TABLE {table} ({SCHEDULE.date_column} DATE)").unwrap()
    day = world.day("phased").isoformat()
    world.stack.warehouse.execute(f"INSERT INTO {table} VALUES (DATE '{day}')").unwrap()
    graph = folder / "edited.json"
    graph.write_text(GRAPHS["nba"].model_dump_json(), encoding="utf-8")
    return {
        "FINDING": finding,
        "MERGED": world.day("merged").isoformat(),
        "SHORT": world.day("short").isoformat(),
        "PHASED": day,
        "GRAPH": str(graph),
        "FOLDER": str(folder),
    }


def test_every_command_that_there_is_is_tried_here() -> None:
    assert CASES.keys() == commands().keys()


@pytest.mark.parametrize("command", CASES)
def test_command_answers_as_text_and_as_an_object_of_the_same_keys(
    command: str,
    world: VerdictWorld,
    scene: Mapping[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("ops.reports.ROOT", tmp_path)
    case = CASES[command]
    words = [*command.split(), *re.sub(r"[A-Z]{5,}", lambda name: scene[name[0]], case.arguments).split()]

    as_text = world.ops(*words)
    as_json = world.ops(*words, "-o", "json")

    assert (as_text.status, as_json.status) == (case.status, case.status), as_text.output + as_text.problem
    assert case.says in as_text.output
    assert " ".join(json.loads(as_json.output.splitlines()[-1])) == case.keys
