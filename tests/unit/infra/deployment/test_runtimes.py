"""A runtime is not deployed when its end is near."""

from datetime import date, timedelta

import pytest

from infra.deployment.runtimes import NOTICE, RUNTIMES, objection

PYTHON311 = RUNTIMES["python311"]


@pytest.mark.parametrize(
    ("today", "told"),
    [
        pytest.param(PYTHON311.deprecated - NOTICE - timedelta(days=1), None, id="181 days before"),
        pytest.param(PYTHON311.deprecated - NOTICE, "deprecated on 2027-10-24", id="180 days before"),
        pytest.param(PYTHON311.deprecated, "deprecated on 2027-10-24", id="on the day"),
        pytest.param(PYTHON311.decommissioned, "decommissioned since 2028-04-24", id="gone"),
    ],
)
def test_runtime_is_refused_from_half_a_year_before_its_deprecation(today: date, told: str | None) -> None:
    found = objection("python311", today)

    assert found is None if told is None else told in str(found)


@pytest.mark.parametrize("name", ["python399", "python3", ""])
def test_runtime_that_nobody_has_looked_up_is_refused(name: str) -> None:
    assert "not among the runtimes" in str(objection(name, date(2026, 1, 1)))
