"""Applies `infra/sql` to an empty BigQuery emulator: datasets first, then each file's statements.

The files name datasets by placeholders, `{predictions}`; here they become the sport's own datasets.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from common.sport import DatasetRole, SportNames

if TYPE_CHECKING:
    from google.cloud.bigquery import Client

TIMEOUT_SECONDS = 60.0


def fill(sql: str, names: SportNames) -> str:
    """Replace the placeholders; other braces stay as they are."""
    for role in DatasetRole:
        sql = sql.replace("{" + role.value + "}", names.dataset(role))
    return sql


def apply(client: "Client", folder: Path, names: SportNames) -> list[str]:
    """Create all datasets and run all files in the order of their names; returns the names of the files."""
    from google.cloud import bigquery

    for role in DatasetRole:
        client.create_dataset(names.dataset(role), exists_ok=True, timeout=TIMEOUT_SECONDS)
    files = sorted(folder.glob("*.sql"))
    for file in files:
        retry = bigquery.DEFAULT_RETRY.with_deadline(TIMEOUT_SECONDS)
        sql = fill(file.read_text(encoding="utf-8"), names)
        job = client.query(sql, retry=retry, timeout=TIMEOUT_SECONDS, job_retry=None)
        job.result(retry=retry, timeout=TIMEOUT_SECONDS, job_retry=None)
    return [file.name for file in files]
