import gc
from collections.abc import Iterator

import pytest

from common.runtime.gc_tuning import ALLOCATIONS_PER_COLLECTION, start_collecting
from tests.support.collector import collector_as_before


@pytest.fixture(autouse=True)
def collector() -> Iterator[None]:
    with collector_as_before():
        yield


def test_what_is_loaded_is_not_walked_through_any_more() -> None:
    loaded = [["alive"]]
    start_collecting()
    later = [["alive"]]

    walked = {id(each) for each in gc.get_objects()}

    assert id(loaded) not in walked
    assert id(later) in walked


def test_garbage_is_collected_rarely_even_if_it_was_not_at_all_before() -> None:
    gc.disable()

    start_collecting()
    start_collecting()

    assert gc.isenabled()
    assert gc.get_threshold()[0] == ALLOCATIONS_PER_COLLECTION
