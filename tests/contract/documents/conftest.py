"""Both stores are held to the same answers."""

from typing import Any

import pytest


@pytest.fixture(params=["in-memory", "emulator"])
def kind(request: pytest.FixtureRequest) -> Any:
    return request.param
