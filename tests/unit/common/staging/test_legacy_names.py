import pytest

from common.staging.legacy_names import belongs_to, prefix
from common.staging.table_names import staging_table

BATCH = "batch_2026-01-17_1768690800"
START = "_staging_batch_2026_01_17_1768690800"


@pytest.mark.parametrize(
    "worker", ["worker_0123456789ab", "prediction_worker_00012_abc_1a2b3c4d"], ids=["local", "Cloud Run"]
)
def test_a_table_of_the_system_before_is_told_by_its_batch_and_worker(worker: str) -> None:
    assert belongs_to(f"{START}_{worker}", BATCH)


@pytest.mark.parametrize(
    "table",
    [
        pytest.param(f"{START}1_worker_0123456789ab", id="a batch whose prefix it shares"),
        pytest.param(f"{START}_1_worker_0123456789ab", id="an id that goes on"),
        pytest.param(f"{START}_backup", id="no worker"),
        pytest.param(f"{START}_worker_0123456789AB", id="no worker of that system"),
        pytest.param(staging_table(BATCH, "w1"), id="a table of today"),
        pytest.param("player_prop_predictions", id="the main table"),
    ],
)
def test_any_other_table_is_not(table: str) -> None:
    assert not belongs_to(table, BATCH)


@pytest.mark.parametrize("batch_id", ["b-1", "regen_2026-01-17_x", "batch_2026_01_17_1768690800", "batch1"])
def test_a_batch_whose_names_another_could_share_has_none(batch_id: str) -> None:
    assert prefix(batch_id) is None
    assert not belongs_to(f"_staging_{batch_id.replace('-', '_')}_worker_0123456789ab", batch_id)
