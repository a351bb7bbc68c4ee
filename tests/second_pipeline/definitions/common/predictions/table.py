"""The table of the forecasts: units per store, article and day."""

from collections.abc import Mapping
from typing import Final

from common.player_names import LOOKUP_PATTERN
from common.predictions.columns import Column, Matches, Mode, NotEmpty, OneOf, RequestSource, Rule, Within

TABLE: Final = "store_demand_forecasts"
PARTITION_COLUMN: Final = "sales_day"
CLUSTERING: Final = ("store_key", "sku")
ITEM: Final = "store_key"
KEY: Final = ("store_key", "sku", "promotion")
ORDER: Final = ("computed_at", "forecast_id")
CHANGED_AT: Final = "merged_at"

COLUMNS: Final[tuple[Column, ...]] = (
    Column(name="forecast_id", type="STRING", mode=Mode.REQUIRED),
    Column(name="store_key", type="STRING", mode=Mode.REQUIRED),
    Column(name="sku", type="STRING", mode=Mode.REQUIRED),
    Column(name="sales_day", type="DATE", mode=Mode.REQUIRED),
    Column(name="promotion", type="STRING"),
    Column(name="units", type="NUMERIC", mode=Mode.REQUIRED, precision=9, scale=2),
    Column(name="weather", type="STRING"),
    Column(name="is_open", type="BOOL", mode=Mode.REQUIRED),
    Column(name="drivers", type="STRING", mode=Mode.REPEATED),
    Column(name="computed_at", type="TIMESTAMP", mode=Mode.REQUIRED),
    Column(name="merged_at", type="TIMESTAMP"),
)
BY_NAME: Final[Mapping[str, Column]] = {column.name: column for column in COLUMNS}
DEFAULTS: Final[Mapping[str, bool | int]] = {"is_open": True}

RULES: Final[Mapping[str, Rule]] = {
    "units": Within(minimum=0),
    "weather": OneOf(values=frozenset({"DRY", "RAIN", "SNOW"})),
    ITEM: Matches(pattern=LOOKUP_PATTERN),
    "sku": NotEmpty(),
}
REQUESTED_FROM: Final = RequestSource(
    table="stores_of_the_day",
    item="store_key",
    day="sales_day",
    subject="assortment_id",
    newest_by="planned_at",
)
