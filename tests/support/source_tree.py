"""The source as syntax trees: what each module imports and what its text says, without running it."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ("common", "functions", "infra", "local", "ops")
DEFINITIONS = (
    "common/sport.py",
    "common/topics.json",
    "common/player_names.py",
    "common/predictions/table.py",
    "common/phases/graph.py",
    "common/phases/mlb.py",
    "common/phases/nba.py",
)
"""What another pipeline changes, beside the DDL of its table; nothing else is of basketball."""
FUNCTIONS = tuple(sorted(path.parent.name for path in (ROOT / "functions").glob("*/main.py")))

_BLOCKS = ("body", "orelse", "handlers", "finalbody", "cases")
"""Where a statement holds others: what it holds elsewhere are expressions, which import nothing."""


@dataclass(frozen=True, kw_only=True)
class Import:
    """One import statement; `module` is absolute."""

    module: str
    line: int
    runs_at_import: bool
    """False inside of functions and under TYPE_CHECKING."""


@dataclass(frozen=True)
class Module:
    """One file of the source."""

    path: Path

    @cached_property
    def name(self) -> str:
        """`common.result`, `functions.x.main`; of a package, the package."""
        parts = self.path.relative_to(ROOT).with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    @property
    def package(self) -> str:
        return self.name if self.path.name == "__init__.py" else self.name.rpartition(".")[0]

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.path.read_text(encoding="utf-8"))

    @cached_property
    def nodes(self) -> tuple[ast.AST, ...]:
        """All of the tree, walked through once for all who look for something in it."""
        return tuple(ast.walk(self.tree))

    @cached_property
    def imports(self) -> tuple[Import, ...]:
        return tuple(self._imports(self.tree, runs=True))

    @cached_property
    def texts(self) -> tuple[tuple[str, int], ...]:
        """Text constants with their lines, docstrings left out."""
        documentation = {
            id(node.body[0].value)
            for node in self.nodes
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
            and node.body
            and isinstance(node.body[0], ast.Expr)
        }
        return tuple(
            (node.value, node.lineno)
            for node in self.nodes
            if isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in documentation
        )

    def at(self, line: int) -> str:
        """`common/result.py:12`, which a terminal makes a link of."""
        return f"{self.path.relative_to(ROOT)}:{line}"

    def _imports(self, node: ast.AST, *, runs: bool) -> Iterator[Import]:
        for child in _statements(node):
            if isinstance(child, ast.Import | ast.ImportFrom):
                for name in self._names(child):
                    yield Import(module=name, line=child.lineno, runs_at_import=runs)
            yield from self._imports(child, runs=runs and not _waits(child))

    def _names(self, statement: ast.Import | ast.ImportFrom) -> Iterator[str]:
        if isinstance(statement, ast.Import):
            yield from (alias.name for alias in statement.names)
            return
        base = statement.module or ""
        if statement.level:
            parents = self.package.split(".")[: len(self.package.split(".")) - statement.level + 1]
            base = ".".join([*parents, base]).rstrip(".")
        for alias in statement.names:
            full = f"{base}.{alias.name}"
            yield full if full in modules() or base == "google.cloud" else base


@cache
def modules() -> dict[str, Module]:
    """All modules of the source by name."""
    found = [Module(path) for folder in SOURCES for path in sorted((ROOT / folder).rglob("*.py"))]
    return {module.name: module for module in found}


def loaded_with(name: str) -> frozenset[str]:
    """All modules, ours and others, that importing `name` imports, as far as our own source tells.

    Importing `a.b.c` runs `a` and `a.b` first: a package that imports a client makes all its modules load it.
    """
    found: set[str] = set()
    waiting = [name]
    while waiting:
        current = waiting.pop()
        if current in found:
            continue
        found.add(current)
        if "." in current:
            waiting.append(current.rpartition(".")[0])
        if current in modules():
            waiting += [each.module for each in modules()[current].imports if each.runs_at_import]
    return frozenset(found)


def _statements(node: ast.AST) -> Iterator[ast.AST]:
    """Those right below `node`; of a branch, the branch."""
    for block in _BLOCKS:
        held = getattr(node, block, [])
        if isinstance(held, list):
            yield from held


def _waits(node: ast.AST) -> bool:
    """Its statements do not run when its module is imported."""
    if isinstance(node, ast.If):
        return isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
