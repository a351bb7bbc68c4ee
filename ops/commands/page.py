"""`page`: the status page, written once or served on this machine, read anew at each request."""

from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

from rich.text import Text

from common.reporting.publishing import StatusPage
from common.result import ResultError

from ..answer import Answer

LOOPBACK: Final = "127.0.0.1"
REFRESH_SECONDS: Final = 10
"""How old a page on a screen is at most."""

Render = Callable[[], str]


def written(page: StatusPage) -> Answer:
    """Read, render, put in its place, all at once."""
    place = page.publish().unwrap()
    return Answer(data={"page": place}, shown=[Text(place)])


def server(render: Render, port: int) -> ThreadingHTTPServer:
    """A server on loopback alone, with whatever the stores say at that moment; port 0 takes a free one.

    Whoever looks gets the page again every ten seconds. What cannot be read is a 503 that says so. The caller
    serves and closes it.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            try:
                status, body = 200, render()
            except ResultError as exc:
                status, body = 503, f"could not look: {exc}"
            self.send_response(status)
            self.send_header("Content-Type", "text/html; charset=utf-8" if status == 200 else "text/plain")
            # Instead of a script: the page has none.
            self.send_header("Refresh", str(REFRESH_SECONDS))
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, format: str, *args: object) -> None:
            """A page that is looked at every ten seconds is no news."""

    return ThreadingHTTPServer((LOOPBACK, port), Handler)
