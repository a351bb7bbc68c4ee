"""What has to be done to a table that is there already: `CREATE TABLE IF NOT EXISTS` changes none."""

from collections.abc import Iterator
from dataclasses import dataclass

from .declared import Column, Table


@dataclass(frozen=True, kw_only=True)
class Change:
    """One difference, and the statement that mends it."""

    what: str
    """For a person: `nba_predictions.x: column y is missing`."""
    sql: str | None = None
    """None where it cannot be mended in place: a person has to decide."""


def changes(name: str, wanted: Table, found: Table) -> list[Change]:
    """In the order in which they are to be made. Columns that only the table has are left alone: somebody
    added them first."""
    return [
        # Columns first: clustering may name a new one.
        *_columns(name, wanted, found),
        *_layout(name, wanted, found),
        *_options(name, wanted, found),
    ]


def _columns(name: str, wanted: Table, found: Table) -> Iterator[Change]:
    """Columns that are missing, or are not as declared."""
    for column, each in wanted.columns.items():
        if column not in found.columns:
            yield _missing(name, column, each)
        else:
            yield from _other(name, column, each, found.columns[column])


def _missing(name: str, column: str, wanted: Column) -> Change:
    """A column to add. BigQuery adds nullable columns alone: rows that are there have no value for it."""
    what = f"{name}: column {column} is missing"
    if wanted.is_required:
        return Change(what=f"{what}; one that is required cannot be added to a table that has rows")
    return Change(what=what, sql=f"ALTER TABLE `{name}` ADD COLUMN IF NOT EXISTS {wanted.definition}")


def _other(name: str, column: str, wanted: Column, found: Column) -> Iterator[Change]:
    """A column that is there and differs: a type cannot be changed in place, REQUIRED only be dropped."""
    # The emulator tells a JSON column as STRING where DDL made it.
    if found.type != wanted.type and (wanted.type, found.type) != ("JSON", "STRING"):
        yield Change(what=f"{name}: column {column} is {found.type}, not {wanted.type}")
    if found.is_required and not wanted.is_required:
        yield Change(
            what=f"{name}: column {column} must not be required",
            sql=f"ALTER TABLE `{name}` ALTER COLUMN {column} DROP NOT NULL",
        )
    if wanted.is_required and not found.is_required:
        yield Change(what=f"{name}: column {column} is not required, and cannot be made so")


def _layout(name: str, wanted: Table, found: Table) -> Iterator[Change]:
    """Partitioning and clustering; None is what the emulator does not tell, and is not compared."""
    if found.partitioned_by is not None and found.partitioned_by != wanted.partitioned_by:
        is_, should_be = found.partitioned_by or "nothing", wanted.partitioned_by or "nothing"
        yield Change(what=f"{name}: is partitioned by {is_}, not {should_be}: make it anew and copy")
    clustered_by = found.clustered_by
    if clustered_by is not None and clustered_by != wanted.clustered_by:
        mend = f"bq update --clustering_fields={','.join(wanted.clustered_by or ())} {name}"
        yield Change(what=f"{name}: is clustered by {', '.join(clustered_by) or 'nothing'}: {mend}")


def _options(name: str, wanted: Table, found: Table) -> Iterator[Change]:
    """Options that are declared and set to something else. What only the table has is left alone."""
    for option, value in wanted.options.items():
        if found.options.get(option) != value:
            yield Change(
                what=f"{name}: {option} is {found.options.get(option, 'not set')}, not {value}",
                sql=f"ALTER TABLE `{name}` SET OPTIONS ({option} = {_literal(value)})",
            )


def _literal(value: object) -> str:
    """A value as GoogleSQL writes it."""
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return str(value).upper() if isinstance(value, bool) else str(value)
