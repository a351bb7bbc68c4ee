"""The status page of a stack that serves: read anew from its stores whenever somebody looks."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

from ops import where
from ops.commands import page
from ops.site import site
from ops.stores import Stores


@contextmanager
def served(root: Path) -> Iterator[str]:
    """Its address, while the block runs. Of the stack whose note is in `root`."""
    stores = Stores(where.local(root).unwrap())
    with page.server(site(stores), 0) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://{page.LOOPBACK}:{server.server_port}/"
        finally:
            # Ends the thread: it must not answer from stores that are gone.
            server.shutdown()
