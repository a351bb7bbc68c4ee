from common.audit.rule_sql import broken_rules, condition
from common.predictions.columns import Matches, NotEmpty, OneOf, Within
from common.predictions.table import RULES


def test_every_rule_of_the_table_is_looked_for_under_its_column() -> None:
    clauses = list(broken_rules())

    assert [clause.split("THEN '")[1].split()[0] for clause in clauses] == list(RULES)
    assert clauses[0] == (
        "WHEN NOT (confidence_score BETWEEN 0 AND 100) THEN 'confidence_score within 0 and 100'"
    )


def test_each_kind_of_rule_is_a_condition_and_its_words() -> None:
    assert condition("x", Within(minimum=0)) == ("x >= 0", "0 or more")
    assert condition("x", Within(maximum=2.5)) == ("x <= 2.5", "2.5 or less")
    assert condition("x", OneOf(values=frozenset({"B", "A"}))) == ("x IN ('A', 'B')", "one of the known")
    assert condition("x", Matches(pattern=r"^\d$")) == (r"REGEXP_CONTAINS(x, '^\\d$')", "normalised")
    assert condition("x", NotEmpty()) == ("x != ''", "not empty")
