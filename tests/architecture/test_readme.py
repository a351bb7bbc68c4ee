"""The README is true: its table of functions, its commands, its links."""

import os
import re

import pytest
import typer.main

from common.topics import REGISTRY
from infra.deployment.cli import parser
from infra.manifest import load
from local.cli import app
from ops import handling, reading, reports, writing  # noqa: F401  registers the commands
from ops.options import app as ops_app
from tests.support.source_tree import FUNCTIONS, ROOT, modules

README = (ROOT / "README.md").read_text(encoding="utf-8")
BASE_NAMES = {constant: entry.base_name for constant, entry in REGISTRY.items()}
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]+")
APPLY_OPTIONS = set(OPTION.findall((ROOT / "infra" / "tables" / "cli.py").read_text(encoding="utf-8")))
HYPHENATED = re.compile(r"(?<![\w/.-])[a-z]+[a-z0-9]*(?:-[a-z0-9]+)+(?![\w/.-])")


def function_table() -> dict[str, dict[str, str]]:
    """Function → its row, by the names of the columns."""
    lines = iter(README.splitlines())
    header = next(line for line in lines if line.startswith("| function |"))
    columns = _cells(header)
    next(lines)
    rows = {}
    for line in lines:
        if not line.startswith("|"):
            break
        row = dict(zip(columns, _cells(line), strict=True))
        name = re.sub(r"\[(\w+)\]\(.*\)", r"\1", row["function"])
        rows[name] = row
    return rows


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


def topics_in(text: str) -> set[str]:
    return set(re.findall(r"`([^`]+)`", text))


def test_table_holds_every_function_and_no_other() -> None:
    assert set(function_table()) == set(FUNCTIONS)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_function_is_woken_by_what_the_table_says(name: str) -> None:
    triggers = {BASE_NAMES[constant] for constant in load(ROOT).functions[name].trigger_topics}

    assert topics_in(function_table()[name]["woken by"]) == triggers


@pytest.mark.parametrize("name", FUNCTIONS)
def test_function_publishes_what_the_table_says(name: str) -> None:
    published = {entry.base_name for entry in REGISTRY.values() if entry.publisher == name}

    assert topics_in(function_table()[name]["publishes"]) == published


@pytest.mark.parametrize("name", FUNCTIONS)
def test_no_cell_of_the_table_is_empty(name: str) -> None:
    assert all(function_table()[name].values())


def test_diagram_names_topics_of_the_registry_and_every_function() -> None:
    diagram = README.split("```")[1]

    named = set(HYPHENATED.findall(diagram))
    assert named and named <= set(BASE_NAMES.values())
    assert all(name in diagram for name in FUNCTIONS)


def test_every_command_exists() -> None:
    commands = set(re.findall(r"\./[\w./-]+", README))

    assert {"./local/run", "./tests/run", "./ops/run", "./deploy.sh"} <= commands
    assert all(os.access(ROOT / command, os.X_OK) for command in commands)


def test_every_option_exists() -> None:
    known = {option for parameter in typer.main.get_command(app).params for option in parameter.opts}

    named = set(OPTION.findall(README))
    assert "--players" in named
    deploying = {option for action in parser()._actions for option in action.option_strings}
    operating = {
        option
        for command in typer.main.get_command(ops_app).commands.values()  # type: ignore[attr-defined]
        for parameter in command.params
        for option in parameter.opts
    }
    assert named <= known | deploying | operating | APPLY_OPTIONS | {"--help"}


def test_every_link_leads_somewhere() -> None:
    links = re.findall(r"\]\((?!https?:)([^)]+)\)", README)

    assert links
    assert not [link for link in links if not (ROOT / link).exists()]


def test_text_of_a_link_is_the_name_of_what_it_leads_to() -> None:
    links = re.findall(r"\[([\w./]+)\]\((?!https?:)([^)]+)\)", README)

    assert links
    for text, link in links:
        assert text in link, f"[{text}]({link})"


def test_map_of_common_names_every_folder_and_module() -> None:
    text = (ROOT / "common" / "README.md").read_text(encoding="utf-8")
    section = text.partition("## Where to change what\n")[2].partition("\n## ")[0]
    rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("| [")]
    there = {
        path.name
        for path in (ROOT / "common").iterdir()
        if (path.is_dir() and path.name != "__pycache__") or path.suffix == ".py"
    }

    assert sorted(re.findall(r"\]\(([^)]+)\)", "".join(rows))) == sorted(there - {"__init__.py"})


def test_map_of_common_goes_from_the_use_cases_down() -> None:
    """Each row imports from those below it only."""
    text = (ROOT / "common" / "README.md").read_text(encoding="utf-8")
    rows = [re.findall(r"\]\((\w+)(?:\.py)?\)", line) for line in text.splitlines() if line.startswith("| [")]
    place = {name: number for number, names in enumerate(rows) for name in names}

    assert place
    assert not [
        f"{module.at(each.line)} imports {each.module}"
        for module in modules().values()
        if module.name.startswith("common.")
        for each in module.imports
        if each.module.startswith("common.")
        if place[module.name.split(".")[1]] > place[each.module.split(".")[1]]
    ]
