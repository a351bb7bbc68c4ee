"""The workers' rule: the same request makes the same valid rows, wherever and whenever."""

from datetime import UTC, date, datetime

from common.messages import PredictionRequest
from common.predictions import rows as row_rules
from common.sport import Sport
from local.day.players import active_players
from local.day.predicting import SYSTEMS, is_skipped, predict
from local.day.slate import Slate

ASKED_AT = datetime(2026, 1, 17, 23, 0, 0, 123456, tzinfo=UTC)


def all_requests() -> list[PredictionRequest]:
    slate = Slate(sport=Sport.NBA, game_date=date(2026, 1, 17), players=tuple(active_players()))
    return slate.requests("batch", ASKED_AT)


def test_every_row_passes_the_rules_of_the_table() -> None:
    requests = all_requests()

    assert len(requests) > 400
    for request in requests:
        assert row_rules.encode(predict(request)).is_success


def test_a_request_that_went_through_pubsub_makes_equal_rows() -> None:
    request = all_requests()[0]

    delivered = PredictionRequest.parse(request.to_json()).unwrap()

    assert row_rules.encode(predict(delivered)) == row_rules.encode(predict(request))


def test_each_player_has_one_row_for_each_system() -> None:
    requests = all_requests()

    keys = {(row["player_lookup"], row["system_id"]) for request in requests for row in predict(request)}

    assert len(keys) == len(requests) * len(SYSTEMS)


def test_the_slate_has_players_without_a_line_and_players_without_features() -> None:
    requests = all_requests()
    without_line = [row for request in requests for row in predict(request) if not row["has_prop_line"]]

    assert without_line
    assert all(
        row["current_points_line"] is None and row["recommendation"] == "NO_LINE" for row in without_line
    )
    assert 0 < sum(is_skipped(request.player_lookup) for request in requests) < len(requests) / 10
