"""A store that does not answer is never taken for one in which nothing is: exit status 3, and its name."""

from collections.abc import Mapping
from pathlib import Path

import grpc
import pytest

from tests.support.firestore_proxy import FirestoreProxy
from tests.support.firestore_relay import QUERY, READ
from tests.support.grpc_server import serving
from tests.support.ops_cli import ops

DAY = "2026-01-17"
READING = (
    "status",
    "explain batch1",
    f"explain {DAY}",
    f"phases {DAY}",
    "missing batch1",
    "findings",
    "locks",
    "dead-letters",
    f"verify {DAY}",
    "watch batch1",
    "cost --days 1",
    "bundle batch1",
)


@pytest.mark.parametrize("line", READING)
def test_command_that_reads_cannot_look(
    line: str, proxy: FirestoreProxy, environment: Mapping[str, str], tmp_path: Path
) -> None:
    for method in (READ, QUERY, "RunAggregationQuery"):
        proxy.refuse(method, grpc.StatusCode.PERMISSION_DENIED)
    words = [*line.split(), *(["--to", str(tmp_path / "b.html")] if line.startswith("bundle") else [])]

    with serving(proxy) as host:
        said = ops({**environment, "FIRESTORE_EMULATOR_HOST": host}, *words, "-o", "json")

    assert said.status == 3, said.output
    assert "refused by the proxy" in said.output
