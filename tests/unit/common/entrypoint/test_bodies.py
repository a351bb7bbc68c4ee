from contextlib import AsyncExitStack

import pytest

from common.entrypoint.bodies import Bodies, BodyRefused
from tests.support.deliveries import request

BODIES = {"max_body_bytes": 100, "max_held_bytes": 250}


def sized(size: int) -> dict[str, str]:
    return {"content-length": str(size)}


async def test_body_is_read_whole_and_forgotten_afterwards() -> None:
    bodies = Bodies(**BODIES)

    for _ in range(10):
        async with bodies.read(request(sized(100), b"x" * 100)) as body:
            assert body == b"x" * 100


@pytest.mark.parametrize("headers", [sized(101), {}], ids=["said", "not said"])
async def test_body_beyond_what_pubsub_sends_is_refused(headers: dict[str, str]) -> None:
    with pytest.raises(BodyRefused) as refused:
        async with Bodies(**BODIES).read(request(headers, b"x" * 101)):
            pass

    assert refused.value.status == 413


async def test_bodies_that_do_not_fit_beside_each_other_come_again() -> None:
    bodies = Bodies(**BODIES)

    async with AsyncExitStack() as held:
        for _ in range(2):
            await held.enter_async_context(bodies.read(request(sized(100), b"x" * 100)))
        with pytest.raises(BodyRefused) as refused:
            await held.enter_async_context(bodies.read(request(sized(100), b"x" * 100)))
        small = await held.enter_async_context(bodies.read(request(sized(50), b"x" * 50)))

    assert refused.value.status == 503
    assert len(small) == 50
    async with bodies.read(request(sized(100), b"x" * 100)) as body:
        assert len(body) == 100
