"""The temporary folder of a run: gone in the end, kept where its logs may explain, and swept after a kill."""

import fcntl
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.problem import Problem
from local.run_folder import OWNER, remove_orphans, run_folder


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    yield tmp_path


def left_by_a_killed_run(temporary: Path) -> Path:
    folder = temporary / "local-run-killed"
    (folder / "firestore").mkdir(parents=True)
    (folder / "firestore" / "data").write_text("x")
    (folder / "firestore.log").write_text("x")
    (folder / OWNER).touch()
    return folder


def test_folder_is_gone_when_the_run_has_ended_well_or_by_ctrl_c(temporary: Path) -> None:
    with run_folder() as folder:
        (folder / "a.log").touch()
    with pytest.raises(KeyboardInterrupt), run_folder() as folder:
        (folder / "a.log").touch()
        raise KeyboardInterrupt

    assert list(temporary.iterdir()) == []


def test_logs_of_what_went_wrong_are_kept_and_named_also_at_later_starts(temporary: Path) -> None:
    with pytest.raises(Problem, match=r"it broke \(logs: .*local-run-"), run_folder() as folder:
        (folder / "a.log").touch()
        raise Problem("it broke")

    with run_folder():
        pass

    assert [path.name for path in folder.iterdir()] == ["a.log"]


def test_problem_before_anything_was_written_leaves_no_folder(temporary: Path) -> None:
    with pytest.raises(Problem, match=r"^too early$"), run_folder():
        raise Problem("too early")

    assert list(temporary.iterdir()) == []


def test_folder_of_a_killed_run_is_removed_by_the_next_and_a_living_one_is_not(temporary: Path) -> None:
    orphan = left_by_a_killed_run(temporary)

    with run_folder() as living:
        assert not orphan.exists()
        remove_orphans(temporary)
        assert living.exists()


def test_folder_whose_owner_lives_in_another_process_is_left_alone(temporary: Path) -> None:
    owned = left_by_a_killed_run(temporary)

    with (owned / OWNER).open() as owner:
        fcntl.flock(owner, fcntl.LOCK_EX)
        remove_orphans(temporary)

    assert (owned / "firestore" / "data").exists()
