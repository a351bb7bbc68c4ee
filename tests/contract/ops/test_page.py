"""The page is served on loopback, anew each time; what cannot be read is said with a status of its own."""

import http.client
from collections.abc import Callable, Mapping
from threading import Thread

import pytest

from common.batches.batches import Batches
from common.result import ErrorInfo, ResultError
from ops.commands.page import LOOPBACK, Site, address_of, server
from ops.site import site
from ops.stores import Stores
from ops.where import from_environment
from tests.support.batch_helpers import GAME_DATE, opened


def away(*_: str) -> str:
    raise ResultError(ErrorInfo.transient("ServiceUnavailable", "the store is away"))


def absent(name: str) -> str:
    raise ResultError(ErrorInfo.permanent("NoSuchThing", f"batch {name!r}: there is none"))


def get(served: Site, *paths: str) -> list[tuple[int, str]]:
    with server(served, 0) as serving:
        Thread(target=serving.serve_forever, daemon=True).start()
        answers = []
        for path in paths:
            connection = http.client.HTTPConnection(LOOPBACK, serving.server_port, timeout=10)
            connection.request("GET", path)
            answer = connection.getresponse()
            answers.append((answer.status, answer.read().decode()))
            connection.close()
        serving.shutdown()
    return answers


def test_page_is_made_anew_for_whoever_looks() -> None:
    pages = iter(["<p>first</p>", "<p>second</p>"])

    answers = get(Site(status=lambda: next(pages), explanation=absent), "/", "/")

    assert answers == [(200, "<p>first</p>"), (200, "<p>second</p>")]


@pytest.mark.parametrize(
    ("explanation", "status", "said"),
    [
        pytest.param(lambda name: f"<p>{name}</p>", 200, "<p>a b/ü?</p>", id="there"),
        pytest.param(absent, 404, "batch 'a b/ü?': there is none", id="no such batch"),
        pytest.param(away, 503, "the store is away", id="the store is away"),
    ],
)
def test_explanation_has_an_address_whatever_the_name(
    explanation: Callable[[str], str], status: int, said: str
) -> None:
    [(found, body)] = get(Site(status=away, explanation=explanation), address_of("a b/ü?"))

    assert (found, said in body) == (status, True)


def test_store_out_of_reach_is_no_page_and_another_path_leads_back() -> None:
    (status, body), (elsewhere, back) = get(Site(status=away, explanation=away), "/", "/favicon.ico")

    assert (status, elsewhere) == (503, 404)
    assert "the store is away" in body and "/" in back


def test_each_row_of_the_page_leads_to_its_explanation(
    environment: Mapping[str, str], batches: Batches
) -> None:
    opened(batches, ["amy", "bob"])
    served = site(Stores(from_environment(environment).unwrap()))
    day = GAME_DATE.isoformat()

    (_, home), (_, batch), (_, date), (gone, _) = get(
        served, "/", address_of("batch1"), address_of(day), address_of("batch9")
    )

    assert f'href="{address_of("batch1")}"' in home and "past its deadline: 0 of 2 players" in home
    assert "overdue" in batch and "0 of 2 players have ended" in batch and 'href="/"' in batch
    assert "phase4_to_phase5" in date and f'href="{address_of("batch1")}"' in date
    assert gone == 404
