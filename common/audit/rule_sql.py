"""The row rules of the predictions table as conditions in SQL: the audit asks for the rows that break one."""

from collections.abc import Iterator, Mapping
from datetime import date
from math import isfinite
from typing import Any, Final

from ..consolidation.merge_sql import Tables
from ..findings import Finding, FindingClass, Repair, Scope, Severity, operator_command
from ..predictions.columns import Matches, NotEmpty, OneOf, Rule, Within
from ..predictions.table import ITEM, PARTITION_COLUMN, RULES
from ..texts import counted
from ..warehouse import literals
from .outcomes import Cost, Outcome, Unknown, outcome_of
from .row_checks import SQL, QueryStore
from .stores import BIGQUERY

CHECK: Final = "row_rules"
"""Name of the check."""


def broken_rules() -> Iterator[str]:
    """`WHEN … THEN 'COLUMN within 0 and 100'`, one for each column with a rule, in their order. A
    NULL breaks none: where a value has to be there is the column's mode."""
    for column, rule in RULES.items():
        kept, told = condition(column, rule)
        yield f"WHEN NOT ({kept}) THEN {literals.text(f'{column} {told}')}"


def condition(column: str, rule: Rule) -> tuple[str, str]:
    """What holds where the rule is kept, as SQL, and the rule in words.

    Pure; values are literals, checked.
    """
    match rule:
        case Within():
            return _within(column, rule)
        case OneOf():
            return f"{column} IN ({', '.join(map(literals.text, sorted(rule.values)))})", "one of the known"
        case Matches():
            return f"REGEXP_CONTAINS({column}, {literals.text(rule.pattern)})", "normalised"
        case NotEmpty():
            return f"{column} != ''", "not empty"


def _within(column: str, rule: Within) -> tuple[str, str]:
    """Of a range that is open at one end, the other; both ends belong to it."""
    # SQL has no literal for infinity.
    if isfinite(rule.minimum) and isfinite(rule.maximum):
        low, high = f"{rule.minimum:g}", f"{rule.maximum:g}"
        return f"{column} BETWEEN {low} AND {high}", f"within {low} and {high}"
    if isfinite(rule.minimum):
        return f"{column} >= {rule.minimum:g}", f"{rule.minimum:g} or more"
    return f"{column} <= {rule.maximum:g}", f"{rule.maximum:g} or less"


def check_row_rules(warehouse: QueryStore, tables: Tables, first_day: date, last_day: date) -> Outcome:
    """The rules that BigQuery cannot enforce, over the rows of these days, both included: a finding per day
    and rule.
    """
    asked = warehouse.query(
        rules_statement(tables),
        {"first_day": first_day, "last_day": last_day},
    )
    if asked.error is not None:
        return Unknown(store=BIGQUERY, error=asked.error)
    looked_at = {
        date.fromordinal(each).isoformat() for each in range(first_day.toordinal(), last_day.toordinal() + 1)
    }
    cost = Cost(bytes_processed=asked.unwrap().bytes_processed)
    return outcome_of(map(_broken, asked.unwrap().rows), looked_at=looked_at, cost=cost)


def rules_statement(tables: Tables) -> str:
    """Parameters: first_day, last_day. Columns: game_date, rule, row_count, players."""
    return SQL.fill(
        "row_rules",
        main=tables.rows,
        partition=PARTITION_COLUMN,
        item=ITEM,
        broken_rules="\n      ".join(broken_rules()),
    )


def _broken(row: Mapping[str, Any]) -> Finding:
    """The finding of one row of the statement; it names as many players as the statement keeps."""
    return Finding(
        finding_class=FindingClass.BROKEN_ROW_RULE,
        severity=Severity.CRITICAL,
        check=CHECK,
        scope=Scope.of_date(row["game_date"]),
        subject=row["rule"],
        summary=f"{counted(row['row_count'], 'row', 'break')} the rule: {row['rule']}",
        ids=tuple(sorted(row["players"])),
        repair=Repair.REPLACE_ROWS,
        look=operator_command("verify", row["game_date"].isoformat()),
        depends_on=frozenset({BIGQUERY}),
    )
