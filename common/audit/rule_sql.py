"""The row rules of the predictions table as conditions in SQL: the audit asks for the rows that break one."""

from collections.abc import Iterator
from math import isfinite

from ..predictions.columns import Matches, NotEmpty, OneOf, Rule, Within
from ..predictions.table import RULES
from ..warehouse import literals


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
    # SQL has no literal for infinity.
    if isfinite(rule.minimum) and isfinite(rule.maximum):
        low, high = f"{rule.minimum:g}", f"{rule.maximum:g}"
        return f"{column} BETWEEN {low} AND {high}", f"within {low} and {high}"
    if isfinite(rule.minimum):
        return f"{column} >= {rule.minimum:g}", f"{rule.minimum:g} or more"
    return f"{column} <= {rule.maximum:g}", f"{rule.maximum:g} or less"
