# grpc's own functions carry no types.
# mypy: disable-error-code="no-untyped-call"
"""A gRPC server of the tests' own: for proxies and stubs alike."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import grpc


@contextmanager
def serving(handler: grpc.GenericRpcHandler) -> Iterator[str]:
    """Serve on a free port; yields `host:port`."""
    server = grpc.server(ThreadPoolExecutor(max_workers=8), handlers=[handler])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.stop(grace=None).wait()
