"""What stands against an act, what was mistyped, and what nobody could read are three things."""

import pytest

from common.result import ErrorInfo
from ops.refusals import is_refusal, is_wrong_usage, refused, wrong_usage

AWAY = ErrorInfo.transient("ServiceUnavailable", "away")
DENIED = ErrorInfo.permanent("PermissionDenied", "no")


@pytest.mark.parametrize(
    ("error", "is_refused", "is_mistyped"),
    [
        (refused("held").error, True, False),
        (ErrorInfo.permanent("NotRedriven", "abandoned"), True, False),
        (wrong_usage("--to").error, False, True),
        (ErrorInfo.permanent("NoSuchThing", "b9"), False, True),
        (AWAY, False, False),
        (DENIED, False, False),
    ],
    ids=lambda value: value.exception_class if isinstance(value, ErrorInfo) else None,
)
def test_failures_are_told_apart(error: ErrorInfo, is_refused: bool, is_mistyped: bool) -> None:
    assert (is_refusal(error), is_wrong_usage(error)) == (is_refused, is_mistyped)
