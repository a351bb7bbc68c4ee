"""Which moments can be asked for."""

from datetime import UTC, datetime, timedelta

import pytest

from common.documents.port import refused
from common.result import ErrorInfo, ResultError
from ops.explaining.past import is_not_kept, readable_moment

NOW = datetime(2026, 1, 18, 6, 0, 30, 500, tzinfo=UTC)


def test_moment_of_the_last_hour_is_asked_for_as_it_is_and_an_older_one_by_the_minute() -> None:
    lately, before = NOW - timedelta(minutes=59), NOW - timedelta(hours=3)

    assert readable_moment(lately, NOW) == lately
    assert readable_moment(before, NOW) == datetime(2026, 1, 18, 3, 0, tzinfo=UTC)


def test_moment_that_has_not_come_is_wrong_usage() -> None:
    with pytest.raises(ResultError, match="has not come yet"):
        readable_moment(NOW + timedelta(seconds=1), NOW)


def test_only_what_a_store_refuses_is_told_otherwise() -> None:
    assert is_not_kept(refused("the requested read_time is too old", "a/b"))
    assert not is_not_kept(ErrorInfo.transient("ServiceUnavailable", "away"))
