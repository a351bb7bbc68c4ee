"""HTTP request → message → handler → acknowledge, retry or dead-letter: decided here and nowhere else.

A function makes an `Endpoint` with a `Route` for each topic that wakes it (see `common/runtime/wiring.py`); a
handler gets its message and the `Delivery` that brought it. Which Result becomes what: `rules.py`.
"""

from typing import TYPE_CHECKING

from ..lazy_face import lazy_face
from .envelope import Delivery

if TYPE_CHECKING:
    from .endpoint import Endpoint as Endpoint
    from .endpoint import Route as Route
    from .endpoint import in_thread as in_thread

__all__ = ["Delivery", "Endpoint", "Route", "in_thread"]

__getattr__ = lazy_face(__name__, dict.fromkeys(("Endpoint", "Route", "in_thread"), "endpoint"))
