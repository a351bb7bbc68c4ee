"""`page`: the status page, written once or served on this machine, read anew at each request."""

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final
from urllib.parse import quote, unquote, urlsplit

from rich.text import Text

from common.reporting.publishing import StatusPage
from common.result import ResultError

from ..answer import Answer
from ..refusals import is_wrong_usage

LOOPBACK: Final = "127.0.0.1"
HOME: Final = "/"
EXPLAINED: Final = "/explain/"
"""Behind it the name of a batch or of a date."""
REFRESH_SECONDS: Final = 10
"""How old a page on a screen is at most."""


@dataclass(frozen=True, kw_only=True)
class Site:
    """What is served, each read anew; each raises ResultError for what cannot be read."""

    status: Callable[[], str]
    explanation: Callable[[str], str]
    """Of a batch or a date, by its name."""


def address_of(name: str) -> str:
    """Where the explanation of a batch or a date is served."""
    # Also the slash: an id is one segment of the path, whatever is in it.
    return EXPLAINED + quote(name, safe="")


def written(page: StatusPage) -> Answer:
    """Read, render, put in its place, all at once."""
    place = page.publish().unwrap()
    return Answer(data={"page": place}, shown=[Text(place)])


def server(site: Site, port: int) -> ThreadingHTTPServer:
    """A server on loopback alone, with whatever the stores say at that moment; port 0 takes a free one.

    Whoever looks gets the page again every ten seconds. What is not there is a 404, what cannot be read a 503
    that says so. The caller serves and closes it.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = _answer(site, urlsplit(self.path).path)
            kind = "html" if status is HTTPStatus.OK else "plain"
            self.send_response(status)
            self.send_header("Content-Type", f"text/{kind}; charset=utf-8")
            # Instead of a script: the page has none.
            self.send_header("Refresh", str(REFRESH_SECONDS))
            # The address of a page stays while the page changes: kept, it would show a state that is over.
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, format: str, *args: object) -> None:
            """A page that is looked at every ten seconds is no news."""

    # A thread for each request: a store that is slow for one page must not hold up the others. On loopback,
    # as nothing here asks who is looking.
    return ThreadingHTTPServer((LOOPBACK, port), Handler)


def _answer(site: Site, path: str) -> tuple[HTTPStatus, str]:
    """Status and body for a path: a page, or a sentence."""
    try:
        if path == HOME:
            return HTTPStatus.OK, site.status()
        if path.startswith(EXPLAINED):
            return HTTPStatus.OK, site.explanation(unquote(path.removeprefix(EXPLAINED)))
    except ResultError as exc:
        # What nobody can find is told apart from what nobody could read: the second may be there.
        if is_wrong_usage(exc.error):
            return HTTPStatus.NOT_FOUND, exc.error.message
        return HTTPStatus.SERVICE_UNAVAILABLE, f"could not look: {exc}"
    return HTTPStatus.NOT_FOUND, f"nothing is here; the status is at {HOME}"
