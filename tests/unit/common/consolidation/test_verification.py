from typing import Any

import pytest

from common.consolidation.verification import NOT_VERIFIED, Counts, verify
from common.result import LOCK_LOST, ErrorType


def _counts(**fields: int) -> Counts:
    known: dict[str, Any] = {
        "rows_before": 10,
        "rows_after": 14,
        "rows_changed": 5,
        "keys_staged": 6,
        "keys_in_main": 6,
        "duplicate_keys": 0,
        "outdated_keys": 0,
        "suspected_keys": 0,
        "fence": 7,
    }
    return Counts(**{**known, **fields})


def test_what_is_there_as_staged_is_verified() -> None:
    counts = verify(_counts(), fence=7).unwrap()

    assert (counts.rows_inserted, counts.rows_updated) == (4, 1)


@pytest.mark.parametrize(
    ("fields", "error_type", "name"),
    [
        pytest.param({"fence": 8}, ErrorType.TRANSIENT, LOCK_LOST, id="overtaken"),
        pytest.param(
            {"fence": 8, "keys_in_main": 0, "duplicate_keys": 1},
            ErrorType.TRANSIENT,
            LOCK_LOST,
            id="overtaken, whatever else was counted",
        ),
        pytest.param({"duplicate_keys": 1}, ErrorType.PERMANENT, NOT_VERIFIED, id="a key twice"),
        pytest.param({"keys_in_main": 5}, ErrorType.UNKNOWN, NOT_VERIFIED, id="a key that is not there"),
        pytest.param({"outdated_keys": 1}, ErrorType.UNKNOWN, NOT_VERIFIED, id="a key with an older row"),
    ],
)
def test_anything_else_is_a_failure_that_says_so(
    fields: dict[str, int], error_type: ErrorType, name: str
) -> None:
    result = verify(_counts(**fields), fence=7)

    assert result.error is not None
    assert (result.error.type, result.error.exception_class) == (error_type, name)


def test_a_suspected_key_is_told_and_fails_nothing() -> None:
    assert verify(_counts(suspected_keys=1), fence=7).unwrap().suspected_keys == 1
