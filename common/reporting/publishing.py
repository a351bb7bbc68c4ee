"""Puts the page where it is read, in one step: whoever looks sees the page before or the page after.

A bucket's object is replaced whole by its upload; a file is renamed into its place.
"""

import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol
from urllib.parse import quote

from ..result import ErrorInfo, Result
from .gathering import Gathering
from .page import render

UPLOAD: Final = "https://storage.googleapis.com/upload/storage/v1/b/{bucket}/o?uploadType=media&name={name}"
"""The JSON API's media upload: one request, so that no client library is needed for one object."""
TIMEOUT_SECONDS: Final = 30.0
"""Of the upload; the page is some tens of kilobytes."""
BUCKET_SCHEME: Final = "gs://"


class Session(Protocol):
    """An authorised HTTP session, such as `google.auth.transport.requests.AuthorizedSession`."""

    def post(self, url: str, *, data: bytes, headers: dict[str, str], timeout: float) -> Any:
        """The answer of one request; raises what the session raises."""


@dataclass(frozen=True, kw_only=True)
class PagePlace:
    """`gs://bucket/status/index.html`, or the path of a local file."""

    place: str
    session: Callable[[], Session]
    """Makes the session on first use; a local page needs no credentials."""
    upload_url: str = UPLOAD

    def put(self, page: str) -> Result[str]:
        """Replace the page; returns where it is. Again: the same page.

        Failures: PageNotWritten (PERMANENT for a refusal: bucket or rights are wrong; TRANSIENT for 408, 429
        and 5xx), or the fault of the connection or of the disk. The page of before stays then.
        """
        body = page.encode()
        if self.place.startswith(BUCKET_SCHEME):
            return self._upload(body)
        return self._write(Path(self.place), body)

    def _upload(self, body: bytes) -> Result[str]:
        """One request; the object is the page before or the page after, never half of it."""
        # The name may hold slashes, which are part of it.
        bucket, _, name = self.place.removeprefix(BUCKET_SCHEME).partition("/")
        url = self.upload_url.format(bucket=quote(bucket, safe=""), name=quote(name, safe=""))
        headers = {"Content-Type": "text/html; charset=utf-8"}
        try:
            answer = self.session().post(url, data=body, headers=headers, timeout=TIMEOUT_SECONDS)
        except Exception as exc:  # the boundary to the HTTP client: every failure to upload is told alike
            return Result.failure(ErrorInfo.from_exception(exc, page=self.place))
        if answer.status_code != 200:
            told = f"storage answered {answer.status_code}: {answer.text[:200]}"
            # 408 and 429 pass by themselves; any other refusal of ours does not.
            is_permanent = 400 <= answer.status_code < 500 and answer.status_code not in (408, 429)
            make = ErrorInfo.permanent if is_permanent else ErrorInfo.transient
            return Result.failure(make("PageNotWritten", told, page=self.place))
        return Result.success(self.place)

    def _write(self, path: Path, body: bytes) -> Result[str]:
        """A file of the same name, put in its place by a rename."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # In the same directory, for only within one file system a rename is one step.
            descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".page-")
            with os.fdopen(descriptor, "wb") as file:
                file.write(body)
            # `mkstemp` makes it readable by its owner alone; a web server of another user could not serve it.
            Path(name).chmod(0o644)
            Path(name).replace(path)
        except OSError as exc:
            return Result.failure(ErrorInfo.from_exception(exc, page=self.place))
        return Result.success(self.place)


@dataclass(frozen=True, kw_only=True)
class StatusPage:
    """The page of one system in its place: published after each audit, and by `./ops/run page`."""

    gathering: Gathering
    place: PagePlace

    def publish(self) -> Result[str]:
        """Read, render, put; returns where it is. Safe to repeat: of two at once the later upload stays.

        Failures are those of `PagePlace.put`; a store that does not answer is told on the page itself.
        """
        return self.place.put(render(self.gathering.status()))
