"""The tables behind player names, made from their DDL and filled with rows of our choosing."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from google.cloud import bigquery

from common.chunks import chunks
from common.players.resolver import PlayerNames
from common.players.unresolved_names import UnresolvedNames
from common.warehouse.warehouse import Warehouse

DATASET = "nba_reference"
DDL = Path(__file__).parents[2] / "infra" / "sql"
TABLES = ("nba_players_registry", "player_aliases", "unresolved_player_names")


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A row of the registry: a player in one team and season."""

    universal_player_id: str
    player_name: str
    player_lookup: str
    team_abbr: str = "DAL"
    season: str = "2025-26"


@dataclass(frozen=True)
class Alias:
    alias_lookup: str
    nba_canonical_lookup: str
    is_active: bool = True


class PlayerTables:
    """The three tables of one project's emulated warehouse."""

    def __init__(self, client: bigquery.Client) -> None:
        self.warehouse = Warehouse(client)
        client.create_dataset(DATASET)
        for table in TABLES:
            ddl = (DDL / f"{table}.sql").read_text(encoding="utf-8")
            self.warehouse.execute(ddl.replace("{reference}", DATASET)).unwrap()

    def register(self, entries: Iterable[Entry]) -> None:
        self._insert("nba_players_registry", [vars(entry) for entry in entries])

    def alias(self, aliases: Iterable[Alias]) -> None:
        displays = {"alias_display": "as written", "nba_canonical_display": "as written"}
        self._insert("player_aliases", [vars(alias) | displays for alias in aliases])

    def queued(self) -> list[dict[str, Any]]:
        table = f"`{DATASET}.unresolved_player_names`"
        return self.warehouse.query(f"SELECT * FROM {table} ORDER BY source, normalized_lookup").unwrap().rows

    def _insert(self, table: str, rows: list[dict[str, Any]]) -> None:
        columns = ", ".join(rows[0])
        values = ", ".join(f"given.{column}" for column in rows[0])
        sql = f"""
        INSERT INTO `{DATASET}.{table}` ({columns}, created_at, processed_at)
        SELECT {values}, CURRENT_TIMESTAMP(), CURRENT_TIMESTAMP() FROM UNNEST(@rows) AS given
        """
        for chunk in chunks(rows, 2_000):
            self.warehouse.execute(sql, {"rows": chunk}).unwrap()


def player_names(warehouse: Warehouse, now: Callable[[], datetime], *, source: str = "tests") -> PlayerNames:
    """A resolver that has not answered anything yet."""
    queue = UnresolvedNames(warehouse, dataset=DATASET, source=source, now=now)
    return PlayerNames(warehouse, queue, dataset=DATASET, now=now)
