import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.staging import table_names as staging_names
from common.staging.table_names import (
    MAX_NAME_BYTES,
    Gathered,
    batch_prefix,
    belongs_to,
    gathered_prefix,
    gathered_table,
    parse,
    parse_gathered,
    staging_table,
)

printable = st.characters(exclude_categories=["C", "Z"], include_characters=" ")
ids = st.text(printable, min_size=1, max_size=40)


@given(batch=ids, worker=ids)
def test_both_ids_are_read_back_from_a_name(batch: str, worker: str) -> None:
    assert parse(staging_table(batch, worker)) == (batch, worker)


@given(batch=ids, other=ids, worker=ids)
def test_no_batch_has_another_batchs_prefix(batch: str, other: str, worker: str) -> None:
    is_prefix = staging_table(other, worker).startswith(batch_prefix(batch))

    assert is_prefix == (batch == other)


@given(ids, ids)
def test_names_of_different_ids_differ_even_where_case_does_not_count(one: str, other: str) -> None:
    are_equal = batch_prefix(one).casefold() == batch_prefix(other).casefold()

    assert are_equal == (one == other)


@given(batch=ids, worker=ids)
def test_a_name_is_one_that_bigquery_takes(batch: str, worker: str) -> None:
    name = staging_table(batch, worker)

    assert name.isascii()
    assert name.replace("_", "").isalnum()


def test_the_legacy_collisions_are_gone() -> None:
    names = {staging_table(batch, worker) for batch, worker in [("b-1", "w"), ("b_1", "w"), ("b", "1_w")]}

    assert len(names) == 3


@pytest.mark.parametrize(
    "name",
    [
        "_staging_b",
        "_staging_b_",
        "_staging_b_w_x",
        "other_b_w",
        "_staging_B_w",
        pytest.param("_staging_qff_w", id="bytes that are no text"),
        pytest.param("_staging_q62_w", id="b, escaped without need"),
    ],
)
def test_any_other_name_is_nobodys(name: str) -> None:
    assert parse(name) is None


@given(batch=ids, other=ids, worker=ids)
def test_a_table_belongs_to_the_batch_that_it_is_named_for_and_to_no_other(
    batch: str, other: str, worker: str
) -> None:
    table = staging_table(batch, worker)

    assert belongs_to(table, batch)
    assert belongs_to(table, other) == (batch == other)


@pytest.mark.parametrize(
    "table",
    [
        "player_prop_predictions",
        "player_prop_predictions_backup",
        "consolidation_fences",
        "_gathered_b_1_1",
        "_staging_b_",
        "_staging_b_w` WHERE TRUE; --",
        "other_dataset._staging_b_w",
        "_staging_b_w\n",
        "",
    ],
)
def test_what_is_no_staging_table_belongs_to_no_batch(table: str) -> None:
    assert not belongs_to(table, "b")


@pytest.mark.parametrize(("batch", "worker"), [("", "w"), ("b", "")])
def test_an_empty_id_is_refused(batch: str, worker: str) -> None:
    with pytest.raises(ValueError, match="must not be empty"):
        staging_table(batch, worker)


def test_a_name_that_bigquery_would_not_take_is_refused() -> None:
    fixed = len(staging_table("b", "w")) - 2

    assert len(staging_table("b", "w" * (MAX_NAME_BYTES - fixed - 1))) == MAX_NAME_BYTES
    with pytest.raises(ValueError, match="1024"):
        staging_table("b", "w" * (MAX_NAME_BYTES - fixed))


def test_the_gathered_table_of_each_holder_is_its_own() -> None:
    names = {gathered_table("b", generation, fence) for generation in (1, 11) for fence in (1, 11)}

    assert len(names) == 4
    assert all(name.startswith(staging_names.GATHERED_PREFIX) for name in names)


@given(batch=ids, other=ids, generation=st.integers(1, 99), fence=st.integers(0, 10**6))
def test_a_gathered_table_says_whose_it_is(batch: str, other: str, generation: int, fence: int) -> None:
    name = gathered_table(batch, generation, fence)

    assert parse_gathered(name) == Gathered(batch_id=batch, generation=generation, fence=fence)
    assert name.startswith(gathered_prefix(other)) == (batch == other)


@pytest.mark.parametrize("name", ["_gathered_b_1", "_gathered_b_01_1", "_gathered_qff_1_1", "_staging_b_w"])
def test_any_other_name_is_no_gathered_table(name: str) -> None:
    assert parse_gathered(name) is None
