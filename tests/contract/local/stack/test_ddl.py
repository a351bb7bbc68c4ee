"""The DDL of `infra/sql` on the emulator."""

from google.cloud import bigquery

from common.sport import DatasetRole, Sport, SportNames
from local.stack import ddl
from local.stack.serving import ROOT

NAMES = SportNames(sport=Sport.MLB)


def test_all_files_apply_and_make_the_tables_that_they_are_named_after(
    bigquery_client: bigquery.Client,
) -> None:
    applied = ddl.apply(bigquery_client, ROOT / "infra" / "sql", NAMES)

    made = {
        table.table_id
        for role in DatasetRole
        for table in bigquery_client.list_tables(NAMES.dataset(role), timeout=10)
    }
    assert {name.removesuffix(".sql") for name in applied} <= made
