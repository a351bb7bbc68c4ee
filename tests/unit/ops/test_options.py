"""Dates and times as people type them."""

from datetime import UTC, date, datetime

import pytest

from common.result import ResultError
from ops.options import date_of, looks_like_a_date, moment_of


@pytest.mark.parametrize(
    "text", ["2026-01-18T06:00:00Z", "2026-01-18 01:00:00-05:00", "2026-01-18T06:00+00:00"]
)
def test_time_with_its_zone_is_that_moment(text: str) -> None:
    assert moment_of(text, "--at") == datetime(2026, 1, 18, 6, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("2026-01-18T06:00:00", "has no zone; add Z for UTC"),
        ("2026-01-18", "has no zone"),
        ("yesterday", "is no ISO time"),
        ("", "is no ISO time"),
    ],
)
def test_anything_else_is_refused_naming_the_option(text: str, problem: str) -> None:
    with pytest.raises(ResultError, match=f"^.*--at: '{text}' {problem}"):
        moment_of(text, "--at")


def test_date_is_today_or_an_iso_date() -> None:
    assert date_of("today", date(2026, 1, 17)) == date(2026, 1, 17)
    assert date_of("2026-01-16", date(2026, 1, 17)) == date(2026, 1, 16)
    assert not looks_like_a_date("batch_2026-01-16_1")
