"""Targets, medians, and the file that is written from them."""

import json
from pathlib import Path

import pytest

from tests.bench.measuring import Measurement, Target, at_least, at_most, interleaved_medians
from tests.bench.report import summary, write_json


@pytest.mark.parametrize(
    ("target", "value", "holds"),
    [
        pytest.param(at_least(4), 4.0, True, id="the bound itself is enough"),
        pytest.param(at_least(4), 3.99, False, id="too little"),
        pytest.param(at_most(1.2), 1.2, True, id="the bound itself is not too much"),
        pytest.param(at_most(1.2), 1.21, False, id="too much"),
        pytest.param(at_least(4), None, False, id="what was not measured does not hold"),
        pytest.param(None, 7.0, None, id="without a target nothing is judged"),
    ],
)
def test_a_measurement_is_judged_by_its_target(
    target: Target | None, value: float | None, holds: bool | None
) -> None:
    assert Measurement(name="a", value=value, unit="ratio", target=target).holds is holds


def test_variants_take_turns_and_the_warm_up_does_not_count() -> None:
    results = iter([99.0, 98.0, 2.0, 10.0, 8.0, 30.0, 4.0, 20.0])

    medians = interleaved_medians(3, old=lambda: next(results), new=lambda: next(results))

    assert medians == {"old": 4.0, "new": 20.0}


def test_the_file_holds_every_row_with_its_judgement(tmp_path: Path) -> None:
    rows = [
        Measurement(name="lock", value=1.5, unit="ratio", target=at_most(1.6), details={"lock_ms": 5}),
        Measurement(name="cold start", value=600, unit="ms"),
    ]

    write_json(tmp_path / "bench.json", rows)

    told = {"name": "lock", "value": 1.5, "unit": "ratio", "target": "<= 1.6", "holds": True}
    only_told = {"name": "cold start", "value": 600, "unit": "ms", "target": None, "holds": None}
    written = json.loads((tmp_path / "bench.json").read_text())
    assert written == [told | {"details": {"lock_ms": 5}}, only_told | {"details": {}}]


def test_the_summary_names_what_was_missed() -> None:
    rows = [
        Measurement(name="lock", value=1.7, unit="ratio", target=at_most(1.6)),
        Measurement(name="merge", value=5, unit="ratio", target=at_least(4)),
    ]

    assert summary(rows) == "2 measured, 1 of 2 targets hold; missed: lock"
