"""Requests that are made again: their game comes from the analytics, their time from the batch."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from common.maintenance.requests import NO_GAME, Requests
from common.result import Result
from common.sport import Sport, SportNames
from common.warehouse.records import Rows
from tests.support.batch_documents import NOW, batch_of

GAMES = {"amy": "g1", "bob": "g2"}


class Analytics:
    """Knows the games of two players."""

    def query(self, sql: str, parameters: Mapping[str, Any] | None = None) -> Result[Rows]:
        asked = (parameters or {})["players"]
        rows = [{"player_lookup": name, "game_id": GAMES[name]} for name in asked if name in GAMES]
        return Result.success(Rows(rows=rows, affected_rows=None, job_id="job", bytes_processed=0))


def requests() -> Requests:
    return Requests(Analytics(), SportNames(sport=Sport.NBA))


def test_two_requests_for_a_player_of_a_closed_batch_are_equal_whenever_they_are_made() -> None:
    closed = replace(batch_of(), closed_at=NOW)
    later = replace(closed, read_time=NOW + timedelta(minutes=5))

    first, second = (requests().of(each, ["amy"]).unwrap()(each, "amy") for each in (closed, later))

    assert first == second
    assert (first.game_id, first.timestamp) == ("g1", NOW)


def test_players_without_a_game_are_refused_by_name() -> None:
    error = requests().of(batch_of(), ["amy", "zed"]).error

    assert error is not None and error.exception_class == NO_GAME
    assert "zed" in error.message and "amy" not in error.message
