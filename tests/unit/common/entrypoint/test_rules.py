from typing import Any

import pytest

from common.entrypoint.rules import Disposition, dispose, origin
from common.result import LOCK_HELD, ErrorInfo, ErrorType, Result
from common.sport import Sport
from common.topics import PREDICTION_BATCH_COMPLETE, PREDICTION_READY

TRANSIENT = ErrorInfo.transient("Busy", "the store is busy")
PERMANENT = ErrorInfo.permanent("Refused", "another set of players")
UNKNOWN = ErrorInfo(ErrorType.UNKNOWN, "Strange", "nobody knows")
NOT_YET = ErrorInfo.not_yet("the batch is not open yet")
HELD = ErrorInfo.transient(LOCK_HELD, "another holds it")


@pytest.mark.parametrize(
    ("result", "disposition"),
    [
        (Result.success(None), Disposition.ACK),
        (Result.partial(None, PERMANENT), Disposition.ACK),
        (Result.failure(NOT_YET), Disposition.RETRY_QUIETLY),
        (Result.failure(HELD), Disposition.RETRY_QUIETLY),
        (Result.failure(TRANSIENT), Disposition.RETRY),
        (Result.failure(UNKNOWN), Disposition.RETRY),
        (Result.failure(PERMANENT), Disposition.DEAD_LETTER),
    ],
    ids=["success", "partial", "not yet", "lock held", "transient", "unknown", "permanent"],
)
def test_disposition_follows_from_the_result_alone(result: Result[Any], disposition: Disposition) -> None:
    assert dispose(result) is disposition


@pytest.mark.parametrize("name", ["mlb-prediction-ready", "prediction-ready"], ids=["full", "base"])
def test_topic_is_known_by_its_full_name_and_by_its_base_name(name: str) -> None:
    found = origin(name, sport=Sport.MLB, heard=[PREDICTION_READY], unnamed=None)

    assert found.unwrap() is PREDICTION_READY


@pytest.mark.parametrize(
    ("name", "error_class", "sentence"),
    [
        ("mlb-prediction-ready", "WrongSport", "'mlb-prediction-ready', but this function serves 'nba'"),
        ("nba-nonsense", "UnknownTopic", "'nba-nonsense' is not in the registry; this function hears"),
        ("nba-prediction-batch-complete", "UnknownTopic", "is not heard here; this function hears"),
        ("", "UnknownTopic", "is not in the registry"),
        (None, "UnknownTopic", "not told; this function hears prediction-ready"),
    ],
    ids=["another sport", "of nobody", "of another function", "empty", "not told"],
)
def test_topic_that_is_not_heard_is_refused_for_good(
    name: str | None, error_class: str, sentence: str
) -> None:
    error = origin(name, sport=Sport.NBA, heard=[PREDICTION_READY], unnamed=None).error

    assert error is not None and error.type is ErrorType.PERMANENT
    assert error.exception_class == error_class
    assert sentence in error.message


def test_topic_that_is_not_told_is_the_one_that_is_meant() -> None:
    heard = [PREDICTION_READY, PREDICTION_BATCH_COMPLETE]

    found = origin(None, sport=Sport.NBA, heard=heard, unnamed=PREDICTION_READY)

    assert found.unwrap() is PREDICTION_READY
