"""What a `CREATE TABLE` of `infra/sql` declares, and what there is, in the same words."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import sqlglot
from sqlglot import exp

from common.warehouse.schema_fields import type_of

from .statements import Statement

if TYPE_CHECKING:
    from google.cloud.bigquery import Table as BigQueryTable

MS_PER_DAY: Final = 86_400_000


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column of a table."""

    type: str
    """As GoogleSQL spells it, without digits: STRING, INT64, NUMERIC, ARRAY<STRING>."""
    is_required: bool
    definition: str = ""
    """How it is written in the DDL; "" for a column that was found."""


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table as it is declared, or as it is found. None is not told: the emulator keeps some to itself."""

    columns: Mapping[str, Column]
    partitioned_by: str | None
    """The column; "" where it is not partitioned."""
    clustered_by: tuple[str, ...] | None
    options: Mapping[str, object]
    """description, require_partition_filter, partition_expiration_days, as far as they are set."""


def declared(statement: Statement) -> Table:
    """What a statement of kind TABLE declares."""
    # One statement, or a ValueError here: `statements.py` has cut them apart.
    [create] = sqlglot.parse(statement.sql, dialect="bigquery")
    assert isinstance(create, exp.Create)
    return Table(
        columns={column.name: _column(column) for column in create.this.expressions},
        partitioned_by=next((_first_name(each) for each in create.find_all(exp.PartitionedByProperty)), ""),
        clustered_by=tuple(
            column.name for cluster in create.find_all(exp.ClusterProperty) for column in cluster.expressions
        ),
        options={
            each.this.name: each.args["value"].to_py()
            for each in create.args["properties"].expressions
            if type(each) is exp.Property
        },
    )


def _first_name(partition: exp.Expression) -> str:
    """`game_date`, `DATE(started_at)`: the column."""
    return next(each.name for each in partition.find_all(exp.Identifier))


def _column(column: exp.ColumnDef) -> Column:
    """One column of a CREATE TABLE."""
    kinds = {type(constraint.kind) for constraint in column.constraints}
    return Column(
        type=_type(column.args["kind"]),
        is_required=exp.NotNullColumnConstraint in kinds,
        definition=column.sql("bigquery"),
    )


def _type(kind: exp.DataType) -> str:
    """As GoogleSQL spells it, without digits: those of a NUMERIC are not compared."""
    if kind.this is exp.DataType.Type.ARRAY:
        return f"ARRAY<{_type(kind.expressions[0])}>"
    return kind.sql("bigquery").partition("(")[0]


def found(table: "BigQueryTable", *, is_emulated: bool) -> Table:
    """What there is. The emulator tells neither the clustering nor a partitioning by an expression."""
    partitioning = table.time_partitioning
    field = partitioning.field if partitioning else ""
    return Table(
        columns={
            field.name: Column(type=type_of(field), is_required=field.mode == "REQUIRED")
            for field in table.schema
        },
        partitioned_by=field if field or not is_emulated else None,
        clustered_by=None if is_emulated else tuple(table.clustering_fields or ()),
        options=_found_options(table),
    )


def must_be_filtered(table: "BigQueryTable") -> bool:
    """Whether a query must say which partitions it reads; the emulator tells it with the partitioning."""
    partitioning = table.time_partitioning.to_api_repr() if table.time_partitioning else {}
    return bool(table.require_partition_filter or partitioning.get("requirePartitionFilter"))


def _found_options(table: "BigQueryTable") -> dict[str, object]:
    """Options that are set, by the names of the DDL."""
    expires_after = table.time_partitioning.expiration_ms if table.time_partitioning else None
    options = {
        "description": table.description,
        "require_partition_filter": must_be_filtered(table),
        "partition_expiration_days": expires_after and expires_after // MS_PER_DAY,
    }
    return {name: value for name, value in options.items() if value}
