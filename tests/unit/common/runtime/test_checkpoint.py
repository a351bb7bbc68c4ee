from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from common.result import ErrorType, Result
from common.runtime.checkpoint import CHECKPOINT_CONFLICT, CORRUPT_CHECKPOINT, Checkpoint, Checkpoints
from tests.support.results import error_of

NAME = "backfill"


@pytest.fixture
def checkpoints(tmp_path: Path) -> Checkpoints:
    return Checkpoints(tmp_path / "state", name=NAME)


def test_nothing_saved_yet_is_a_success_without_a_checkpoint(checkpoints: Checkpoints) -> None:
    assert checkpoints.load() == Result.success(None)


def test_what_was_saved_is_loaded(checkpoints: Checkpoints) -> None:
    progress = {"done": ["2026-01-05", "2026-01-06"], "ratio": 0.1, "next": None, "who": "Dončić"}

    saved = checkpoints.save(progress, after=None).unwrap()

    assert checkpoints.load() == Result.success(saved)
    assert saved == Checkpoint(generation=1, progress=progress)


def test_the_last_generations_are_kept_and_no_more(checkpoints: Checkpoints, tmp_path: Path) -> None:
    save_in_turn(checkpoints, 1, 2, 3, 4, 5)

    assert newest(checkpoints) == Checkpoint(generation=5, progress=5)
    assert [path.name for path in files(tmp_path)] == [f"{NAME}.{n:010d}.json" for n in (3, 4, 5)]


def test_tasks_in_one_directory_do_not_meet(tmp_path: Path) -> None:
    one, other = Checkpoints(tmp_path, name="scrape"), Checkpoints(tmp_path, name="scrape-2")

    one.save("one", after=None).unwrap()
    other.save("other", after=None).unwrap()

    assert newest(one).progress == "one"
    assert newest(other).progress == "other"


def test_the_same_save_again_changes_nothing(checkpoints: Checkpoints) -> None:
    first = checkpoints.save(1, after=None).unwrap()

    checkpoints.save(2, after=first).unwrap()
    again = checkpoints.save(2, after=first).unwrap()

    assert again == newest(checkpoints) == Checkpoint(generation=2, progress=2)


@pytest.mark.parametrize("behind", [1, 5], ids=["by one generation", "by more generations than are kept"])
def test_a_writer_that_was_overtaken_is_told(checkpoints: Checkpoints, behind: int) -> None:
    first = checkpoints.save("first", after=None).unwrap()
    ahead = first
    for step in range(behind):
        ahead = checkpoints.save(f"ahead {step}", after=ahead).unwrap()

    error = error_of(checkpoints.save("behind", after=first))

    assert (error.exception_class, error.type) == (CHECKPOINT_CONFLICT, ErrorType.PERMANENT)
    assert newest(checkpoints) == ahead


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda content: b"", id="emptied"),
        pytest.param(lambda content: content[:-1], id="cut short"),
        pytest.param(lambda content: content + b" ", id="something appended"),
        pytest.param(lambda content: content.replace(b"2", b"3"), id="a digit changed"),
        pytest.param(lambda content: b"\xff" * len(content), id="no text any more"),
        pytest.param(lambda content: content.partition(b"\n")[2], id="checksum lost"),
    ],
)
def test_a_damaged_file_is_named_and_the_last_good_generation_offered(
    checkpoints: Checkpoints, tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    save_in_turn(checkpoints, 1, 2)
    damaged = files(tmp_path)[-1]
    damaged.write_bytes(damage(damaged.read_bytes()))

    error = error_of(checkpoints.load())

    assert (error.exception_class, error.type) == (CORRUPT_CHECKPOINT, ErrorType.PERMANENT)
    assert error.details == {"path": str(damaged), "last_good_generation": 1}
    assert str(damaged) in error.message


def test_recovery_goes_back_and_saving_goes_on_from_there(checkpoints: Checkpoints, tmp_path: Path) -> None:
    save_in_turn(checkpoints, 1, 2, 3)
    for path in files(tmp_path)[1:]:
        path.write_bytes(b"damaged")

    recovered = checkpoints.recover().unwrap()

    assert recovered == Checkpoint(generation=1, progress=1) == checkpoints.recover().unwrap()
    assert checkpoints.save("on", after=recovered).is_success
    assert newest(checkpoints) == Checkpoint(generation=2, progress="on")
    assert [path.read_bytes() for path in sorted(tmp_path.rglob("*.corrupt"))] == [b"damaged"] * 2


def test_nothing_good_left_is_told_before_one_starts_over(checkpoints: Checkpoints, tmp_path: Path) -> None:
    save_in_turn(checkpoints, 1)
    files(tmp_path)[0].write_bytes(b"")

    error = error_of(checkpoints.load())

    assert error.details is not None and error.details["last_good_generation"] is None
    assert checkpoints.recover() == Result.success(None)
    assert checkpoints.load() == Result.success(None)


@pytest.mark.parametrize(
    "progress",
    [
        pytest.param({1: "done"}, id="key that is no text"),
        pytest.param(("a", "b"), id="tuple"),
        pytest.param({"a", "b"}, id="set"),
        pytest.param(float("nan"), id="not a number"),
    ],
)
def test_progress_that_would_not_come_back_is_refused(checkpoints: Checkpoints, progress: Any) -> None:
    result = checkpoints.save(progress, after=None)

    assert error_of(result).type is ErrorType.PERMANENT
    assert checkpoints.load() == Result.success(None)


def test_a_disk_that_fails_is_not_an_empty_disk(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no directory")
    checkpoints = Checkpoints(tmp_path / "file", name=NAME)

    assert checkpoints.load().is_failure
    assert checkpoints.save(1, after=None).is_failure
    assert checkpoints.recover().is_failure


@pytest.mark.parametrize(
    ("name", "kept", "message"), [("../x", 3, "name"), ("", 3, "name"), ("x", 1, "generations_kept")]
)
def test_bad_arguments_are_refused(tmp_path: Path, name: str, kept: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Checkpoints(tmp_path, name=name, generations_kept=kept)


def save_in_turn(checkpoints: Checkpoints, *progress: int) -> None:
    last = None
    for step in progress:
        last = checkpoints.save(step, after=last).unwrap()


def newest(checkpoints: Checkpoints) -> Checkpoint:
    checkpoint = checkpoints.load().unwrap()
    assert checkpoint is not None
    return checkpoint


def files(directory: Path) -> list[Path]:
    return sorted(directory.rglob("*.json"))
