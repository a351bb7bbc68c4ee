import pytest

from common.entrypoint.bodies import Bodies, BodyRefused
from tests.support.deliveries import request

BODIES = {"max_body_bytes": 100, "max_held_bytes": 250}


def sized(size: int) -> dict[str, str]:
    return {"content-length": str(size)}


async def read(bodies: Bodies, size: int, *, promised: bool = True) -> bytes:
    headers = sized(size) if promised else {}
    return await bodies.read(request(headers, b"x" * size), headers)


async def test_body_is_read_whole_and_forgotten_when_it_is_released() -> None:
    bodies = Bodies(**BODIES)

    for _ in range(10):
        body = await read(bodies, 100)
        assert body == b"x" * 100
        bodies.release(len(body))


@pytest.mark.parametrize("promised", [True, False])
async def test_body_beyond_what_pubsub_sends_is_refused(promised: bool) -> None:
    with pytest.raises(BodyRefused) as refused:
        await read(Bodies(**BODIES), 101, promised=promised)

    assert refused.value.status == 413


@pytest.mark.parametrize("promised", [True, False])
async def test_bodies_that_do_not_fit_beside_each_other_come_again(promised: bool) -> None:
    bodies = Bodies(**BODIES)
    await read(bodies, 100)
    await read(bodies, 100)

    with pytest.raises(BodyRefused) as refused:
        await read(bodies, 100, promised=promised)

    assert refused.value.status == 503
    # What was refused holds no room, and what is released gives its room back.
    assert len(await read(bodies, 50)) == 50
    bodies.release(100)
    assert len(await read(bodies, 100)) == 100
