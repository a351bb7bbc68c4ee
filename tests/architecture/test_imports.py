"""Who may import whom: main → handler → rules → common, and nothing outwards."""

import ast
import importlib
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from graphlib import CycleError, TopologicalSorter

import pytest

from tests.support.source_tree import FUNCTIONS, Import, Module, loaded_with, modules

GOOGLE_AND_FRAMEWORKS = ("google", "functions_framework", "starlette", "slack_sdk", "requests", "grpc")


def offences(is_concerned: Callable[[Module], bool], is_forbidden: Callable[[Import], bool]) -> list[str]:
    return [
        f"{module.at(each.line)} imports {each.module}"
        for module in modules().values()
        if is_concerned(module)
        for each in module.imports
        if is_forbidden(each)
    ]


def is_in(name: str, *packages: str) -> bool:
    return any(name == package or name.startswith(package + ".") for package in packages)


def is_face(name: str) -> bool:
    return name != "common" and modules()[name].path.name == "__init__.py"


def test_common_imports_nothing_of_ours_but_itself() -> None:
    assert not offences(
        lambda module: is_in(module.name, "common"),
        lambda each: is_in(each.module, "functions", "infra", "local", "tests"),
    )


def test_source_imports_no_test() -> None:
    assert not offences(lambda _: True, lambda each: is_in(each.module, "tests", "pytest", "hypothesis"))


@pytest.mark.parametrize("function", FUNCTIONS)
def test_function_imports_its_siblings_relatively_and_no_other_function(function: str) -> None:
    siblings = {f"functions.{function}.{name}" for name in ("handler", "rules")}

    assert not offences(
        lambda module: is_in(module.name, f"functions.{function}"),
        lambda each: (
            is_in(each.module, "functions", "infra", "local", "handler", "rules", "main")
            and each.module not in siblings
        ),
    )


@pytest.mark.parametrize("function", FUNCTIONS)
def test_handler_and_rules_do_not_import_outwards(function: str) -> None:
    inwards = {
        f"functions.{function}.rules": ("handler", "main"),
        f"functions.{function}.handler": ("main",),
    }

    for name, outer in inwards.items():
        forbidden = {f"functions.{function}.{each}" for each in outer}
        assert not offences(
            lambda module, name=name: module.name == name,  # type: ignore[misc]
            lambda each, forbidden=forbidden: each.module in forbidden,  # type: ignore[misc]
        )


@pytest.mark.parametrize(
    "name",
    [name for name in modules() if name.startswith("functions.") and name.endswith((".handler", ".rules"))],
)
def test_handler_and_rules_load_no_client_and_no_framework(name: str) -> None:
    """Not even through the modules that they import."""
    assert not [each for each in loaded_with(name) if is_in(each, *GOOGLE_AND_FRAMEWORKS)]


@pytest.mark.parametrize("name", [name for name in modules() if name.endswith(("_rules", ".rules"))])
def test_rules_know_no_clock_no_network_and_no_environment(name: str) -> None:
    forbidden = ("time", "os", "random", "secrets", "socket", "threading", "asyncio", "structlog")

    assert not [each for each in loaded_with(name) if is_in(each, *forbidden)]


def test_only_main_reads_the_environment_of_a_function() -> None:
    assert not [
        module.at(node.lineno)
        for module in modules().values()
        if is_in(module.name, "common", "functions") and not module.name.endswith(".main")
        for node in module.nodes
        if isinstance(node, ast.Attribute | ast.alias) and _name(node) in ("environ", "getenv")
    ]


def test_recorder_loads_no_bigquery() -> None:
    loaded = loaded_with("functions.completion_recorder.main")

    assert "common.recorder.recorder" in loaded
    assert not [each for each in loaded if is_in(each, "google.cloud.bigquery", "pandas", "pyarrow")]


def test_cold_start_of_the_recorder_loads_nothing_that_its_first_event_does_not_need() -> None:
    rare = (
        "entrypoint.cloud_event entrypoint.dead_letters publisher look_alikes findings audit maintenance "
        "batches.differences batches.late_completion documents.memory_store documents.memory_query "
        "batches.opening recorder.array_commit"
    ).split()
    loaded = loaded_with("functions.completion_recorder.main")

    assert "common.recorder.subcollection_commit" in loaded
    assert not [each for each in loaded if is_in(each, *(f"common.{name}" for name in rare))]


def test_findings_alone_speak_to_slack() -> None:
    """What is told passes through their states: once, and with its end."""
    speakers = {
        module.name
        for module in modules().values()
        for each in module.imports
        if is_in(each.module, "slack_sdk", "smtplib")
    }
    posts = [
        module.name
        for module in modules().values()
        if any("hooks.slack.com" in text for text, _ in module.texts)
    ]

    assert speakers == {"common.findings.slack"}
    assert not posts


def test_firestore_is_called_through_the_one_port() -> None:
    """Apart: locks, whose calls may take no longer than the lease; dead letters and canaries, which are told
    when all else fails; and who makes the clients."""
    callers = {
        module.name
        for module in modules().values()
        if is_in(module.name, "common", "functions", "ops") and not is_in(module.name, "common.documents")
        for each in module.imports
        if is_in(each.module, "google.cloud.firestore", "google.cloud.firestore_v1")
    }

    assert callers == {
        "common.entrypoint.canary",
        "common.entrypoint.dead_letters",
        "common.lock.lock",
        "common.lock.store",
        "common.runtime.wiring",
    }


def folder_of(name: str) -> str:
    """`batches` for `common.batches.records`; a module that lies in no folder is a folder of its own."""
    return name.split(".")[1]


@pytest.mark.parametrize("house", ["common", "infra", "local", "ops"])
def test_folders_do_not_depend_on_each_other_in_circles(house: str) -> None:
    edges: dict[tuple[str, str], str] = {}
    for module in modules().values():
        for each in module.imports:
            if is_in(module.name, house) and each.module.startswith(f"{house}.") and "." in module.name:
                ends = folder_of(module.name), folder_of(each.module)
                if ends[0] != ends[1]:
                    edges.setdefault(ends, f"{module.at(each.line)} imports {each.module}")

    assert edges
    assert not [place for (start, end), place in edges.items() if start in reachable(end, edges)]


def test_others_import_the_modules_that_a_folder_names() -> None:
    """Apart from who breaks a system on purpose, and reaches past its rules for that."""
    stray = [
        f"{module.at(each.line)} imports {each.module}"
        for module in modules().values()
        if not is_in(module.name, "local.sabotage")
        for each in module.imports
        if each.module.startswith("common.") and each.module.count(".") == 2
        if not is_in(module.name, each.module.rpartition(".")[0])
        if each.module.rpartition(".")[2] not in named_by(each.module.rpartition(".")[0])
    ]

    assert not stray


@pytest.mark.parametrize("folder", [name for name in modules() if is_in(name, "common") and is_face(name)])
def test_folder_names_what_there_is(folder: str) -> None:
    below = {name.rpartition(".")[2] for name in modules() if name.startswith(f"{folder}.")}
    face = importlib.import_module(folder)

    assert named_by(folder)
    assert not {name for name in named_by(folder) if name not in below and not hasattr(face, name)}


@cache
def named_by(folder: str) -> frozenset[str]:
    """What the `__init__.py` of a folder names: modules, and names of its own."""
    [names] = (
        ast.literal_eval(node.value)
        for node in modules()[folder].nodes
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
    )
    return frozenset(names)


def test_no_modules_know_each_other() -> None:
    """Neither directly nor around a circle, nor under TYPE_CHECKING: each can be read by itself."""
    edges = {
        module.name: {each.module for each in module.imports if each.module in modules()} - {module.name}
        for module in modules().values()
    }

    assert any(edges.values())
    assert not circle_in(edges)


def test_circle_is_found_and_its_modules_named() -> None:
    edges = {"shape": {"soundness", "mode"}, "soundness": {"shape"}, "mode": set[str]()}

    assert set(circle_in(edges)) == {"shape", "soundness"}


def circle_in(edges: Mapping[str, Iterable[str]]) -> list[str]:
    """The modules of one circle, the first again at the end; empty if there is none."""
    try:
        TopologicalSorter(edges).prepare()
    except CycleError as exc:
        return list(exc.args[1])
    return []


def reachable(start: str, edges: Iterable[tuple[str, str]]) -> set[str]:
    found, waiting = set[str](), [start]
    while waiting:
        current = waiting.pop()
        new = {end for begin, end in edges if begin == current} - found
        found |= new
        waiting += new
    return found


@pytest.mark.parametrize("family", ["documents", "batches", "recorder", "maintenance"])
def test_pure_modules_of_a_family_load_no_client(family: str) -> None:
    """Its store alone knows Firestore, and the package itself loads none either."""
    stores = ("store", "async_store", "translation", "wire_commit", "wire_messages", "assembly")
    pure = [
        name
        for name in modules()
        if is_in(name, f"common.{family}") and name.rpartition(".")[2] not in stores
    ]

    assert pure
    assert not [
        f"{name} loads {each}"
        for name in pure
        for each in loaded_with(name)
        if is_in(each, *GOOGLE_AND_FRAMEWORKS)
    ]


def test_a_package_that_imports_a_client_makes_all_its_modules_load_it() -> None:
    assert "common.batches" in loaded_with("common.batches.records")


def test_no_function_needs_pandas() -> None:
    assert not offences(
        lambda module: is_in(module.name, "common", "functions"),
        lambda each: is_in(each.module, "pandas", "pyarrow", "numpy"),
    )


def test_clients_are_made_by_the_wiring_only() -> None:
    """BigQuery's needs the emulator's address spelt out, so the warehouse makes it, when the wiring asks."""
    clients = {"Client", "AsyncClient", "PublisherClient", "SubscriberClient"}
    makers = {
        module.name
        for module in modules().values()
        if is_in(module.name, "common", "functions")
        for node in module.nodes
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute | ast.Name)
        and (node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id) in clients
    }

    assert makers == {"common.runtime.wiring", "common.warehouse.warehouse"}


def _name(node: ast.Attribute | ast.alias) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.name
