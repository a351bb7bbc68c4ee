"""Names that follow from the sport: datasets, bucket and topics; and the zone of its dates.

Pure functions of their arguments: asking for another sport's names never depends on the environment.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Final
from zoneinfo import ZoneInfo


class Sport(Enum):
    """The sports that the pipeline knows; a new one is added here and nowhere else."""

    NBA = "nba"
    MLB = "mlb"


FIRST: Final = Sport.NBA
"""What is meant where `SPORT` is not set. Its documents keep the names that they had when there was no other:
those of the others have the sport in front."""

ZONE: Final = ZoneInfo("America/New_York")
"""A date of the pipeline begins and ends here, whatever the zone of a server."""


class DatasetRole(Enum):
    """What a BigQuery dataset holds; also the placeholder by which `infra/sql` names it."""

    RAW = "raw"
    ANALYTICS = "analytics"
    PRECOMPUTE = "precompute"
    PREDICTIONS = "predictions"
    REFERENCE = "reference"
    ORCHESTRATION = "orchestration"


@dataclass(frozen=True, kw_only=True)
class SportNames:
    """All names of one sport. `dataset_prefix` isolates tests: `{prefix}_{sport}_predictions`.

    Nothing is looked up.
    """

    sport: Sport
    dataset_prefix: str = ""

    @property
    def bucket(self) -> str:
        """Where scrapers put what they fetch; without a prefix, for tests read the same files."""
        return f"{self.sport.value}-scraped-data"

    @property
    def scope(self) -> str:
        """`{prefix}_{sport}` or `{sport}`: what tells this deployment's data from another's."""
        return f"{self.dataset_prefix}_{self.sport.value}" if self.dataset_prefix else self.sport.value

    def dataset(self, role: DatasetRole) -> str:
        """`{scope}_{role}`; without the project."""
        return f"{self.scope}_{role.value}"

    def topic(self, base_name: str) -> str:
        """`{sport}-{base_name}`: topics know no dataset prefix, which isolates data alone."""
        return f"{self.sport.value}-{base_name}"

    def service(self, function: str) -> str:
        """The Cloud Run service of a folder in `functions/`: `nba-completion-recorder`."""
        return f"{self.sport.value}-{function.replace('_', '-')}"
