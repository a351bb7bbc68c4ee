from datetime import UTC, datetime, timedelta

import pytest

from common.maintenance.sweep_ticks import missed

NOW = datetime(2026, 1, 18, 10, tzinfo=UTC)
GAPS = [
    pytest.param(None, 0, id="the first"),
    pytest.param(10, 0, id="on time"),
    pytest.param(14, 0, id="a bit late"),
    pytest.param(20, 1, id="one did not come"),
    pytest.param(61, 5, id="an hour of silence"),
    pytest.param(0, 0, id="the same tick again"),
    pytest.param(-5, 0, id="another machine's clock"),
]


@pytest.mark.parametrize(("minutes", "number"), GAPS)
def test_ticks_that_did_not_come_are_counted(minutes: int | None, number: int) -> None:
    last = None if minutes is None else NOW - timedelta(minutes=minutes)

    assert missed(last, NOW) == number
