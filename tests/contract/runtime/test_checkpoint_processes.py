"""Checkpoints of processes: killed before any line, and writing all at once."""

import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest

from common.runtime.checkpoint import Checkpoint, Checkpoints
from tests.support.source_tree import ROOT

NAME = "backfill"


def test_a_crash_before_any_line_leaves_the_old_or_the_new_generation(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.support.checkpoint_crashes", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, timeout=60)

    left = [Checkpoints(tmp_path / str(n), name="task") for n in range(len(list(tmp_path.iterdir())))]
    outcomes = [newest(checkpoints).progress for checkpoints in left]
    assert outcomes == sorted(outcomes)
    assert outcomes.count("before") > 20 and outcomes.count("later") > 5
    assert all(checkpoints.save("on", after=newest(checkpoints)).is_success for checkpoints in left)


@pytest.mark.parametrize(
    "pool",
    [
        pytest.param(lambda: ThreadPoolExecutor(8), id="threads"),
        pytest.param(lambda: ProcessPoolExecutor(4, get_context("forkserver")), id="processes"),
    ],
)
def test_no_writer_loses_its_work_to_another(tmp_path: Path, pool: Callable[[], Any]) -> None:
    with pool() as executor:
        list(executor.map(count_up, [tmp_path] * 8, range(8)))

    assert sorted(newest(Checkpoints(tmp_path, name=NAME)).progress) == sorted(
        [writer, step] for writer in range(8) for step in range(10)
    )


def count_up(directory: Path, writer: int) -> None:
    for step in range(10):
        append(Checkpoints(directory, name=NAME), [writer, step])


def append(checkpoints: Checkpoints, entry: list[int]) -> None:
    for _ in range(1_000):
        last = checkpoints.load().unwrap()
        if checkpoints.save([*(last.progress if last else []), entry], after=last).is_success:
            return
    raise AssertionError(f"{entry} was overtaken 1,000 times")


def newest(checkpoints: Checkpoints) -> Checkpoint:
    checkpoint = checkpoints.load().unwrap()
    assert checkpoint is not None
    return checkpoint
