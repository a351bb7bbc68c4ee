"""The files of `infra/sql` as single statements, in the order in which they can run.

A file names datasets by placeholders, `{predictions}`; comments stand before what they are about.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from types import MappingProxyType
from typing import Final

from common.sport import DatasetRole, SportNames

FOLDER: Final = Path(__file__).resolve().parents[1] / "sql"


class Kind(IntEnum):
    """What a statement makes; a lower one is needed by a higher."""

    TABLE = 1
    VIEW = 2
    SEARCH_INDEX = 3
    OPTIONS = 4


_OPENINGS: Final[Mapping[Kind, str]] = MappingProxyType(
    {
        Kind.TABLE: r"CREATE TABLE IF NOT EXISTS `([^`]+)`",
        Kind.VIEW: r"CREATE OR REPLACE VIEW `([^`]+)`",
        Kind.SEARCH_INDEX: r"CREATE SEARCH INDEX IF NOT EXISTS \w+\s+ON `([^`]+)`",
        Kind.OPTIONS: r"ALTER TABLE IF EXISTS `([^`]+)` SET OPTIONS",
    }
)
"""How a statement must begin. Each of these may run twice."""

_END: Final = re.compile(r";[ \t]*(?:\n|\Z)")
_COMMENT: Final = re.compile(r"^\s*--.*$", re.M)


class BadStatement(Exception):
    """A file of `infra/sql` that cannot be applied again and again; the message names it."""


@dataclass(frozen=True, kw_only=True)
class Statement:
    """One statement, its placeholders filled."""

    kind: Kind
    table: str
    """What it makes or changes, or stands on: `nba_predictions.player_prop_predictions`."""
    sql: str
    file: str


def fill(sql: str, names: SportNames) -> str:
    """Replace the placeholders by a sport's own datasets; other braces stay as they are."""
    for role in DatasetRole:
        # Not `format`: JSON paths and struct literals have braces of their own.
        sql = sql.replace("{" + role.value + "}", names.dataset(role))
    return sql


def read(folder: Path, names: SportNames) -> list[Statement]:
    """All statements of all files: tables first, then what rests on them; within a kind in the order of the
    files' names and as they are written. Raises BadStatement."""
    files = sorted(folder.glob("*.sql"))
    found = [
        statement
        for file in files
        for statement in _split(file.name, fill(file.read_text(encoding="utf-8"), names))
    ]
    # Stable: within a kind files and statements keep their order.
    return sorted(found, key=lambda statement: statement.kind)


def _split(file: str, text: str) -> list[Statement]:
    """The statements of one file; comments are for whoever reads it."""
    parts = (_COMMENT.sub("", part).strip() for part in _END.split(text))
    return [_statement(file, part) for part in parts if part]


def _statement(file: str, sql: str) -> Statement:
    """One statement with its kind; raises BadStatement for one that must not run twice."""
    # Only what may run twice: the whole folder is applied at every deployment.
    for kind, opening in _OPENINGS.items():
        if found := re.match(opening, sql):
            return Statement(kind=kind, table=found[1], sql=sql, file=file)
    raise BadStatement(f"{file}: cannot be run twice: {sql.splitlines()[0]}")
