"""What tests ask of a `Result`."""

from typing import Any

from common.result import ErrorInfo, Result


def error_of(result: Result[Any]) -> ErrorInfo:
    """A failure's error; a failure carries no data that a caller could take for an answer."""
    assert result.is_failure
    assert result.data is None
    assert result.error is not None
    return result.error
