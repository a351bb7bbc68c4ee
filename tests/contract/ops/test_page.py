"""The page is served on loopback, anew each time; what cannot be read is said with a status of its own."""

import http.client
from collections.abc import Callable
from threading import Thread

from common.result import ErrorInfo, ResultError
from ops.commands.page import LOOPBACK, server


def get(render: Callable[[], str], times: int = 1) -> list[tuple[int, str]]:
    with server(render, 0) as serving:
        Thread(target=serving.serve_forever, daemon=True).start()
        answers = []
        for _ in range(times):
            connection = http.client.HTTPConnection(LOOPBACK, serving.server_port, timeout=10)
            connection.request("GET", "/")
            answer = connection.getresponse()
            answers.append((answer.status, answer.read().decode()))
            connection.close()
        serving.shutdown()
    return answers


def test_page_is_made_anew_for_whoever_looks() -> None:
    pages = iter(["<p>first</p>", "<p>second</p>"])

    assert get(lambda: next(pages), times=2) == [(200, "<p>first</p>"), (200, "<p>second</p>")]


def test_store_out_of_reach_is_no_page() -> None:
    def away() -> str:
        raise ResultError(ErrorInfo.transient("ServiceUnavailable", "the store is away"))

    (status, body), *_ = get(away)

    assert status == 503
    assert "the store is away" in body
