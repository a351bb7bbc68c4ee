"""The warehouse of the local stack: datasets, which elsewhere are Terraform's, and what `infra/sql` says."""

from typing import TYPE_CHECKING

from common.sport import DatasetRole, SportNames
from infra.tables import applying

if TYPE_CHECKING:
    from google.cloud.bigquery import Client

TIMEOUT_SECONDS = 60.0


def apply(client: "Client", names: SportNames) -> None:
    """Make whatever is missing; raises what the client raises. Again: nothing is missing."""
    for role in DatasetRole:
        client.create_dataset(names.dataset(role), exists_ok=True, timeout=TIMEOUT_SECONDS)
    # By the code that applies it to a project: what is tested here is what is deployed.
    warehouse = applying.Warehouse(client=client, is_emulated=True)
    applying.apply(warehouse, applying.plan(warehouse, names))
