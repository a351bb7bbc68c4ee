"""Daily demand forecasts for the stores of a chain, in place of sports."""

from dataclasses import dataclass
from enum import Enum
from typing import Final
from zoneinfo import ZoneInfo


class Sport(Enum):
    STORES = "stores"


FIRST: Final = Sport.STORES
ZONE: Final = ZoneInfo("Europe/Berlin")


class DatasetRole(Enum):
    RAW = "raw"
    ANALYTICS = "analytics"
    PRECOMPUTE = "precompute"
    PREDICTIONS = "predictions"
    REFERENCE = "reference"
    ORCHESTRATION = "orchestration"


@dataclass(frozen=True, kw_only=True)
class SportNames:
    sport: Sport
    dataset_prefix: str = ""

    @property
    def bucket(self) -> str:
        return f"{self.sport.value}-sales-data"

    @property
    def scope(self) -> str:
        return f"{self.dataset_prefix}_{self.sport.value}" if self.dataset_prefix else self.sport.value

    def dataset(self, role: DatasetRole) -> str:
        return f"{self.scope}_{role.value}"

    def topic(self, base_name: str) -> str:
        return f"{self.sport.value}-{base_name}"

    def service(self, function: str) -> str:
        return f"{self.sport.value}-{function.replace('_', '-')}"
