import os
from importlib.util import cache_from_source, source_hash
from pathlib import Path

import pytest

from infra.deployment.stage import StageError, stage

CHECKED_BY_HASH = (0b11).to_bytes(4, "little")
"""The flags of such bytecode, by PEP 552."""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A small project with everything that must not be uploaded lying about."""
    root = tmp_path / "project"
    for file in (
        "functions/x/main.py",
        "functions/x/rules.py",
        "functions/x/__pycache__/main.cpython-311.pyc",
        "functions/x/.env",
        "functions/y/main.py",
        "common/README.md",
        "common/result.py",
        "common/topics.json",
        "common/sub/deep.sql",
        "common/__pycache__/result.cpython-311.pyc",
        "requirements.txt",
    ):
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).write_text(file)
    return root


def files(folder: Path) -> set[str]:
    """All of them, without bytecode."""
    found = {path for path in folder.rglob("*") if not path.is_dir()}
    return {str(path.relative_to(folder)) for path in found if path.suffix != ".pyc"}


def test_stage_holds_the_function_common_and_requirements_and_nothing_else(
    source: Path, tmp_path: Path
) -> None:
    staged = stage(source, "x", tmp_path / "out")

    assert staged == tmp_path / "out" / "x"
    assert files(staged) == {
        "main.py",
        "rules.py",
        "requirements.txt",
        "common/result.py",
        "common/topics.json",
        "common/sub/deep.sql",
    }
    assert (staged / "main.py").read_text() == "functions/x/main.py"


def test_staging_again_removes_what_is_no_longer_in_the_source(source: Path, tmp_path: Path) -> None:
    stage(source, "x", tmp_path / "out")
    (source / "functions" / "x" / "rules.py").unlink()
    (source / "common" / "result.py").write_text("changed")

    staged = stage(source, "x", tmp_path / "out")

    assert "rules.py" not in files(staged)
    assert (staged / "common" / "result.py").read_text() == "changed"


def test_every_module_is_compiled_and_its_bytecode_counts_while_the_source_is_the_same(
    source: Path, tmp_path: Path
) -> None:
    staged = stage(source, "x", tmp_path / "out")

    for module in ("main.py", "rules.py", "common/result.py"):
        bytecode = Path(cache_from_source(str(staged / module))).read_bytes()
        assert bytecode[4:8] == CHECKED_BY_HASH
        assert bytecode[8:16] == source_hash((staged / module).read_bytes())
        assert str(tmp_path).encode() not in bytecode, "a path of this machine"


def test_source_that_is_no_python_is_refused(source: Path, tmp_path: Path) -> None:
    (source / "common" / "result.py").write_text("def")

    with pytest.raises(StageError, match=r"common/result\.py: cannot be compiled"):
        stage(source, "x", tmp_path / "out")


def test_function_that_does_not_exist_is_named(source: Path, tmp_path: Path) -> None:
    with pytest.raises(StageError, match=r"functions/z/main\.py: does not exist"):
        stage(source, "z", tmp_path / "out")


@pytest.mark.parametrize(
    ("link", "target"),
    [
        pytest.param("common/linked.py", "result.py", id="a file"),
        pytest.param("functions/x/linked", "../../common", id="a folder"),
        pytest.param("functions/x/dangling.py", "nowhere.py", id="one that leads nowhere"),
    ],
)
def test_link_is_refused_because_deployment_does_not_follow_it(
    source: Path, tmp_path: Path, link: str, target: str
) -> None:
    os.symlink(target, source / link)

    with pytest.raises(StageError, match=Path(link).name):
        stage(source, "x", tmp_path / "out")


def test_common_that_is_a_link_as_a_whole_is_refused(source: Path, tmp_path: Path) -> None:
    (source / "common").rename(source / "elsewhere")
    os.symlink("elsewhere", source / "common")

    with pytest.raises(StageError, match="common"):
        stage(source, "x", tmp_path / "out")


def test_copy_that_differs_is_refused(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def copy_badly(origin: Path, target: Path) -> None:
        target.write_text(origin.read_text() + "!")

    monkeypatch.setattr("infra.deployment.stage.shutil.copyfile", copy_badly)

    with pytest.raises(StageError, match="its copy differs"):
        stage(source, "x", tmp_path / "out")


def test_file_of_a_function_that_would_cover_one_of_ours_is_refused(source: Path, tmp_path: Path) -> None:
    (source / "functions" / "x" / "common").mkdir()
    (source / "functions" / "x" / "common" / "result.py").write_text("another")

    with pytest.raises(StageError, match="functions/x/common: would hide"):
        stage(source, "x", tmp_path / "out")


@pytest.mark.parametrize(
    "place",
    [
        pytest.param("functions", id="the sources of the functions"),
        pytest.param(".", id="the whole tree"),
        pytest.param("common/new", id="a new folder among the sources"),
        pytest.param("out", id="a new folder beside them"),
        pytest.param("functions/../common", id="by a detour"),
    ],
)
def test_target_in_the_tree_that_is_staged_is_refused_and_nothing_is_deleted(
    source: Path, place: str
) -> None:
    before = sorted(source.rglob("*"))

    with pytest.raises(StageError, match="lies in the tree that is staged"):
        stage(source, "x", source / place)

    assert sorted(source.rglob("*")) == before


def test_target_that_links_into_the_tree_is_refused(source: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(source / "functions")

    with pytest.raises(StageError, match="lies in the tree that is staged"):
        stage(source, "x", tmp_path / "link")


def test_target_with_other_things_in_it_is_refused_and_they_stay(source: Path, tmp_path: Path) -> None:
    (tmp_path / "mine" / "x").mkdir(parents=True)
    (tmp_path / "mine" / "x" / "thesis.txt").touch()

    with pytest.raises(StageError, match="is not empty, and no stage"):
        stage(source, "x", tmp_path / "mine")

    assert (tmp_path / "mine" / "x" / "thesis.txt").exists()


def test_target_that_is_a_file_is_refused_in_one_line(source: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(StageError, match="is not a folder"):
        stage(source, "x", tmp_path / "file")


def test_target_below_a_file_is_refused_in_one_line(source: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(StageError, match="cannot be written to"):
        stage(source, "x", tmp_path / "file" / "out")


def test_scratch_folder_of_the_tree_may_hold_stages_several_of_them(source: Path) -> None:
    stage(source, "x", source / ".run" / "deploy")
    stage(source, "y", source / ".run" / "deploy")

    assert (source / ".run" / "deploy" / "x" / "main.py").is_file()
