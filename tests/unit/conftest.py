"""Unit tests need no network, and have none."""

from collections.abc import Iterator

import pytest

from tests.support.isolation import refuse_connections


@pytest.fixture(scope="module", autouse=True)
def no_network() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        refuse_connections(patch)
        yield
