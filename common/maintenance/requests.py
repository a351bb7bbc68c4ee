"""Prediction requests made again: what the coordinator asked for once, from what the analytics know."""

from collections.abc import Callable, Collection, Mapping
from datetime import date
from pathlib import Path
from typing import Any, Final, Protocol

from ..batches.records import Batch
from ..messages import PredictionRequest
from ..predictions.table import REQUESTED_FROM
from ..result import ErrorInfo, Result, ResultError, returns_result
from ..sport import DatasetRole, SportNames
from ..sql_blocks import SqlBlocks
from ..texts import counted, first_of
from ..warehouse.records import Rows

NO_GAME: Final = "NoGame"
"""Failure class (PERMANENT): some player has no game on that day."""

_SQL: Final = SqlBlocks(Path(__file__).with_suffix(".sql"))


class QueryStore(Protocol):
    """What is needed of the warehouse."""

    def query(self, sql: str, parameters: Mapping[str, Any] | None = None) -> Result[Rows]:
        """Rows of a SELECT, typed parameters in it."""


class Requests:
    """Makes them for the batches of one sport."""

    def __init__(self, warehouse: QueryStore, names: SportNames) -> None:
        self._warehouse = warehouse
        dataset = names.dataset(DatasetRole.ANALYTICS)
        self._sql = _SQL.fill(
            "games", **{**vars(REQUESTED_FROM), "table": f"`{dataset}.{REQUESTED_FROM.table}`"}
        )

    @returns_result
    def of(self, batch: Batch, players: Collection[str]) -> Callable[[Batch, str], PredictionRequest]:
        """What makes the request of each of these players; one query.

        PERMANENT, naming them, if the analytics know no game of some: nobody could predict for them.
        """
        games = self._games(batch.game_date, players)
        without = sorted(set(players) - games.keys())
        if without:
            named = first_of(without, separator=", ")
            why = f"{counted(len(without), 'player', 'have')} no game on {batch.game_date}: {named}"
            raise ResultError(ErrorInfo.permanent(NO_GAME, why))

        def request(of: Batch, player: str) -> PredictionRequest:
            return PredictionRequest(
                batch_id=of.batch_id,
                player_lookup=player,
                game_date=of.game_date,
                game_id=games[player],
                dataset_prefix=of.dataset_prefix or None,
                correlation_id=of.correlation_id,
                # Rows bear the time of their request. Whoever asks twice for a player of a closed batch asks
                # with one time, so that the rows are equal, and are staged once.
                timestamp=of.closed_at or of.read_time,
            )

        return request

    def _games(self, game_date: date, players: Collection[str]) -> dict[str, str]:
        """Player → game of that day; without those who have none. Raises ResultError."""
        found = self._warehouse.query(
            self._sql, {"game_date": game_date, "players": sorted(players)}
        ).unwrap()
        return {row["player_lookup"]: row["game_id"] for row in found.rows}
