"""Predictions as rows: what the workers' rule makes of the requests, and what BigQuery holds.

A worker's answer follows from its request alone, so what the main table has to hold is known before anything
was staged, and every row can be told right or wrong by its values.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from common.consolidation.merge_sql import Tables
from common.messages import PredictionRequest
from common.predictions.rows import Row
from common.sport import DatasetRole, SportNames
from common.staging import table_names as staging_names
from common.warehouse.warehouse import Warehouse

from ..day.predicting import is_skipped, predict


@dataclass(frozen=True, kw_only=True)
class Key:
    """The business key of a prediction."""

    game_id: str
    player_lookup: str
    system_id: str
    current_points_line: Decimal | None
    """None where nobody offers a line; two such keys are the same."""


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """The part of a row that the workers' rule decides."""

    key: Key
    prediction_id: str
    """Made from game, player and system: the same for every delivery."""
    predicted_points: Decimal
    confidence_score: Decimal
    recommendation: str


def rule_of(requests: Iterable[PredictionRequest]) -> frozenset[Prediction]:
    """What the workers' rule makes of the requests; nothing of players whom they skip. Pure.

    A set: two deliveries of a request make the same rows.
    """
    answered = (request for request in requests if not is_skipped(request.player_lookup))
    return frozenset(_prediction(row) for request in answered for row in predict(request))


class RowReader:
    """Reads the predictions of one sport; raises what the warehouse could not do."""

    def __init__(self, warehouse: Warehouse, names: SportNames) -> None:
        self._warehouse = warehouse
        self._tables = Tables(predictions=names.dataset(DatasetRole.PREDICTIONS))

    def in_main(self, game_date: date) -> tuple[Prediction, ...]:
        """Every row of the day, duplicates included; raises ResultError."""
        sql = f"SELECT * FROM `{self._tables.main}` WHERE game_date = @game_date"
        asked = self._warehouse.query(sql, {"game_date": game_date})
        return tuple(map(_prediction, asked.unwrap().rows))

    def in_staging(self) -> Mapping[str, tuple[Prediction, ...]]:
        """Rows by table, for every staging table that there is, those of consolidations under way among them;
        raises ResultError.
        """
        names = [
            table.name
            for prefix in (staging_names.PREFIX, staging_names.GATHERED_PREFIX)
            for table in self._warehouse.list_tables(self._tables.predictions, prefix).unwrap()
        ]
        return {name: self._all_of(name) for name in names}

    def _all_of(self, table: str) -> tuple[Prediction, ...]:
        """Every row of one table; raises ResultError, also where it was dropped since it was listed."""
        asked = self._warehouse.query(f"SELECT * FROM `{self._tables.path(table)}`")
        return tuple(map(_prediction, asked.unwrap().rows))


def _prediction(row: Row) -> Prediction:
    """The part of a row that can be compared: times and worker differ from delivery to delivery, rightly."""
    line = row["current_points_line"]
    return Prediction(
        key=Key(
            game_id=row["game_id"],
            player_lookup=row["player_lookup"],
            system_id=row["system_id"],
            # By their text: a float from JSON and a NUMERIC from BigQuery are then equal.
            current_points_line=None if line is None else Decimal(str(line)),
        ),
        prediction_id=row["prediction_id"],
        predicted_points=Decimal(str(row["predicted_points"])),
        confidence_score=Decimal(str(row["confidence_score"])),
        recommendation=row["recommendation"],
    )
