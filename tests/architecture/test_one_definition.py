"""Each thing is defined once: topics, collections, columns, pins, versions."""

import json
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from common.predictions.table import COLUMNS
from common.topics import REGISTRY
from infra.manifest import load
from tests.support.source_tree import ROOT, SOURCES, modules

BASE_NAMES = {entry.base_name for entry in REGISTRY.values()}
NO_TEXT = {".pyc", ".png"}
OWNERS = {
    "prediction_batches": "common.batches.records",
    "dead_letters": "common.entrypoint.dead_letters",
    "_locks": "common.lock.rules",
    "player_prop_predictions": "common.predictions.table",
    "consolidation_fences": "common.consolidation.merge_sql",
    "processor_execution_log": "common.execution_log",
    "sweeps": "common.maintenance.sweep_ticks",
}
REQUIREMENTS = (
    "requirements.txt",
    "ops/requirements.txt",
    "local/requirements.txt",
    "tests/requirements.txt",
)
"""Installed together."""
APART = tuple(f"infra/offline/{name}requirements.txt" for name in ("", "bundled-", "provider-"))
"""In an environment of their own, which needs another protobuf."""
CHECKOV = ("infra/offline/checkov-requirements.txt",)
"""In one more, made only when it is asked for."""


def places_of(text: str) -> list[str]:
    """Where the source says it; what a package names are its modules."""
    return [
        module.at(line)
        for module in modules().values()
        if module.path.name != "__init__.py"
        for found, line in module.texts
        if text == found
    ]


def source_files(*suffixes: str) -> Iterator[Path]:
    for folder in SOURCES:
        for path in (ROOT / folder).rglob("*"):
            if path.is_file() and path.suffix not in NO_TEXT and (not suffixes or path.suffix in suffixes):
                yield path


def test_topic_names_stand_in_the_registry_only() -> None:
    pattern = re.compile("|".join(rf"(?<![\w-]){re.escape(name)}(-dlq)?(?![\w-])" for name in BASE_NAMES))
    found = [
        f"{module.at(line)}: {text!r}"
        for module in modules().values()
        for text, line in module.texts
        if pattern.fullmatch(text.removeprefix("nba-").removeprefix("mlb-"))
    ]

    assert not found


def test_topic_that_is_gone_is_named_nowhere() -> None:
    gone = re.compile(r"legacy_scraper_complete|(?<![\w-])(nba-)?scraper-complete")

    assert not [path for path in source_files() if gone.search(path.read_text(encoding="utf-8").lower())]


@pytest.mark.parametrize(("name", "owner"), OWNERS.items(), ids=OWNERS.keys())
def test_collection_or_table_is_named_by_its_owner_only(name: str, owner: str) -> None:
    named_in = {place.partition(":")[0] for place in places_of(name)}

    assert named_in == {str(modules()[owner].path.relative_to(ROOT))}


def test_number_meets_its_noun_in_one_function() -> None:
    # A number of a constant is never one; a part of a whole ("2 of 3 messages") is a ratio.
    nouns = "players|findings|completions|predictions|batches|requests|checks|dead letters|staging tables"
    glued = re.compile(rf"(?<!of )\{{(?!_?[A-Z]{{2}})[^{{}}]+\}} (?:other )?(?:{nouns})\b(?![,/])")

    found = [
        f"{path.relative_to(ROOT)}: {told.group()}"
        for path in source_files(".py")
        for told in glued.finditer(path.read_text(encoding="utf-8"))
        if path.is_relative_to(ROOT / "common") or path.is_relative_to(ROOT / "ops")
    ]

    assert not found


def test_what_an_unreadable_document_raises_is_listed_once() -> None:
    listed = re.compile(r"\((?=[^)]*\bKeyError\b)(?=[^)]*\bAttributeError\b)[^)]*\)")

    found = [
        module.name
        for module in modules().values()
        if module.name.startswith("common.") and listed.search(module.path.read_text(encoding="utf-8"))
    ]

    assert found == ["common.documents.port"]


def test_columns_of_the_predictions_table_are_listed_once() -> None:
    names = {column.name for column in COLUMNS}
    listing = [
        module.name
        for module in modules().values()
        if module.name.startswith(("common.", "functions."))
        and len(names & {text for text, _ in module.texts}) > len(names) / 2
    ]

    assert listing == ["common.predictions.table"]


def test_search_path_is_left_alone() -> None:
    assert not [
        path.relative_to(ROOT)
        for path in source_files(".py")
        if re.search(r"sys\.path|site\.addsitedir", path.read_text(encoding="utf-8"))
    ]


@pytest.mark.parametrize(
    "files", [REQUIREMENTS, APART, CHECKOV], ids=["of the project", "of Terraform offline", "of checkov"]
)
def test_every_requirement_is_pinned_exactly_and_in_one_place(files: tuple[str, ...]) -> None:
    pinned: dict[str, str] = {}
    for file in files:
        for line in (ROOT / file).read_text(encoding="utf-8").splitlines():
            requirement = line.split("#")[0].strip()
            if not requirement or requirement.startswith("-r "):
                continue
            name, separator, version = requirement.partition("==")
            key = re.sub(r"[-_.]+", "-", name).lower()
            assert separator and version, f"{file}: {requirement} is not exact"
            assert key not in pinned, f"{name}: in {pinned[key]} and in {file}"
            pinned[key] = file
    assert pinned


def test_there_is_no_other_list_of_requirements() -> None:
    ours = [path for path in ROOT.iterdir() if path.name not in (".venv", ".run", ".git")]
    found = {
        str(path.relative_to(ROOT))
        for pattern in ("*requirements*.txt", "setup.py", "setup.cfg", "Pipfile", "poetry.lock")
        for start in ours
        for path in (start.rglob(pattern) if start.is_dir() else [start])
        if path.match(pattern)
    }

    assert found == {*REQUIREMENTS, *APART, *CHECKOV}
    assert "project" not in tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def test_tools_check_for_the_python_that_is_deployed_and_tests_run_on_it() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    version = load(ROOT).runtime.removeprefix("python")

    assert settings["ruff"]["target-version"] == f"py{version}"
    assert settings["mypy"]["python_version"].replace(".", "") == version
    assert f"{sys.version_info.major}{sys.version_info.minor}" == version


def test_registry_is_read_by_every_tool_as_plain_json() -> None:
    entries = json.loads((ROOT / "common" / "topics.json").read_text(encoding="utf-8"))

    assert entries.keys() == REGISTRY.keys()
    assert len({tuple(entry) for entry in entries.values()}) == 1, "all entries have the same fields"
