"""The page in its place: a file renamed, an object uploaded to a storage that this machine plays."""

import stat
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import requests

from common.reporting.publishing import PagePlace
from common.result import ErrorType
from tests.support.results import error_of


@contextmanager
def storage(status: int) -> Iterator[tuple[str, list[tuple[str, bytes]]]]:
    """Where to upload to, and what was uploaded, by path."""
    uploaded: list[tuple[str, bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            uploaded.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(status)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing on the test's screen."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        address = (
            f"http://127.0.0.1:{server.server_port}/upload/b/{{bucket}}/o?uploadType=media&name={{name}}"
        )
        yield address, uploaded
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_file_is_replaced_whole_and_can_be_read_by_others(tmp_path: Path) -> None:
    path = tmp_path / "status" / "index.html"
    place = PagePlace(place=str(path), session=requests.Session)

    assert [place.put(page).unwrap() for page in ("before", "after")] == [str(path)] * 2

    assert path.read_text() == "after"
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert list(path.parent.iterdir()) == [path]


def test_folder_that_cannot_be_written_is_a_failure(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")

    failed = PagePlace(place=str(tmp_path / "file" / "index.html"), session=requests.Session).put("page")

    assert error_of(failed).exception_class in ("NotADirectoryError", "FileExistsError")


def test_object_is_uploaded_in_one_request() -> None:
    with storage(200) as (address, uploaded), requests.Session() as session:
        place = PagePlace(place="gs://bucket/status/index.html", session=lambda: session, upload_url=address)

        assert place.put("page").unwrap() == "gs://bucket/status/index.html"

    assert uploaded == [("/upload/b/bucket/o?uploadType=media&name=status%2Findex.html", b"page")]


@pytest.mark.parametrize(
    ("status", "error_type"),
    [(403, ErrorType.PERMANENT), (429, ErrorType.TRANSIENT), (500, ErrorType.TRANSIENT)],
)
def test_refusal_is_a_failure_with_what_storage_said(status: int, error_type: ErrorType) -> None:
    with storage(status) as (address, _), requests.Session() as session:
        failed = PagePlace(place="gs://b/index.html", session=lambda: session, upload_url=address).put("page")

    assert error_of(failed).type is error_type
    assert f"storage answered {status}" in error_of(failed).message
