"""Another pipeline needs other definitions, and no other code."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.source_tree import DEFINITIONS, ROOT

SECOND = ROOT / "tests/second_pipeline"
LEFT_OUT = shutil.ignore_patterns("__pycache__")
REPLACED = (
    "infra/sql/player_prop_predictions.sql",
    "infra/sql/prediction_validation_views.sql",
    "common/phases/mlb.py",
    "common/phases/nba.py",
)
"""Definitions that have no counterpart of the same name."""


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the source that has the definitions of the second pipeline."""
    tree = tmp_path_factory.mktemp("second") / "tree"
    for folder in ("common", "functions", "infra/tables", "infra/sql"):
        shutil.copytree(ROOT / folder, tree / folder, ignore=LEFT_OUT)
    for file in ("infra/__init__.py", "pyproject.toml"):
        shutil.copyfile(ROOT / file, tree / file)
    for old in REPLACED:
        (tree / old).unlink()
    shutil.copytree(SECOND / "definitions", tree, ignore=LEFT_OUT, dirs_exist_ok=True)
    _rename_topics(tree / "common/topics.json")
    (tree / "checks").mkdir()
    shutil.copyfile(SECOND / "checks.py", tree / "checks/test_second_pipeline.py")
    return tree


def _rename_topics(registry: Path) -> None:
    topics = json.loads(registry.read_text(encoding="utf-8"))
    for entry in topics.values():
        entry["base_name"] = entry["base_name"].replace("prediction", "forecast")
    registry.write_text(json.dumps(topics), encoding="utf-8")


def test_other_definitions_make_another_pipeline(tree: Path) -> None:
    command = [sys.executable, "-B", "-m", "pytest", "-q", "-p", "no:cacheprovider", "checks"]

    checked = subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False)

    assert checked.returncode == 0, checked.stdout[-8000:] + checked.stderr[-2000:]
    assert re.search(r"\b1[0-9] passed", checked.stdout)


def test_the_copy_differs_from_the_source_in_the_definitions_only(tree: Path) -> None:
    changed = {
        str(path.relative_to(ROOT))
        for folder in ("common", "functions")
        for path in _files(ROOT / folder)
        if not _is_same(path, tree / path.relative_to(ROOT))
    }

    assert changed == set(DEFINITIONS)


def _is_same(path: Path, copy: Path) -> bool:
    return copy.exists() and path.read_bytes() == copy.read_bytes()


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file() and path.suffix != ".pyc")
