"""A command that writes, cut short after each of its steps and given again: one effect, one record."""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from google.cloud.firestore_v1.base_query import FieldFilter

from common.publisher import Publisher
from tests.support.grpc_server import serving
from tests.support.io_steps import Broken, Fault, IoSteps
from tests.support.ops_cli import Said, ops
from tests.support.phase_world import PRECOMPUTE
from tests.support.verdict_world import HOUR, PLAYERS, VerdictWorld

BOUNDARY = "phase4_to_phase5"


@dataclass(frozen=True, kw_only=True)
class Write:
    """A command, what it works on, and what there is to see of it afterwards."""

    prepare: Callable[[VerdictWorld, str], str]
    """Returns the command's line."""
    effect: Callable[[VerdictWorld, str], Any]
    wanted: Any
    requests: int
    """Messages of one whole run; a crash between a message and its note may send it once more."""


def prepare_redrive(world: VerdictWorld, name: str) -> str:
    world.open(name)
    return f"redrive {name} --missing"


def redrives(world: VerdictWorld, name: str) -> int:
    return world.batches.get(name).unwrap().redrives


def prepare_close(world: VerdictWorld, name: str) -> str:
    world.open(name, min_completion_pct=0)
    return f"close {name}"


def closed(world: VerdictWorld, name: str) -> tuple[str, int, int]:
    batch = world.batches.get(name).unwrap()
    return batch.status.value, batch.counts.timed_out, batch.trigger_generation


def prepare_replay(world: VerdictWorld, name: str) -> str:
    world.report(name, PRECOMPUTE)
    return f"replay {world.day(name)} --from 5"


def replayed(world: VerdictWorld, name: str) -> tuple[str, int]:
    day = world.phases.days.read(world.phases.boundary(), world.day(name)).unwrap()
    return day.state.value, day.generation


def prepare_letters(world: VerdictWorld, name: str) -> str:
    """Two, which one command is about."""
    for each in (f"{name}a", f"{name}b"):
        world.open(each, dataset_prefix="test")
        world.consolidate(each)
    return f"dead-letters replay --where batch_id={name}?"


def letters(world: VerdictWorld, name: str) -> list[bool]:
    ids = [f"event-{name}{each}" for each in "ab"]
    documents = [world.db.collection("dead_letters").document(each).get() for each in ids]
    return [(each.to_dict() or {}).get("replayed_by") == "ann" for each in documents]


WRITES = {
    "redrive": Write(prepare=prepare_redrive, effect=redrives, wanted=1, requests=len(PLAYERS)),
    "close": Write(prepare=prepare_close, effect=closed, wanted=("partial", 4, 1), requests=1),
    "replay": Write(prepare=prepare_replay, effect=replayed, wanted=("dispatched", 2), requests=1),
    "dead-letters replay": Write(prepare=prepare_letters, effect=letters, wanted=[True, True], requests=2),
}


@dataclass(frozen=True, kw_only=True)
class Terminal:
    """An operator's terminal whose every step to Firestore and Pub/Sub is counted."""

    steps: IoSteps
    environment: Mapping[str, str]
    published: list[bytes]

    def type(self, line: str) -> Said | None:
        """None if it was cut short where nobody could say anything any more."""
        with suppress(Broken):
            return ops(self.environment, *line.split(), "--why", "it is time", "--yes")
        return None


@pytest.fixture
def terminal(world: VerdictWorld, firestore_host: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Terminal]:
    steps = IoSteps(firestore_host)
    published: list[bytes] = []
    send = Publisher._send

    def counted(self: Publisher, path: str, messages: Any, deadline: float) -> list[str]:
        def sent() -> list[str]:
            published.extend(each.data for each in messages)
            return send(self, path, messages, deadline)

        return steps.run("publish", sent)

    monkeypatch.setattr(Publisher, "_send", counted)
    for name, value in world.environment.items():
        monkeypatch.setenv(name, value)
    with serving(steps) as address:
        environment = {**world.environment, "FIRESTORE_EMULATOR_HOST": address}
        yield Terminal(steps=steps, environment=environment, published=published)


def records(world: VerdictWorld, line: str) -> list[Any]:
    found = world.db.collection("operations").where(filter=FieldFilter("command", "==", line)).get()
    return [((each.to_dict() or {})["result"] or {}).get("status") for each in found]


def outlive(world: VerdictWorld, name: str) -> None:
    """The claim of whoever was cut short over publishing."""
    path = world.phases.days.key(world.phases.boundary(), world.day(name)).path
    world.db.document(path).update({"dispatch.claimed_at": datetime.now(UTC) - HOUR})


def timeless(message: bytes) -> bytes:
    """A request that is made again bears the time at which it is."""
    return re.sub(rb'"timestamp":"[^"]*"', b"", message)


@pytest.mark.parametrize("command", WRITES)
def test_command_cut_short_after_any_step_and_given_again_has_one_effect_and_one_record(
    command: str, world: VerdictWorld, terminal: Terminal
) -> None:
    write, short = WRITES[command], command.replace("-", "").replace(" ", "")
    line = write.prepare(world, f"{short}0")
    terminal.steps.revive()
    terminal.steps.names.clear()
    assert terminal.type(line)
    whole = list(terminal.steps.names)
    assert write.effect(world, f"{short}0") == write.wanted

    for step in range(len(whole) - 1):
        name = f"{short}{step + 1}"
        line = write.prepare(world, name)
        terminal.published.clear()
        terminal.steps.arm(step, Fault.CRASH_AFTER)
        terminal.type(line)
        terminal.steps.revive()
        again = terminal.type(line)
        if again is not None and "being published by another" in again.output:
            outlive(world, name)
            again = terminal.type(line)

        told = f"after step {step} of {whole}: {again}"
        assert again is not None and "failed" not in again.output, told
        assert write.effect(world, name) == write.wanted, told
        assert records(world, line) == ["done"], told
        assert len({timeless(each) for each in terminal.published}) == write.requests, told
        assert len(terminal.published) <= 2 * write.requests, told
