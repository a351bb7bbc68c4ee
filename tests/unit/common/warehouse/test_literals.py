from datetime import UTC, date, datetime, timedelta, timezone

import pytest
import sqlglot

from common.warehouse import literals


def test_text_that_would_end_its_literal_is_escaped() -> None:
    assert literals.text("o'neal\\") == "'o\\'neal\\\\'"
    [parsed] = sqlglot.parse(f"SELECT {literals.text(chr(39) + '; DROP TABLE x; --')}", dialect="bigquery")
    assert parsed is not None and len(parsed.expressions) == 1


@pytest.mark.parametrize("value", ["a\nb", "a\x00", "\u2028"])
def test_unprintable_text_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="not printable"):
        literals.text(value)


def test_a_moment_is_written_in_utc_to_the_microsecond() -> None:
    new_york = datetime(2026, 1, 17, 18, 0, 0, 5, tzinfo=timezone(timedelta(hours=-5)))

    assert literals.moment(new_york) == literals.moment(datetime(2026, 1, 17, 23, 0, 0, 5, tzinfo=UTC))
    assert literals.moment(new_york) == "TIMESTAMP '2026-01-17 23:00:00.000005+00:00'"


def test_a_day_is_written_as_iso() -> None:
    assert literals.day(date(2026, 1, 17)) == "DATE '2026-01-17'"


@pytest.mark.parametrize("path", ["", "a b", "a`b", "a;b", "a\n"])
def test_what_is_no_name_of_a_table_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="no name of a table"):
        literals.name(path)
