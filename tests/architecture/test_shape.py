"""The shape that the code keeps: small modules and functions, nothing swallowed, tests beside sources."""

import ast
import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.source_tree import FUNCTIONS, ROOT, Module, modules

MODULE_LINES = 350
FUNCTION_LINES = 50
MAIN_LINES = 75
BY_POSITION = 4
COMMANDS = ("command", "callback", "writes", "_shared")

Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions_of(module: Module) -> Iterator[Function]:
    yield from (node for node in module.nodes if isinstance(node, Function))


def is_command(function: Function) -> bool:
    """Its parameters are the options of a command line, which nobody calls by position."""
    told = [function.name, *(ast.unparse(each).partition("(")[0] for each in function.decorator_list)]
    return any(each.rpartition(".")[2] in COMMANDS for each in told)


def code_lines(function: Function) -> int:
    """Without the docstring."""
    first = function.body[0]
    is_documented = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    documentation = (first.end_lineno or 0) - first.lineno + 1 if is_documented else 0
    return (function.end_lineno or 0) - function.lineno + 1 - documentation


def test_no_module_is_long() -> None:
    lengths = {
        module.at(1): len(module.path.read_text(encoding="utf-8").splitlines())
        for module in modules().values()
    }

    assert not {place: length for place, length in lengths.items() if length > MODULE_LINES}


def test_no_function_is_long() -> None:
    lengths = {
        module.at(function.lineno): code_lines(function)
        for module in modules().values()
        for function in functions_of(module)
    }

    assert not {place: length for place, length in lengths.items() if length > FUNCTION_LINES}


def test_whoever_takes_more_than_four_values_takes_the_rest_by_name() -> None:
    """`f(batch, before, after, 3, None)` tells a reader nothing; a command's parameters are its options."""
    assert not [
        f"{module.at(function.lineno)} {function.name}"
        for module in modules().values()
        for function in functions_of(module)
        if not is_command(function)
        and len([each for each in function.args.args if each.arg not in ("self", "cls")]) > BY_POSITION
    ]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_function_folder_holds_the_same_files_as_the_others(function: str) -> None:
    files = {path.name for path in (ROOT / "functions" / function).iterdir() if path.name != "__pycache__"}

    assert (
        {"__init__.py", "main.py", "handler.py"}
        <= files
        <= {"__init__.py", "main.py", "handler.py", "rules.py"}
    )
    assert len((ROOT / "functions" / function / "main.py").read_text().splitlines()) <= MAIN_LINES


def handlers_of(module: Module) -> Iterator[ast.ExceptHandler]:
    yield from (node for node in module.nodes if isinstance(node, ast.ExceptHandler))


def catches_everything(handler: ast.ExceptHandler) -> bool:
    return isinstance(handler.type, ast.Name) and handler.type.id in ("Exception", "BaseException")


def test_no_exception_is_swallowed() -> None:
    """No bare `except`, and none that catches everything and does nothing."""
    assert not [
        module.at(handler.lineno)
        for module in modules().values()
        for handler in handlers_of(module)
        if handler.type is None or (catches_everything(handler) and all(map(_does_nothing, handler.body)))
    ]


def test_who_catches_everything_says_why() -> None:
    """`except Exception` stands at a boundary only, and its line tells which."""
    silent = []
    for module in modules().values():
        lines = module.path.read_text(encoding="utf-8").splitlines()
        for handler in handlers_of(module):
            if catches_everything(handler) and "#" not in lines[handler.lineno - 1]:
                silent.append(module.at(handler.lineno))

    assert not silent


def _does_nothing(statement: ast.stmt) -> bool:
    is_ellipsis = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    return isinstance(statement, ast.Pass) or is_ellipsis


def test_every_docstring_has_what_it_is_about() -> None:
    """One that stands behind anything but an assignment has lost its constant, or the constant its text."""
    lost = [
        module.at(text.lineno)
        for module in modules().values()
        for node in module.nodes
        if isinstance(body := getattr(node, "body", None), list)
        for before, text in itertools.pairwise(body)
        if isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant)
        if isinstance(text.value.value, str) and not isinstance(before, ast.Assign | ast.AnnAssign)
    ]

    assert not lost


def unit_tests() -> list[Path]:
    return sorted((ROOT / "tests" / "unit").rglob("test_*.py"))


@pytest.mark.parametrize(
    "test", unit_tests(), ids=lambda path: str(path.relative_to(ROOT / "tests" / "unit"))
)
def test_unit_test_mirrors_a_source_file(test: Path) -> None:
    relative = test.relative_to(ROOT / "tests" / "unit")
    source = relative.with_name(relative.name.removeprefix("test_"))

    assert (ROOT / source).is_file() or (ROOT / "tests" / source).is_file()


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_function_has_unit_tests_of_its_handler_and_rules(function: str) -> None:
    folder = ROOT / "tests" / "unit" / "functions" / function
    needed = {path.name for path in (ROOT / "functions" / function).glob("*.py")} & {"handler.py", "rules.py"}

    assert {f"test_{name}" for name in needed} <= {path.name for path in folder.glob("test_*.py")}


def test_no_test_folder_is_a_package() -> None:
    """An `__init__.py` in tests/unit/common would make `import common` find the tests."""
    assert not list((ROOT / "tests").rglob("__init__.py"))
