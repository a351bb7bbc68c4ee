"""Request bodies within a budget of memory.

Pub/Sub carries up to 10 MB a message, and an instance takes as many requests at a time as it is deployed for:
together they may be more than the memory it has. So large bodies wait their turn, with Pub/Sub.
"""

from collections.abc import Mapping
from typing import Final

from starlette.requests import Request

MAX_BODY_BYTES: Final = 16_000_000
"""A message of 10 MB in base64, with as many attributes as it may have."""
MAX_HELD_BYTES: Final = 48_000_000
"""Of all requests that are being handled: reading one takes some four times its size, and the smallest
function has 512 MiB."""


class BodyRefused(Exception):
    """The body is not read; `status` is what the sender is told."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


class Bodies:
    """Reads bodies and knows how many bytes are held. For one event loop: counting needs no lock there."""

    def __init__(self, *, max_body_bytes: int = MAX_BODY_BYTES, max_held_bytes: int = MAX_HELD_BYTES) -> None:
        self._max_body_bytes = max_body_bytes
        self._max_held_bytes = max_held_bytes
        self._held_bytes = 0

    async def read(self, request: Request, headers: Mapping[str, str]) -> bytes:
        """The whole body, which counts as held until it is released. Names of headers are in lower case.

        Raises BodyRefused, and holds nothing: 413 for more than Pub/Sub ever sends, which no retry makes
        smaller and which is no message; 503 while too much is held, and Pub/Sub delivers again.
        """
        self._refuse(_promised(headers), beside=self._held_bytes)
        parts: list[bytes] = []
        size = 0
        try:
            async for part in request.stream():
                # Asked again for each part: what a sender promises may be wrong, and chunks promise nothing.
                self._refuse(size + len(part), beside=self._held_bytes - size)
                parts.append(part)
                size += len(part)
                self._held_bytes += len(part)
        except BaseException:  # refused halfway, or its sender is gone
            self.release(size)
            raise
        return b"".join(parts)

    def release(self, size: int) -> None:
        """A body of that many bytes is not held any more; once for each that was read."""
        self._held_bytes -= size

    def _refuse(self, size: int, *, beside: int) -> None:
        if size > self._max_body_bytes:
            raise BodyRefused(413, f"body: {size} bytes are more than {self._max_body_bytes}")
        if beside + size > self._max_held_bytes:
            raise BodyRefused(503, f"body: {size} bytes do not fit beside {beside} that are held")


def _promised(headers: Mapping[str, str]) -> int:
    """How large the sender says that the body is; 0 where it says nothing, as with chunks."""
    text = headers.get("content-length", "")
    return int(text) if text.isdecimal() else 0
