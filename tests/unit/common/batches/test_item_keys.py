from common.batches.item_keys import normalize_all
from common.result import ErrorType


def test_every_bad_name_is_told_at_once_and_namesakes_are_told_apart() -> None:
    error = normalize_all(["Max Muncy", "LeBron James", "max muncy", "\ufffd", None]).error

    assert error is not None and error.type is ErrorType.PERMANENT
    assert error.exception_class == "InvalidName"
    assert error.details is not None and error.details["problem_count"] == 3
    for told in ("'\ufffd' was decoded wrongly", "None is not text", "'Max Muncy' and 'max muncy' are both"):
        assert told in error.message


def test_names_that_differ_have_a_key_each() -> None:
    assert normalize_all(["Max Muncy", "maxmuncyathletics"]).unwrap() == {
        "maxmuncy": "Max Muncy",
        "maxmuncyathletics": "maxmuncyathletics",
    }
